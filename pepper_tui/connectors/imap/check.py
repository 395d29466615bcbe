"""The doctor's check of an account: whether its servers answer, accept user and password, and have the folders."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Final

from pepper_tui.clock import SystemClock
from pepper_tui.config import ConfigError
from pepper_tui.connectors.bearer import Credential
from pepper_tui.connectors.finding import Finding, Patient
from pepper_tui.connectors.imap.connection.link import Link, linked
from pepper_tui.connectors.imap.connection.trouble import ServerError, trouble
from pepper_tui.connectors.imap.credential import credential
from pepper_tui.connectors.imap.settings import Imap
from pepper_tui.connectors.smtp_check import smtp_finding
from pepper_tui.text import one_line

PATIENCE: Final = 20.0
"""Seconds for the whole check."""
_NAMED: Final = 20


async def check(settings: Imap, patient: Patient) -> AsyncIterator[Finding]:
    ident = patient.ident or settings.address
    named = f"{ident} ({settings.address})" if patient.ident else ident
    given = credential(settings, ident, patient.home, patient.secrets)
    yield await _reading(f"mail {named}", settings, given, ident)
    if smtp := settings.sending():
        section = f"smtp of account {ident}"
        of_smtp = given if settings.sends_by_token else partial(patient.secrets.value, smtp.password)
        yield await smtp_finding(f"sending {named}", smtp, of_smtp, section, settings.ca)


async def _reading(part: str, settings: Imap, given: Callable[[], Credential], ident: str) -> Finding:
    try:
        password = await asyncio.to_thread(given)
        if not password:
            raise ConfigError([f"{settings.password} has no value"])
        async with asyncio.timeout(PATIENCE), linked(settings, ident, password, SystemClock()) as link:
            return await _looked(part, settings, link)
    except (ConfigError, ServerError, TimeoutError) as error:
        told = trouble(error, settings, ident)
        return Finding(part, "trouble", str(told), told.remedy)


async def _looked(part: str, settings: Imap, link: Link) -> Finding:
    listed = [name for name, _ in await link.do(link.session.folders)]
    there = set(listed)
    missing = [each for each in settings.folders if each not in there and each.upper() != "INBOX"]
    if missing:
        few = ", ".join(one_line(each, 40) for each in sorted(there)[:_NAMED])
        return Finding(
            part, "trouble", f"no folder {', '.join(missing)}; there are: {few}", "fix folders in its account"
        )
    opened = await link.do(link.session.open, settings.folders[0])
    words = f"{settings.login} at {settings.host}:{settings.at}, {opened.exists:,} mails in {settings.folders[0]}"
    sent = settings.sent or await link.do(link.session.sent_folder)
    if settings.smtp and settings.keep_copy and (not sent or sent not in there):
        detail = f"{words}; there is no folder {sent or 'that is marked'} for what is sent"
        return Finding(part, "note", detail, "name it in sent of its account, or set keep_copy = false")
    slow = "" if link.session.can("IDLE") else f"; it can't push, so it is asked each {settings.scan_interval:g} s"
    return Finding(part, "ok", words + slow)
