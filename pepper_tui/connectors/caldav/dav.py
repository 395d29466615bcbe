"""What is asked of a CalDAV server, and what its answers say: calendars, what changed, objects.

PROPFIND (RFC 4918), calendar-multiget (RFC 4791, section 7.9) and sync-collection (RFC 6578). No entity, DTD or
address in an answer is followed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urljoin, urlsplit
from xml.sax.saxutils import escape

from pepper_tui.connectors.caldav.errors import OldMarkError, StatusError
from pepper_tui.connectors.caldav.wire import Wire
from pepper_tui.connectors.http_server import AGAIN, Answer, ServerError

if TYPE_CHECKING:
    from lxml.etree import _Element

D: Final = "{DAV:}"
C: Final = "{urn:ietf:params:xml:ns:caldav}"
_SPACES: Final = 'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:s="http://calendarserver.org/ns/"'
_CTAG: Final = "{http://calendarserver.org/ns/}getctag"
_WRITES: Final = frozenset({f"{D}write", f"{D}write-content", f"{D}bind", f"{D}all"})
_NO_SYNC: Final = frozenset({400, 403, 405, 409, 412, 415, 422, 501})
"""Statuses by which servers say that they can't tell what has changed."""
_OLD: Final = frozenset({403, 409, 410, 412, 507})
"""Statuses by which they say that they don't know a mark any more (RFC 6578, 3.2: 403; others: 409, 410, 412)."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A calendar as the server lists it. ``tag``: another one after each change, if the server has any."""

    url: str
    title: str
    may_write: bool
    holds: tuple[str, ...]
    tag: str
    syncs: bool

    @property
    def place(self) -> str:
        return place_of(self.url)


@dataclass(slots=True)
class Changes:
    """What lies in a calendar, or has changed in it: addresses with their versions, and those that are gone.

    ``mark``: how far this goes. ``more``: the server has cut it, so ask again with ``mark``.
    """

    there: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    mark: str = ""
    more: bool = False


@dataclass(slots=True)
class _Response:
    """One part of a multistatus: an address, its own status, and its properties that were found."""

    url: str
    status: int
    found: dict[str, _Element]

    def text(self, name: str) -> str:
        element = self.found.get(name)
        return "" if element is None else (element.text or "").strip()

    def hrefs(self, name: str) -> list[str]:
        element = self.found.get(name)
        return [] if element is None else [(each.text or "").strip() for each in element.iter(f"{D}href")]


async def calendars(wire: Wire) -> list[Listed]:
    """Return the calendars at the address of the config: it names one, or the user, or the server."""
    start = wire.reach.url
    found = await _described(wire, start)
    if found is not None and _is_calendar(found):
        return [_listed(found)]
    if found is None or not (found.hrefs(f"{C}calendar-home-set") or found.hrefs(f"{D}current-user-principal")):
        start = urljoin(start, "/.well-known/caldav")  # RFC 6764, section 5
        found = await _described(wire, start)
    if found is None:
        raise ServerError(f"{wire.reach.server} names no user", wire.reach.check)
    homes = found.hrefs(f"{C}calendar-home-set")
    for principal in found.hrefs(f"{D}current-user-principal") if not homes else ():
        described = await _described(wire, urljoin(found.url, principal))
        homes = described.hrefs(f"{C}calendar-home-set") if described is not None else []
    if not homes:
        words = f"{wire.reach.server} names no calendars of {wire.reach.user}"
        raise ServerError(words, f"put the address of the calendar itself into url of account {wire.reach.ident}")
    listed: list[Listed] = []
    for home in homes:
        answer = await wire.get("PROPFIND", urljoin(found.url, home), _PROPERTIES, "1")
        listed += [_listed(each) for each in (await _responses(answer))[0] if _is_calendar(each)]
    return sorted(listed, key=lambda each: (each.title.casefold(), each.url))


async def changes(wire: Wire, calendar: Listed, mark: str) -> Changes:
    """Return what has changed since ``mark``; with an empty one, all that is there. Raises ``OldMarkError``."""
    body = (
        f"<d:sync-collection {_SPACES}><d:sync-token>{escape(mark)}</d:sync-token><d:sync-level>1</d:sync-level>"
        "<d:prop><d:getetag/></d:prop></d:sync-collection>"
    )
    answer = await wire.dav("REPORT", calendar.url, body, "0")
    if mark and answer.status in _OLD:
        raise OldMarkError
    if answer.status in _NO_SYNC:
        return await everything(wire, calendar)
    if answer.status != 207:
        await wire.get("PROPFIND", calendar.url, _PROPERTIES, "0")  # its refusal says more
        raise ServerError(f"the calendar {calendar.title!r} can't be read (HTTP {answer.status})", AGAIN)
    responses, token = await _responses(answer)
    found = Changes(mark=token)
    for each in responses:
        if _same(each.url, calendar.url):
            found.more = found.more or each.status == 507
        elif each.status == 404:
            found.gone.append(each.url)
        elif not each.url.endswith("/"):
            found.there[each.url] = each.text(f"{D}getetag")
    if not token:
        raise ServerError(f"the calendar {calendar.title!r} does not say how far it was read", AGAIN)
    return found


