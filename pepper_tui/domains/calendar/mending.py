"""What common programs write into a calendar against the rules, put right before it is read. One event at a time.

- Time zones by names that no list has: offsets ("UTC-06:00"), Outlook's display names ("(UTC+01:00) Berlin"), IANA
  names behind a prefix ("/mozilla.org/…/Europe/Berlin"). A zone of the file itself goes before (RFC 5545, 3.8.3.1).
- Times without a zone, and series in UTC, of a calendar that names its own zone (``X-WR-TIMEZONE``).
- Repeat rules with spaces, parts of other vendors, or RFC 7529's words for what is the rule anyway.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from pepper_tui.domains.calendar.pieces import HOME

_NAMED: Final = re.compile(rb';TZID=(?:"([^"\r\n]{1,300})"|([^"\r\n;,]{1,300}?))(?=(?:;[^:\r\n]{0,200})?:\d{8})', re.I)
_DEFINED: Final = re.compile(rb"^TZID(?:;[^:\r\n]{0,200})?:([^\r\n]{1,300}?)[ \t]*\r?$", re.I | re.M)
_UTC: Final = re.compile(r"(?:tzone://microsoft/)?(?:utc|gmt|z|zulu|etc/utc)", re.I)
_OFFSET: Final = re.compile(r"\(?(?:UTC|GMT)?[ ]?([+-])(\d{1,2})(?::?(\d{2}))?\)?", re.I)
_RULE: Final = re.compile(rb"^(RRULE|EXRULE)((?:;[^:\r\n]{0,200})?):([^\r\n]{1,2000})", re.I | re.M)
_PLAIN_PARTS: Final = frozenset({b"RSCALE=GREGORIAN", b"SKIP=OMIT"})
_EVENT: Final = re.compile(rb"^(?=BEGIN:VEVENT)", re.I | re.M)
_REPEATS: Final = re.compile(rb"^RRULE[;:]", re.I | re.M)
_LOCAL: Final = re.compile(
    rb"^(DTSTART|DTEND|RECURRENCE-ID|EXDATE|RDATE)((?:;(?:VALUE=DATE-TIME|RANGE=THISANDFUTURE)){0,2})"
    rb":(?=\d{8}T\d{6}(?:,\d{8}T\d{6})*[ \t]*\r?$)",
    re.I | re.M,
)
_IN_UTC: Final = re.compile(rb"^(DTSTART|DTEND)(?:;VALUE=DATE-TIME)?:(\d{8}T\d{6})Z[ \t]*(?=\r?$)", re.I | re.M)
_WORD: Final = re.compile(r"[^\W\d_]+(?:[ -][^\W\d_]+){0,3}")
_ZONE: Final = (
    "BEGIN:VTIMEZONE\r\nTZID:{name}\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:{offset}\r\n"
    "TZOFFSETTO:{offset}\r\nEND:STANDARD\r\nEND:VTIMEZONE"
)


def mended(source: bytes, zones: Sequence[str], windows: Mapping[str, str]) -> tuple[bytes, list[str], list[str]]:
    """Return an event with names of zones that can be used and rules that can be read.

    ``zones`` are those of its ``Piece``, ``windows`` the IANA names by those of Windows. Returned with it are the texts
    of further zones, and the names that nobody knows.
    """
    home = next((text.removeprefix(HOME.decode()) for text in zones if text.startswith(HOME.decode())), "")
    if home := home.partition("\n")[0].strip()[:200]:
        source = _at_home(source, home, windows.get(home) or zone_named(home))
    own = {name.strip().decode("utf-8", "replace") for text in zones for name in _DEFINED.findall(text.encode())}
    more: dict[str, str] = {}
    unknown: dict[str, None] = {}

    def named(found: re.Match[bytes]) -> bytes:
        name = (found[1] or found[2]).strip().decode("utf-8", "replace")
        if name in own or name in _iana():
            return found[0]
        meant = windows.get(name) or zone_named(name)
        if meant is None:
            unknown[name] = None
            return b""
        if meant.startswith(("+", "-")):
            more[meant] = _ZONE.format(name=f"UTC{meant}", offset=meant)
            meant = f"UTC{meant}"
        return f";TZID={meant}".encode()

    return _RULE.sub(_rule, _NAMED.sub(named, source)), [*more.values()], [*unknown]


def _at_home(source: bytes, home: str, meant: str | None) -> bytes:
    """Return an event whose times without a zone, and whose series in UTC, are in the zone of its calendar."""
    parameter = b';TZID="' + home.replace('"', "").encode() + b'"'
    source = _LOCAL.sub(lambda found: found[1] + found[2] + parameter + b":", source)
    if meant not in _iana():
        return source
    zone = ZoneInfo(str(meant))

    def moved(found: re.Match[bytes]) -> bytes:
        try:
            there = datetime.fromisoformat(found[2].decode()).replace(tzinfo=UTC).astimezone(zone)
        except (ValueError, OverflowError):
            return found[0]
        return found[1] + parameter + f":{there:%Y%m%dT%H%M%S}".encode()

    events = _EVENT.split(source)
    return b"".join(_IN_UTC.sub(moved, one) if _REPEATS.search(one) else one for one in events)


def _rule(found: re.Match[bytes]) -> bytes:
    parts = [part.strip().replace(b" ", b"") for part in found[3].split(b";")]
    kept = [part for part in parts if part and part.upper() not in _PLAIN_PARTS and not part.upper().startswith(b"X-")]
    return found[1] + found[2] + b":" + b";".join(kept)


@lru_cache(maxsize=500)
def zone_named(name: str) -> str | None:
    """Return the IANA name that ``name`` means, or its fixed offset as ``+0530``; None if nobody knows."""
    if _UTC.fullmatch(name):
        return "UTC"
    parts = name.strip("/").split("/")
    for count in (3, 2, 1):
        if (tail := "/".join(parts[-count:])) in _iana() and "/" in tail:
            return tail
    offset = _OFFSET.match(name)
    if offset is None:
        return None
    hours, minutes = int(offset[2]), int(offset[3] or 0)
    if hours > 14 or minutes > 59:
        return None
    away = timedelta(hours=hours, minutes=minutes) * (-1 if offset[1] == "-" else 1)
    for city in _WORD.findall(name[offset.end() :]):
        meant = _cities().get(city.casefold())
        if meant is not None and ZoneInfo(meant).utcoffset(datetime(2026, 1, 15)) == away:
            return meant
    return f"{offset[1]}{hours:02}{minutes:02}"


@lru_cache(maxsize=1)
def _iana() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(maxsize=1)
def _cities() -> dict[str, str]:
    return {name.rpartition("/")[2].replace("_", " ").casefold(): name for name in sorted(_iana()) if "/" in name}
