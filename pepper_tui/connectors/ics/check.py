"""Checks the calendar: each file and folder, with the reader that answers use."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from pepper_tui.clock import NoAnswerError, SystemClock, local_zone
from pepper_tui.config import Calendar, ConfigError
from pepper_tui.connectors.finding import Finding, Patient, looked, unanswered
from pepper_tui.connectors.http_server import HttpServer, ServerError
from pepper_tui.connectors.ics.published import calendar_at, reach_of
from pepper_tui.connectors.ics.settings import IcsAddress
from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.calendar.pieces import pieces

PATIENCE: Final = 30.0  # seconds for the whole check of an address
_NAMED: Final = 3  # how many unreadable items are named


async def check(settings: Calendar | IcsAddress, patient: Patient) -> AsyncIterator[Finding]:
    if isinstance(settings, IcsAddress):
        yield await _published(settings, patient)
        return
    now = SystemClock().now()
    for path in settings.paths:
        part = f"calendar {path.name}"
        found = await looked(part, path, _file, path)
        if found.state == "trouble":
            yield found
            continue
        agenda = Agenda([path], local_zone(patient.config.user.zone))
        try:
            events = await agenda.events()
            await agenda.between(now, now + settings.horizon_days * 86400)
        except NoAnswerError:
            yield unanswered(part, path)
            continue
        words = f"{path}, {found.detail}, {len(events)} events"
        if defects := agenda.defects:
            more = f"; and {len(defects) - _NAMED} more" if len(defects) > _NAMED else ""
            words = f"{words}; {'; '.join(defects[:_NAMED])}{more}"
            yield Finding(part, "trouble", words, "export that calendar again, or ask its author to fix it")
        elif found.state == "note":
            yield Finding(part, "note", f"{words}; nothing can be added", found.remedy)
        else:
            yield Finding(part, "ok", words)


async def _published(settings: IcsAddress, patient: Patient) -> Finding:
    part = f"calendar {patient.ident}"
    try:
        reach = await asyncio.to_thread(reach_of, settings, patient.ident, patient.secrets)
        async with asyncio.timeout(PATIENCE), HttpServer(reach) as server:
            found = await calendar_at(server, {})
    except TimeoutError:
        return Finding(part, "trouble", f"the server does not answer within {PATIENCE:g} s", "try again later")
    except ConfigError as error:
        return Finding(part, "trouble", error.problems[0], f"see url and password in account {patient.ident}")
    except ServerError as error:
        return Finding(part, "trouble", error.words, error.remedy)
    count = len(pieces(found[0])) if found is not None else 0
    return Finding(part, "ok", f"{reach.host}, {count} event{'' if count == 1 else 's'}")


def _file(path: Path) -> Finding:
    part = f"calendar {path.name}"
    if not path.exists():
        return Finding(part, "trouble", f"{path} is not there", "set calendar.paths to a .ics file or a folder of them")
    words = f"{len(list(path.rglob('*.ics'))) if path.is_dir() else 1} files"
    if not os.access(path if path.is_dir() else path.parent, os.W_OK):
        return Finding(part, "note", words, f"make {path.parent} writable, if that is meant")
    return Finding(part, "ok", words)
