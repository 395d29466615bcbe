"""What is asked of Google: the calendars of an account, and what has changed in one.

The list of calendars is asked for whole each time, one request as a rule: its sync token does not tell of a new title
or of other rights. Events are asked for by theirs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pepper_tui.clock import in_thread
from pepper_tui.connectors.google_account.account import GoogleAccount
from pepper_tui.connectors.google_account.errors import GoogleError
from pepper_tui.connectors.google_calendar.rendering import Seen, series_of, vevent
from pepper_tui.connectors.google_calendar.settings import GoogleCalendar

CalendarAccount = GoogleAccount[GoogleCalendar]

PAGE: Final = 1000  # events of one answer: more would hold up others while it is read
MOST_PAGES: Final = 1000
_WRITERS: Final = frozenset({"owner", "writer", "writerWithoutPrivateAccess"})
_FIELDS: Final = (
    "nextPageToken,nextSyncToken,items(id,status,etag,iCalUID,recurringEventId,originalStartTime,start,end,"
    "endTimeUnspecified,recurrence,summary,location,description,transparency,visibility,eventType,sequence,updated,"
    "created,organizer,attendees,hangoutLink,conferenceData/entryPoints,extendedProperties/private)"
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A calendar in the user's list. ``place`` is its id. ``ticked``: the user sees it at Google."""

    place: str
    title: str
    role: str
    ticked: bool

    holds = ("VEVENT",)

    @property
    def may_write(self) -> bool:
        return self.role in _WRITERS


@dataclass(slots=True)
class Changes:
    """What Google told of a calendar's events, by the id of the series and their own; ``mark``: how far this goes.

    One that was deleted is empty, one that can't be read is None.
    """

    series: dict[str, dict[str, str | None]] = field(default_factory=lambda: defaultdict(dict))
    mark: str = ""


async def calendars(account: CalendarAccount, *, urgent: bool = False) -> list[Listed]:
    """Return the calendars of the user's list, those that are hidden there, too."""
    pages = _pages(account, "calendarList.list", {"maxResults": 250, "showHidden": True}, urgent=urgent)
    found = [_listed(each) async for page in pages for each in page.get("items") or ()]
    return sorted(found, key=lambda each: (each.title.casefold(), each.place))


async def changes(account: CalendarAccount, calendar: Listed, mark: str) -> Changes:
    """Return what has changed since ``mark``; with an empty one, all that is there. Raises ``ForgottenError``."""
    found = Changes()
    seen = Seen.of(account.settings.address, calendar.place, calendar.role)
    given = {"calendarId": calendar.place, "maxResults": PAGE, "fields": _FIELDS}
    async for page in _pages(account, "events.list", {**given, "syncToken": mark} if mark else given):
        await in_thread(_take, found, page.get("items") or (), seen)
        found.mark = str(page.get("nextSyncToken") or "")
    if not found.mark:
        raise GoogleError(f"Google does not say how far {calendar.title!r} was read", "it is tried again by itself")
    return found


async def _pages(
    account: CalendarAccount, command: str, given: Mapping[str, Any], *, urgent: bool = False
) -> AsyncIterator[Any]:
    token = ""
    for _ in range(MOST_PAGES):
        page = await account.call(command, urgent=urgent, **given, **({"pageToken": token} if token else {}))
        yield page
        token = str(page.get("nextPageToken") or "")
        if not token:
            return
    raise GoogleError(f"Google gives more than {MOST_PAGES} pages to {command}", "it is tried again by itself")


def _listed(entry: Mapping[str, Any]) -> Listed:
    title = str(entry.get("summaryOverride") or entry.get("summary") or entry["id"])
    ticked = bool(entry.get("selected")) and not entry.get("hidden")
    return Listed(str(entry["id"]), title, str(entry.get("accessRole") or ""), ticked)


def _take(found: Changes, events: Sequence[Mapping[str, Any]], seen: Seen) -> None:
    for event in events:
        parts = found.series[series_of(event)]
        gone = event.get("status") == "cancelled" and not event.get("recurringEventId")
        try:
            parts[str(event["id"])] = "" if gone else vevent(event, seen)
        except Exception:  # whatever is wrong with one costs it alone
            parts[str(event["id"])] = None
