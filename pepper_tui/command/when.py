"""`pepper when PHRASE…`: how a time in words is read, for a person or (``--json``) for a program."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfoNotFoundError

import typer

from pepper_tui.clock import ZONE_REMEDY, iso, local_locale, local_zone, zone_trouble
from pepper_tui.command.launch import EXIT_CONFIG, EXIT_TROUBLE, LaunchError
from pepper_tui.command.output import HomeOption, at, leave, show, user_settings
from pepper_tui.text import one_line

if TYPE_CHECKING:
    from pepper_tui.clock.words import Reading

Json = dict[str, Any]


def when(
    phrase: Annotated[
        list[str] | None, typer.Argument(metavar="PHRASE…", help="A time in words; without it one phrase a line.")
    ] = None,
    now: Annotated[str, typer.Option(metavar="ISO", help="Read as said at this time, wall time in the zone.")] = "",
    zone: Annotated[str, typer.Option(metavar="NAME", help="Time zone, e.g. Europe/Berlin; else your own.")] = "",
    locale: Annotated[str, typer.Option(metavar="CODE", help="en (12/24 is in December), en-GB, de.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One object a phrase: at, rrule, said, ask, why.")] = False,
    home: HomeOption = None,
) -> None:
    """Show how a time in words is read.

    Exits 1 where the phrase is not read, or is asked about; of phrases from standard input each has its own answer.
    """
    user = user_settings(at(home))
    named = zone or str(user.get("zone") or "")
    own_zone = _zone(named)
    if trouble := zone_trouble(named):
        typer.echo(f"{one_line(trouble)}; --zone, or {ZONE_REMEDY}", err=True)
    moment = _moment(now, own_zone)
    language = locale or str(user.get("locale") or local_locale())
    phrases: Iterable[str] = [" ".join(phrase)] if phrase else _lines()
    failed = False
    for text in phrases:
        answer = reading_of(text, moment, own_zone, language)
        failed = failed or answer["at"] is None
        show(json.dumps(answer, ensure_ascii=False) if as_json else _words(answer))
    raise typer.Exit(EXIT_TROUBLE if failed and phrase else 0)


def reading_of(text: str, now: float, zone: tzinfo, locale: str) -> Json:
    """Return a phrase as: ``at`` (ISO 8601 in the zone) or null, ``rrule``, ``said``, ``ask`` (readings), ``why``."""
    from pepper_tui.clock.words import TimeAskedError, TimeRefusedError, read_time

    nothing: Json = {"text": text, "at": None, "end": None, "rrule": "", "said": "", "ask": [], "why": ""}
    try:
        return nothing | _shown(read_time(text, now, zone, locale), now, zone)
    except TimeAskedError as asked:
        return nothing | {"ask": [_shown(each, now, zone) for each in asked.choices], "why": str(asked)}
    except TimeRefusedError as refused:
        return nothing | {"why": str(refused)}


def _shown(reading: Reading, now: float, zone: tzinfo) -> Json:
    from pepper_tui.clock.words import said

    end = iso(reading.end, zone) if reading.end is not None else None
    return {"at": iso(reading.at, zone), "end": end, "rrule": reading.rrule, "said": said(reading, zone, now)}


def _words(answer: Json) -> str:
    if answer["at"] is not None:
        return f"{answer['text']}: {answer['said']}"
    return str(answer["why"])


def _lines() -> Iterator[str]:
    return (line for line in (line.strip() for line in sys.stdin) if line)


def _zone(name: str) -> tzinfo:
    try:
        return local_zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        leave(LaunchError(EXIT_CONFIG, f"unknown time zone {name!r}; use an IANA name such as 'Europe/Berlin'"))


def _moment(now: str, zone: tzinfo) -> float:
    if not now:
        return datetime.now().timestamp()
    try:
        wall = datetime.fromisoformat(now)
    except ValueError:
        leave(LaunchError(EXIT_CONFIG, f"--now {now!r} is no ISO time; e.g. 2026-11-28T12:00"))
    from pepper_tui.clock.recurrence import instant

    return wall.timestamp() if wall.tzinfo is not None else instant(wall, zone)
