"""The doctor's check of an account: whether its server answers, accepts user and password, and has the calendars."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Final

from pepper_tui.config import ConfigError
from pepper_tui.connectors.caldav.dav import calendars
from pepper_tui.connectors.caldav.settings import CalDav
from pepper_tui.connectors.caldav.wire import Wire
from pepper_tui.connectors.finding import Finding, Patient
from pepper_tui.connectors.http_server import ServerError
from pepper_tui.text import one_line

PATIENCE: Final = 30.0
"""Seconds for the whole check."""
_NAMED: Final = 20


async def check(settings: CalDav, patient: Patient) -> AsyncIterator[Finding]:
    ident = patient.ident or settings.host
    part = f"calendars {ident} ({settings.user} at {settings.host})"
    try:
        password = await asyncio.to_thread(partial(patient.secrets.value, settings.password))
        async with asyncio.timeout(PATIENCE), Wire(settings, ident, password) as wire:
            listed = await calendars(wire)
    except TimeoutError:
        yield Finding(part, "trouble", f"the server does not answer within {PATIENCE:g} s", "try again later")
        return
    except ConfigError as error:
        yield Finding(part, "trouble", error.problems[0], f"to put it in: pepper accounts signin {ident}")
        return
    except ServerError as error:
        yield Finding(part, "trouble", error.words, error.remedy)
        return
    there = [one_line(each.title, 40) + ("" if each.may_write else " (read only)") for each in listed[:_NAMED]]
    titles = {each.title.casefold() for each in listed}
    many = "1 calendar" if len(listed) == 1 else f"{len(listed)} calendars"
    words = f"{many}: {', '.join(there) or 'none'}"
    if missing := [each for each in settings.calendars if each.casefold() not in titles]:
        detail = f"no calendar {', '.join(missing)}; {words}"
        yield Finding(part, "trouble", detail, f"fix calendars in account {ident}")
    else:
        yield Finding(part, "ok" if listed else "note", words)
