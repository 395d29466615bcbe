"""The doctor's check of an account: whether its client is there, the user has signed in, and Google answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from pepper_tui.clock import SystemClock
from pepper_tui.connectors.finding import Finding, Patient
from pepper_tui.connectors.gmail.account import GmailAccount
from pepper_tui.connectors.gmail.labels import LabelNames
from pepper_tui.connectors.gmail.settings import Gmail
from pepper_tui.connectors.google_account.errors import GoogleError

PATIENCE: Final = 20.0
"""Seconds for the whole check."""


async def check(settings: Gmail, patient: Patient) -> AsyncIterator[Finding]:
    part = f"mail {settings.address}"
    same = [each.id for each in patient.config.account if each.own.get("address") == settings.address]
    account = GmailAccount(
        patient.ident or next(iter(same), "ID"), settings, patient.home, patient.secrets, SystemClock()
    )
    try:
        async with asyncio.timeout(PATIENCE):
            yield await _looked(part, settings, account)
    except GoogleError as error:
        yield Finding(part, "trouble", error.words, error.remedy)
    except TimeoutError:
        yield Finding(part, "trouble", "Google does not answer", "check the connection")


async def _looked(part: str, settings: Gmail, account: GmailAccount) -> Finding:
    profile = await account.call("getProfile", urgent=True)
    who = str(profile.get("emailAddress", ""))
    if who.casefold() != settings.address.casefold():
        return Finding(part, "trouble", f"the sign-in is that of {who}", f"fix address, or {account.remedy}")
    names = LabelNames.of(await account.call("labels.list", urgent=True))
    if missing := [name for name in settings.labels if not names.ident(name)]:
        there = ", ".join(["INBOX", "SENT", *sorted(names.own.values())[:20]])
        return Finding(part, "trouble", f"no label {', '.join(missing)}; there are: {there}", "fix labels")
    return Finding(part, "ok", f"at Google, {int(profile.get('messagesTotal', 0)):,} mails; {await account.allowed()}")
