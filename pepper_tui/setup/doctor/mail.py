"""Mail: each Maildir and mbox, and the server that sends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from pepper_tui.config import ConfigError, Secrets, Smtp
from pepper_tui.connectors.mbox.mbox_file import LockedError, begins_at, opened
from pepper_tui.setup.doctor.finding import PATIENCE, Finding, Patient, State, looked, without


async def check(patient: Patient) -> AsyncIterator[Finding]:
    mail = patient.config.mail
    for maildir in mail.maildir:
        yield await looked(f"mail {maildir.name}", maildir, _maildir, maildir)
    for file in mail.mbox:
        yield await looked(f"mail {file.name}", file, _mbox, file)
    if mail.smtp:
        yield await _smtp(mail.smtp, patient.secrets)


def _maildir(path: Path) -> Finding:
    part = f"mail {path.name}"
    if not path.is_dir():
        return Finding(part, "trouble", f"{path} is not there", "set mail.maildir to where your mail program syncs")
    if not (path / "new").is_dir() and not (path / "cur").is_dir():
        return Finding(part, "trouble", f"{path} has neither new/ nor cur/", "name the Maildir itself, not its parent")
    try:
        count = sum(len(list((path / each).iterdir())) for each in ("new", "cur") if (path / each).is_dir())
    except OSError as error:
        return Finding(part, "trouble", f"{path}: {error.strerror}", "make it readable for you")
    return Finding(part, "ok", f"{path}, {count} {'mail' if count == 1 else 'mails'}")


def _mbox(path: Path) -> Finding:
    part = f"mail {path.name}"
    if not path.exists():
        state: State = "note" if path.parent.is_dir() else "trouble"
        return Finding(part, state, f"{path} is not there", "it is watched for; if it lies elsewhere, mend mail.mbox")
    try:
        with opened(path) as file:
            if not begins_at(file, 0):
                return Finding(part, "trouble", f"{path} is no mbox file", "a Maildir goes under mail.maildir")
    except LockedError:
        mend = f"if no mail program writes it, take away {path}.lock"
        return Finding(part, "note", f"{path} is locked by a mail program", mend)
    except OSError as error:
        return Finding(part, "trouble", f"{path}: {error.strerror}", "make it a file that is readable for you")
    return Finding(part, "ok", f"{path}, {path.stat().st_size / 1e6:.1f} MB")


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
        mend = "check host, port, security, user and password in [mail.smtp]"
        return Finding("sending", "trouble", f"{where}: {without(str(error), password)}", mend)
    return Finding("sending", "ok", f"by {where}" + (f" as {smtp.user}" if smtp.user else ""))
