"""How a CalDAV server with scheduling is asked when others are taken, and what its answer says (RFC 6638, RFC 5546).

The answer's lines are read here, without a library whose work has no bound. What is not understood is not known.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urljoin

from pepper_tui.connectors.caldav.dav import C, D, multistatus
from pepper_tui.connectors.caldav.errors import StatusError
from pepper_tui.connectors.caldav.wire import Wire
from pepper_tui.connectors.http_server import Answer, ServerError
from pepper_tui.domains.calendar.free_time import Span
from pepper_tui.domains.calendar.pieces import readable
from pepper_tui.domains.calendar.slots.free_busy import Busy
from pepper_tui.text import one_line
from pepper_tui.text.addresses import compared

_PRODUCT: Final = "-//Pepper//Pepper//EN"
_ASKED: Final = (
    '<d:propfind xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:prop><d:current-user-principal/>'
    "<c:schedule-outbox-URL/><c:calendar-user-address-set/></d:prop></d:propfind>"
)
_MAILTO: Final = "mailto:"
_PLAIN: Final = re.compile(r"[!-~]{1,320}")
_LINE: Final = re.compile(r'([A-Za-z0-9-]+)((?:;(?:"[^"]*"|[^":])*)?):(.*)')
_FREE: Final = re.compile(r";FBTYPE=\"?FREE\"?(?:;|$)", re.I)
_LENGTH: Final = re.compile(
    r"\+?P(?:(\d{1,4})W|(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?)?)", re.I
)
_MOST: Final = 20_000  # spans of one person
_DONE: Final = "2."
"""How the status of a request begins that was met (RFC 5546, section 3.6)."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """Where requests to others are posted, and the user's own address there."""

    url: str
    user: str


async def outbox_of(wire: Wire) -> Outbox | None:
    """Return the user's outbox, found by their principal; None if the server has no scheduling."""
    for start in (wire.reach.url, urljoin(wire.reach.url, "/.well-known/caldav")):
        try:
            found, _ = await asyncio.to_thread(multistatus, await wire.get("PROPFIND", start, _ASKED, "0"))
        except StatusError as error:
            if error.status in (404, 405, 410):
                continue
            raise
        for each in found:
            for principal in each.hrefs(f"{D}current-user-principal"):
                return await _outbox_at(wire, urljoin(each.url, principal))
    return None


async def _outbox_at(wire: Wire, principal: str) -> Outbox | None:
    found, _ = await asyncio.to_thread(multistatus, await wire.get("PROPFIND", principal, _ASKED, "0"))
    for each in found:
        for outbox in each.hrefs(f"{C}schedule-outbox-URL"):
            names = each.hrefs(f"{C}calendar-user-address-set")
            own = [name for name in names if name.lower().startswith(_MAILTO) and _PLAIN.fullmatch(name)]
            return Outbox(urljoin(each.url, outbox), own[0] if own else "")
    return None


def request(user: str, addresses: Sequence[str], start: float, end: float, now: float) -> str:
    """Return what is posted to the outbox of ``user`` (RFC 5546, section 3.3.2)."""
    sign = "\n".join([user, *addresses, str(start), str(end)])
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{_PRODUCT}", "METHOD:REQUEST", "BEGIN:VFREEBUSY",
        f"UID:pepper-{hashlib.sha256(sign.encode()).hexdigest()[:32]}", f"DTSTAMP:{_told(now)}",
        f"DTSTART:{_told(start)}", f"DTEND:{_told(end)}", f"ORGANIZER:{user}",
        *(f"ATTENDEE:{_MAILTO}{each}" for each in addresses), "END:VFREEBUSY", "END:VCALENDAR", "",
    ]  # fmt: skip
    return "\r\n".join(lines)


def answers(answer: Answer, addresses: Sequence[str], start: float, end: float) -> dict[str, Busy]:
    """Return what a schedule-response says of each of ``addresses``. Raises ``ServerError`` if it is none."""
    from lxml import etree

    parser: Any = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(answer.body, parser)
    except etree.XMLSyntaxError as error:
        raise ServerError("the calendar server answers with what is no word of others' time", "") from error
    found = dict.fromkeys(addresses, Busy(why="it says nothing of them"))
    for each in root.iter(f"{C}response"):
        href = (each.findtext(f"{C}recipient/{D}href") or each.findtext(f"{C}recipient") or "").strip()
        who = compared(href[len(_MAILTO) :] if href.lower().startswith(_MAILTO) else href)
        if who not in found:
            continue
        status, _, words = (each.findtext(f"{C}request-status") or "").strip().partition(";")
        if not status.startswith(_DONE):
            found[who] = Busy(why=one_line(f"{words.partition(';')[0] or 'it refuses'} ({status or 'no status'})", 120))
            continue
        try:
            found[who] = Busy(_spans(each.findtext(f"{C}calendar-data") or "", start, end))
        except (ValueError, OverflowError) as error:
            found[who] = Busy(why=f"its answer can't be used: {one_line(str(error), 80)}")
    return found


def _spans(text: str, start: float, end: float) -> list[Span]:
    """Return when somebody is taken, by their VFREEBUSY. Raises ``ValueError`` if it does not cover all that time."""
    found: list[Span] = []
    covered: list[Span] = []
    within: dict[str, float] = {}
    for name, parameters, value in _lines(text):
        if (name, value.upper()) == ("BEGIN", "VFREEBUSY"):
            within = {}
        elif (name, value.upper()) == ("END", "VFREEBUSY"):
            covered.append((within.get("DTSTART", start), within.get("DTEND", end)))
        elif name in ("DTSTART", "DTEND"):
            within[name] = _instant(value)
        elif name == "FREEBUSY" and not _FREE.search(parameters):
            found += map(_period, filter(None, value.split(",")))
            if len(found) > _MOST:
                raise ValueError(f"more than {_MOST} times")
    if not any(begin <= start and until >= end for begin, until in covered):
        raise ValueError("it tells of a part of that time only" if covered else "it holds no times")
    return found


def _lines(text: str) -> Iterator[tuple[str, str, str]]:
    for line in readable(text.encode("utf-8", "replace")).decode("utf-8", "replace").splitlines():
        if match := _LINE.fullmatch(line):
            yield match[1].upper(), match[2], match[3].strip()


def _period(value: str) -> Span:
    begins, _, ends = value.partition("/")
    start = _instant(begins)
    if not (length := _LENGTH.fullmatch(ends)):
        return start, _instant(ends)
    weeks, days, hours, minutes, seconds = (int(each or 0) for each in length.groups())
    return start, start + timedelta(
        weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds
    ).total_seconds()  # fmt: skip


def _instant(value: str) -> float:
    try:
        return datetime.strptime(value.strip(), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise ValueError(f"no time in UTC: {value}") from error


def _told(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y%m%dT%H%M%SZ}"
