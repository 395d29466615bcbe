"""The doctor's check of an account: whether the user has signed in, and Google answers and has the calendars."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from pepper_tui.clock import SystemClock
from pepper_tui.connectors.finding import Finding, Patient
from pepper_tui.connectors.google_account.errors import GoogleError
from pepper_tui.connectors.google_calendar.listing import CalendarAccount, Listed, calendars
from pepper_tui.connectors.google_calendar.settings import GoogleCalendar
from pepper_tui.text import one_line

PATIENCE: Final = 20.0
"""Seconds for the whole check."""
_NAMED: Final = 20


async def check(settings: GoogleCalendar, patient: Patient) -> AsyncIterator[Finding]:
    ident = patient.ident or "ID"
    part = f"calendars {ident} ({settings.address} at Google)"
    account = CalendarAccount(ident, settings, patient.home, patient.secrets, SystemClock())
    try:
        async with asyncio.timeout(PATIENCE):
            listed = await calendars(account, urgent=True)
            allowed = await account.allowed()
    except GoogleError as error:
        yield Finding(part, "trouble", error.words, error.remedy)
        return
    except TimeoutError:
        yield Finding(part, "trouble", "Google does not answer", "check the connection")
        return
    wanted = {each.casefold() for each in settings.calendars}
    read = [each for each in listed if (each.title.casefold() in wanted if wanted else each.ticked)]
    words = f"{_many(read)}; {allowed}"
    if missing := wanted - {each.title.casefold() for each in listed}:
        named = ", ".join(each for each in settings.calendars if each.casefold() in missing)
        detail = f"no calendar {named}; there are: {_titles(listed)}"
        yield Finding(part, "trouble", detail, f"fix calendars in account {ident}")
    elif not read:
        there = f"none is ticked at Google, so none is read; there are: {_titles(listed)}"
        yield Finding(part, "note", there, f"name some in calendars of account {ident}")
    else:
        yield Finding(part, "ok", words)


def _many(read: list[Listed]) -> str:
    return f"{'1 calendar' if len(read) == 1 else f'{len(read)} calendars'}: {_titles(read)}"


def _titles(listed: list[Listed]) -> str:
    named = [one_line(each.title, 40) + ("" if each.may_write else " (read only)") for each in listed[:_NAMED]]
    return ", ".join(named) + (f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else "")
