"""Checks that the sending server answers, and accepts user and password."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pepper_tui.config import ConfigError, Mail, Secrets, Smtp
from pepper_tui.connectors.finding import PATIENCE, Finding, Patient, without


async def check(settings: Mail, patient: Patient) -> AsyncIterator[Finding]:
    if settings.smtp is not None:
        yield await _smtp(settings.smtp, patient.secrets)


async def _smtp(smtp: Smtp, secrets: Secrets) -> Finding:
    import aiosmtplib

    where = f"{smtp.host}:{smtp.port}"
    try:
        password = secrets.value(smtp.password)
    except ConfigError as error:
        return Finding("sending", "trouble", error.problems[0], "see mail.smtp.password in: pepper config example")
    client = aiosmtplib.SMTP(
        hostname=smtp.host,
        port=smtp.port,
        use_tls=smtp.security == "tls",
        start_tls=smtp.security == "starttls",
        timeout=min(PATIENCE, smtp.timeout),
    )
    try:
        await client.connect()
        if smtp.user:
            await client.login(smtp.user, password)
        await client.quit()
    except (aiosmtplib.SMTPException, OSError) as error:
        client.close()
        remedy = "check host, port, security, user and password in [mail.smtp]"
        return Finding("sending", "trouble", f"{where}: {without(str(error), password)}", remedy)
    return Finding("sending", "ok", f"by {where}" + (f" as {smtp.user}" if smtp.user else ""))