async def everything(wire: Wire, calendar: Listed) -> Changes:
    """Return all that lies in a calendar, for servers that can't say what has changed."""
    answer = await wire.get(
        "PROPFIND", calendar.url, f"<d:propfind {_SPACES}><d:prop><d:getetag/></d:prop></d:propfind>", "1"
    )
    responses, _ = await _responses(answer)
    there = {each.url: tag for each in responses if (tag := each.text(f"{D}getetag")) and not each.url.endswith("/")}
    return Changes(there)


async def objects(wire: Wire, calendar: Listed, urls: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return version and text of each of ``urls`` that is still there."""
    hrefs = "".join(f"<d:href>{escape(urlsplit(each).path)}</d:href>" for each in urls)
    body = (
        f"<c:calendar-multiget {_SPACES}><d:prop><d:getetag/><c:calendar-data/></d:prop>{hrefs}</c:calendar-multiget>"
    )
    answer = await wire.get("REPORT", calendar.url, body, "1")
    responses, _ = await _responses(answer)
    return {
        each.url: (each.text(f"{D}getetag"), text) for each in responses if (text := each.text(f"{C}calendar-data"))
    }


_PROPERTIES: Final = (
    f"<d:propfind {_SPACES}><d:prop><d:resourcetype/><d:displayname/><d:current-user-principal/><c:calendar-home-set/>"
    "<d:current-user-privilege-set/><c:supported-calendar-component-set/><d:supported-report-set/><s:getctag/>"
    "<d:sync-token/></d:prop></d:propfind>"
)


async def _described(wire: Wire, url: str) -> _Response | None:
    """Return what lies at ``url``; None if the server has nothing to say of it."""
    try:
        answer = await wire.get("PROPFIND", url, _PROPERTIES, "0")
    except StatusError as error:
        if error.status in (404, 405, 410):
            return None
        raise
    return next(iter((await _responses(answer))[0]), None)


async def _responses(answer: Answer) -> tuple[list[_Response], str]:
    return await asyncio.to_thread(multistatus, answer)


def multistatus(answer: Answer) -> tuple[list[_Response], str]:
    """Return the parts of a multistatus, and its sync token. Raises ``ServerError`` if it is none."""
    from lxml import etree

    parser: Any = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(answer.body, parser)
    except etree.XMLSyntaxError as error:
        where = urlsplit(answer.url).netloc
        raise ServerError(f"{where} answers with what is no calendar server's", "check url") from error
    found: list[_Response] = []
    for each in root.iter(f"{D}response"):
        properties: dict[str, _Element] = {}
        for part in each.iter(f"{D}propstat"):
            if _status(part) == 200:
                properties |= {str(one.tag): one for held in part.iter(f"{D}prop") for one in held}
        href = (each.findtext(f"{D}href") or "").strip()
        own = each.find(f"{D}status")
        status = _status(each) if own is not None else 200
        found.append(_Response(urljoin(answer.url, href), status, properties))
    return found, (root.findtext(f"{D}sync-token") or "").strip()


def _status(element: _Element) -> int:
    words = (element.findtext(f"{D}status") or "").split()
    return int(words[1]) if len(words) > 1 and words[1].isdecimal() else 0


def _is_calendar(found: _Response) -> bool:
    kind = found.found.get(f"{D}resourcetype")
    if kind is None or kind.find(f"{C}calendar") is None:
        return False
    return bool({"VEVENT", "VTODO"} & set(_held(found)))


def _held(found: _Response) -> tuple[str, ...]:
    """Return the kinds of components that the calendar may hold; RFC 4791, 5.2.3: without a word, all."""
    kinds = found.found.get(f"{C}supported-calendar-component-set")
    return ("VEVENT", "VTODO") if kinds is None else tuple(str(each.get("name")) for each in kinds.iter(f"{C}comp"))


def _listed(found: _Response) -> Listed:
    allowed = found.found.get(f"{D}current-user-privilege-set")
    may_write = allowed is None or any(str(each.tag) in _WRITES for each in allowed.iter())
    reports = found.found.get(f"{D}supported-report-set")
    syncs = reports is not None and next(reports.iter(f"{D}sync-collection"), None) is not None
    title = found.text(f"{D}displayname") or unquote(urlsplit(found.url).path.rstrip("/").rpartition("/")[2])
    tag = found.text(f"{D}sync-token") or found.text(_CTAG)
    return Listed(found.url, title, may_write, _held(found), tag, syncs)


def place_of(url: str) -> str:
    """Return what an address is known by: servers move between hosts."""
    return urlsplit(url).path


def _same(one: str, other: str) -> bool:
    return unquote(one).rstrip("/") == unquote(other).rstrip("/")
