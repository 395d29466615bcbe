"""What the doctor says of an SMTP server, for each connector that sends: whether it answers, and takes the sign-in."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pepper_tui.config import ConfigError, Smtp
from pepper_tui.connectors.bearer import Bearer, Credential
from pepper_tui.connectors.finding import PATIENCE, Finding, without
from pepper_tui.connectors.smtp_outbox import SmtpOutbox, sign_in, why_not_sent


async def smtp_finding(
    part: str, smtp: Smtp, given: Callable[[], Credential], section: str, ca: Path | None = None
) -> Finding:
    """``given`` returns the password, or the token; it blocks. ``section`` is where the config speaks of it."""
    import aiosmtplib

    where = f"{smtp.host}:{smtp.port}"
    try:
        credential = await asyncio.to_thread(given)
    except ConfigError as error:
        return Finding(part, "trouble", error.problems[0], f"see the sign-in in {section}")
    shown = credential.token if isinstance(credential, Bearer) else credential
    remedy = f"check host, port, security, user and password in {section}"
    try:
        context = ssl.create_default_context(cafile=ca) if ca else None
        client = aiosmtplib.SMTP(
            hostname=smtp.host,
            port=smtp.port,
            use_tls=smtp.security == "tls",
            start_tls=smtp.security == "starttls",
            timeout=min(PATIENCE, smtp.timeout),
            tls_context=context,
        )
    except OSError as error:
        return Finding(part, "trouble", f"{ca}: {error.strerror or error}", "name the certificate of your CA in ca")
    try:
        await client.connect()
        if smtp.user:
            await sign_in(client, smtp.user, credential)
        await client.quit()
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        client.close()
        account = SmtpOutbox("", smtp, partial(str, ""), section=section.strip("[]"))
        return Finding(part, "trouble", f"{where}: {without(why_not_sent(error, account), shown)}", remedy)
    return Finding(part, "ok", f"by {where}" + (f" as {smtp.user}" if smtp.user else ""))
