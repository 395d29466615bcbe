"""One object of the store: an event, or a series with its changed occurrences, as Google tells them, one by one.

A look that follows an earlier one may tell of an occurrence alone, so what is kept of the others is taken from the
object that there is. A cancelled occurrence is written down as such, with what was known of it when it was cancelled:
a later change of its series is no news of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pepper_tui.connectors.google_calendar.rendering import CANCELLED, ETAG, ID

_HEAD: Final = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Pepper//Pepper//EN\r\n"
_END: Final = "END:VCALENDAR\r\n"
_TAKEN: Final = ("SUMMARY", "LOCATION")
"""What a cancelled occurrence has of its series, if nothing else was known of it."""

Parts = Mapping[str, str]
"""The events of an object by Google's ids: the lines of each."""
Told = Mapping[str, str | None]
"""What Google told of some of them. One that was deleted is empty; one that can't be read is None."""


def parts_of(text: str) -> dict[str, str]:
    """Return the events of an object's text."""
    found: dict[str, str] = {}
    lines: list[str] = []
    for line in text.split("\r\n"):
        if line == "BEGIN:VEVENT":
            lines = []
        lines.append(line)
        if line == "END:VEVENT":
            part = "".join(f"{each}\r\n" for each in lines)
            found[_value(part, ID)] = part
    return found


def text_of(parts: Parts) -> str:
    """Return the text of an object; empty without any event."""
    return f"{_HEAD}{''.join(parts.values())}{_END}" if parts else ""


def version_of(parts: Parts, series: str) -> str:
    """Return the etag of an object's event, or of its series."""
    main = parts.get(series) or next(reversed([*parts.values()]), "")
    return _value(main, ETAG)


def merged(held: Parts, told: Told, series: str, *, whole: bool) -> dict[str, str]:
    """Return an object's events, given those ``held`` and what Google told of them.

    ``whole``: that is all there is. One that can't be read stays as it was.
    """
    if told.get(series) == "":
        return {}
    found = {} if whole else dict(held)
    for ident, part in told.items():
        if part is None:
            found[ident] = held.get(ident, "")
            continue
        found[ident] = _cancelled(held[ident]) if ident in held and CANCELLED in part.split("\r\n") else part
    found = {ident: found[ident] for ident in sorted(found, key=lambda one: (one != series, one)) if found[ident]}
    main = found.get(series, "")
    uid = _value(main, "UID") or next(filter(None, (_value(each, "UID") for each in found.values())), "")
    uid = uid or f"{series}@google.com"
    return {ident: _filled(part, main, uid) for ident, part in found.items()}


def _cancelled(part: str) -> str:
    lines = part.split("\r\n")
    return "\r\n".join(CANCELLED if line.startswith("STATUS:") else line for line in lines)


def _filled(part: str, main: str, uid: str) -> str:
    """Return an occurrence with the UID of its series, and, if it is cancelled and nothing more is known, its title."""
    lines = [line for line in part.split("\r\n") if not line.startswith("UID:")]
    lines.insert(1, f"UID:{uid}")
    if CANCELLED in lines and not _line(part, "SUMMARY"):
        lines[-2:-2] = [line for name in _TAKEN if (line := _line(main, name))]
    return "\r\n".join(lines)


def _line(part: str, name: str) -> str:
    return next((line for line in part.split("\r\n") if line.startswith(f"{name}:")), "")


def _value(part: str, name: str) -> str:
    return _line(part, name).removeprefix(f"{name}:")
