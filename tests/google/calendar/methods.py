"""The commands of the calendar's API on a book.

- A list's sync token stands on its last page, and knows the state from which the first was drawn. It is given for lists
  without ``orderBy``, ``q``, ``iCalUID`` and ``updatedMin``, and can't be used with those, ``timeMin`` or ``timeMax``.
- A list by sync token holds what was deleted, too; one that is too old is 410.
- With ``singleEvents`` a series comes as its instances, for two years on where no ``timeMax`` says less. (Those that a
  changed rule no longer makes are not told as cancelled here.)
- ``If-Match`` with another etag is 412.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.google.calendar import series
from tests.google.calendar.book import FOR_A_SERIES, Book, Calendar
from tests.google.calendar.series import Event, instant, when
from tests.google.errors import Refused

MOST = 2500
HORIZON = 730 * series.DAY
NO_TOKEN = ("orderBy", "q", "iCalUID", "updatedMin")
NOT_WITH_TOKEN = (*NO_TOKEN, "timeMin", "timeMax", "privateExtendedProperty", "sharedExtendedProperty")


@dataclass(frozen=True, slots=True)
class Call:
    """``given`` are the parameters, ``match`` what ``If-Match`` says."""

    book: Book
    given: Mapping[str, Any]
    body: Mapping[str, Any]
    match: str | None = None

    @property
    def calendar(self) -> Calendar:
        return self.book.calendar(self.given["calendarId"])

    @property
    def writable(self) -> Calendar:
        return self.book.calendar(self.given["calendarId"], writes=True)

    def matched(self, event: Event) -> Event:
        if self.match not in (None, "*", event["etag"]):
            raise Refused(412, "conditionNotMet", "Precondition Failed")
        return event


Method = Callable[[Call], Any]
METHODS: dict[str, Method] = {}


def method(ident: str) -> Callable[[Method], Method]:
    def kept(function: Method) -> Method:
        METHODS[f"calendar.{ident}"] = function
        return function

    return kept


@method("calendarList.list")
def list_calendars(call: Call) -> Any:
    shown = [each for each in call.book.calendars.values() if call.given.get("showHidden") or not each.hidden]
    items, token = _page(call, [_entry(each) for each in shown], lambda entry: entry["id"], {})
    return {"kind": "calendar#calendarList", "items": items, **_following(token)}


@method("calendarList.get")
def get_calendar(call: Call) -> Any:
    return _entry(call.calendar)


@method("events.list")
def list_events(call: Call) -> Any:
    calendar, given = call.calendar, call.given
    told = _read(given["pageToken"]) if given.get("pageToken") else {}
    version = told.get("version", calendar.version)
    since = _since(call, calendar)
    if given.get("orderBy") == "startTime" and not given.get("singleEvents"):
        raise series.bad("The requested ordering is not available for the particular query.")
    found = [event for event in _shown(call, calendar, since) if _fits(call, calendar, event)]
    order = (lambda event: _starts(event, calendar)) if given.get("orderBy") == "startTime" else lambda event: ""
    items, token = _page(call, found, lambda event: f"{order(event)} {event['id']}", {"version": version})
    answer = {
        "kind": "calendar#events",
        "summary": calendar.summary,
        "timeZone": calendar.zone,
        "accessRole": calendar.role,
        "items": items,
        **_following(token),
    }
    if token is None and not any(name in given for name in NO_TOKEN):
        kept = {name: given[name] for name in ("timeMin", "timeMax", "singleEvents") if name in given}
        answer["nextSyncToken"] = _written({**(since or {"given": kept}), "since": version})
    return answer


@method("events.instances")
def list_instances(call: Call) -> Any:
    calendar = call.calendar
    event = calendar.event(call.given["eventId"])
    if not event.get("recurrence"):
        raise series.bad("Not a recurring event.")
    made = [each for each in _unrolled(calendar, event, _until(call)) if _fits(call, calendar, each)]
    items, token = _page(call, made, lambda each: f"{_starts(each, calendar)} {each['id']}", {})
    kept = {"kind": "calendar#events", "summary": calendar.summary, "timeZone": calendar.zone}
    return {**kept, "accessRole": calendar.role, "items": items, **_following(token)}


@method("events.get")
def get_event(call: Call) -> Any:
    return call.calendar.told(call.calendar.event(call.given["eventId"]))


@method("events.insert")
def insert_event(call: Call) -> Any:
    made = call.writable.insert(call.body)
    call.writable.invite("invitation", made, call.given.get("sendUpdates"))
    return made


@method("events.patch")
def patch_event(call: Call) -> Any:
    calendar, ident = call.writable, call.given["eventId"]
    call.matched(calendar.event(ident))
    changed = calendar.patch(ident, call.body)
    calendar.invite("change", changed, call.given.get("sendUpdates"))
    return calendar.told(changed)


@method("events.update")
def update_event(call: Call) -> Any:
    calendar, ident = call.writable, call.given["eventId"]
    call.matched(calendar.event(ident))
    changed = calendar.replace(ident, call.body)
    calendar.invite("change", changed, call.given.get("sendUpdates"))
    return changed


@method("events.delete")
def delete_event(call: Call) -> None:
    calendar, ident = call.writable, call.given["eventId"]
    call.matched(calendar.event(ident))
    calendar.invite("cancellation", calendar.cancel(ident), call.given.get("sendUpdates"))


@method("freebusy.query")
def query_free_busy(call: Call) -> Any:
    body = call.body
    if not {"timeMin", "timeMax"} <= body.keys():
        raise series.bad("Missing timeMin parameter.", "required")
    begin, end = instant(body["timeMin"]), instant(body["timeMax"])
    calendars: dict[str, Any] = {}
    for asked in body.get("items", []):
        found = call.book.calendars.get(call.book.address if asked["id"] == "primary" else asked["id"])
        if found is None:
            calendars[asked["id"]] = {"errors": [{"domain": "global", "reason": "notFound"}], "busy": []}
            continue
        spans = sorted(
            (max(begin, when(event["start"], found.zone)), min(end, when(event["end"], found.zone)))
            for event in _single(found, end)
            if event["status"] != "cancelled" and event.get("transparency") != "transparent"
        )
        calendars[asked["id"]] = {"busy": _joined([span for span in spans if span[0] < span[1]])}
    return {"kind": "calendar#freeBusy", "timeMin": _z(begin), "timeMax": _z(end), "calendars": calendars}


def _since(call: Call, calendar: Calendar) -> dict[str, Any] | None:
    """What the sync token of the call holds."""
    if not call.given.get("syncToken"):
        return None
    if any(name in call.given for name in NOT_WITH_TOKEN):
        raise series.bad("Sync token cannot be used with other query restrictions.")
    if call.given.get("showDeleted") is False:
        raise series.bad("showDeleted must be true with a sync token.")
    token = _read(call.given["syncToken"])
    if token.get("since", -1) < calendar.oldest:
        message = "Sync token is no longer valid, a full sync is required."
        raise Refused(410, "fullSyncRequired", message)
    return token


def _shown(call: Call, calendar: Calendar, since: Mapping[str, Any] | None) -> Iterator[Event]:
    """The events of a list: all, or what changed; series, or what they make."""
    single = call.given.get("singleEvents", False)
    until = _until(call, since)
    for ident, event in calendar.events.items():
        if since and calendar.versions[ident] <= since["since"]:
            continue
        if single and event.get("recurrence"):
            for made in _unrolled(calendar, event, until):
                if made["id"] not in calendar.events:
                    yield _gone(made) if made["status"] == "cancelled" else made
        else:
            yield _gone(event) if event["status"] == "cancelled" else calendar.told(event)


def _fits(call: Call, calendar: Calendar, event: Event) -> bool:
    given = call.given
    gone = event["status"] == "cancelled"
    if gone and not (given.get("syncToken") or given.get("showDeleted") or event.get("recurringEventId")):
        return False
    if gone and given.get("singleEvents") and not (given.get("syncToken") or given.get("showDeleted")):
        return False
    if "start" in event:  # of what is deleted, no time is told
        ended = not event.get("recurrence") and "timeMin" in given
        if ended and when(event["end"], calendar.zone) <= instant(given["timeMin"]):
            return False
        if "timeMax" in given and when(event["start"], calendar.zone) >= instant(given["timeMax"]):
            return False
    if "updatedMin" in given and instant(event["updated"]) < instant(given["updatedMin"]):
        return False
    if "iCalUID" in given and event.get("iCalUID") != given["iCalUID"]:
        return False
    words = " ".join(str(event.get(name, "")) for name in ("summary", "description", "location")).lower()
    return given.get("q", "").lower() in words


def _single(calendar: Calendar, until: datetime) -> Iterator[Event]:
    """Every event as it takes place; of a series, its instances."""
    for event in list(calendar.events.values()):
        if event.get("recurrence"):
            yield from (made for made in _unrolled(calendar, event, until) if made["id"] not in calendar.events)
        else:
            yield event


def _unrolled(calendar: Calendar, event: Event, until: datetime) -> Iterator[Event]:
    for made in series.instances(event, calendar.zone, until):
        yield calendar.events.get(made["id"], made)


def _until(call: Call, since: Mapping[str, Any] | None = None) -> datetime:
    latest = call.given.get("timeMax") or (since or {}).get("given", {}).get("timeMax")
    return instant(latest) if latest else datetime.fromtimestamp(call.book.now(), UTC) + HORIZON


def _gone(event: Event) -> Event:
    """All that is told of what was deleted."""
    return {name: event[name] for name in ("kind", "etag", "id", "status", *FOR_A_SERIES) if name in event}


def _starts(event: Event, calendar: Calendar) -> str:
    told = event.get("start") or event.get("originalStartTime")
    return f"{when(told, calendar.zone).timestamp():020.3f}" if told else ""


def _page(
    call: Call, items: list[Any], key: Callable[[Any], str], more: Mapping[str, Any]
) -> tuple[list[Any], str | None]:
    size = min(call.given.get("maxResults", 100), MOST)
    items = sorted(items, key=key)
    if call.given.get("pageToken"):
        last = _read(call.given["pageToken"]).get("last", "")
        items = [item for item in items if key(item) > last]
    page = items[:size]
    return page, _written({"last": key(page[-1]), **more}) if len(items) > size else None


def _following(token: str | None) -> dict[str, str]:
    return {"nextPageToken": token} if token else {}


def _written(told: Mapping[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(told).encode()).decode()


def _read(token: str) -> dict[str, Any]:
    try:
        found = json.loads(urlsafe_b64decode(token))
    except ValueError as error:
        raise series.bad("Invalid token value.") from error
    return dict(found)


def _joined(spans: list[tuple[datetime, datetime]]) -> list[dict[str, str]]:
    joined: list[tuple[datetime, datetime]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return [{"start": _z(start), "end": _z(end)} for start, end in joined]


def _z(at: datetime) -> str:
    return re.sub(r"\+00:00$", "Z", at.astimezone(UTC).isoformat())


def _entry(calendar: Calendar) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "kind": "calendar#calendarListEntry",
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.zone,
        "accessRole": calendar.role,
    }
    for name in ("primary", "selected", "hidden"):
        if getattr(calendar, name):
            entry[name] = True
    return entry
