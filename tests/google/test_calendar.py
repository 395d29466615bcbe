"""The calendar's commands on the double, by Google's own client."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from tests.google import Google
from tests.google.calendar.methods import METHODS
from tests.google.client import calendar
from tests.google.discovery import discovery

MINE = {"calendarId": "primary"}
BODY = {
    "id": "pepper0dentist0",
    "summary": "Dentist",
    "start": {"dateTime": "2026-12-01T09:00:00+01:00", "timeZone": "Europe/Berlin"},
    "end": {"dateTime": "2026-12-01T10:00:00+01:00", "timeZone": "Europe/Berlin"},
    "attendees": [{"email": "bob@example.com"}],
}
WEEKLY = ["RRULE:FREQ=WEEKLY;COUNT=4"]

Asks = Callable[[Any, str, str], Any]
CALLS: dict[str, tuple[Asks, Callable[[Any], bool]]] = {
    "calendarList.list": (
        lambda api, _, __: api.calendarList().list(),
        lambda got: [(each["id"], each.get("primary", False)) for each in got["items"]] == [("alex@example.com", True)],
    ),
    "calendarList.get": (
        lambda api, _, __: api.calendarList().get(**MINE),
        lambda got: (got["id"], got["accessRole"]) == ("alex@example.com", "owner"),
    ),
    "events.list": (
        lambda api, _, __: api.events().list(**MINE),
        lambda got: [each["summary"] for each in got["items"]] == ["Lunch", "Team"] and "nextSyncToken" in got,
    ),
    "events.instances": (
        lambda api, _, series: api.events().instances(**MINE, eventId=series),
        lambda got: [each["start"]["dateTime"][:19] for each in got["items"]]
        == [f"2026-{day}T09:00:00" for day in ("10-12", "10-19", "10-26", "11-02")],
    ),
    "events.get": (
        lambda api, event, _: api.events().get(**MINE, eventId=event),
        lambda got: got["summary"] == "Lunch" and got["status"] == "confirmed",
    ),
    "events.insert": (
        lambda api, _, __: api.events().insert(**MINE, body=BODY),
        lambda got: got["id"] == BODY["id"] and got["iCalUID"] == f"{BODY['id']}@google.com",
    ),
    "events.patch": (
        lambda api, event, _: api.events().patch(**MINE, eventId=event, body={"summary": "Tea", "location": None}),
        lambda got: got["summary"] == "Tea" and "location" not in got and got["start"]["date"] == "2026-12-02",
    ),
    "events.update": (
        lambda api, event, _: api.events().update(
            **MINE, eventId=event, body={"start": {"date": "2026-12-05"}, "end": {"date": "2026-12-06"}}
        ),
        lambda got: "summary" not in got and got["start"] == {"date": "2026-12-05"},
    ),
    "events.delete": (lambda api, event, _: api.events().delete(**MINE, eventId=event), lambda got: not got),
    "freebusy.query": (
        lambda api, _, __: api.freebusy().query(
            body={"timeMin": "2026-10-12T00:00:00Z", "timeMax": "2026-10-20T00:00:00Z",
                  "items": [{"id": "primary"}, {"id": "none@example.com"}]}
        ),
        lambda got: [span["start"] for span in got["calendars"]["primary"]["busy"]]
        == ["2026-10-12T07:00:00Z", "2026-10-19T07:00:00Z"] and got["calendars"]["none@example.com"]["errors"],
    ),
}  # fmt: skip


def fill(google: Google) -> tuple[str, str]:
    own = google.book.calendar("primary")
    lunch = own.put("Lunch", "2026-12-02", "2026-12-03", "lunch", location="Here")
    team = own.put("Team", "2026-10-12T09:00:00", "2026-10-12T10:00:00", "team0", recurrence=WEEKLY)
    return lunch, team


@pytest.mark.parametrize("command", CALLS)
def test_each_command_is_spoken(google: Google, command: str) -> None:
    ask, holds = CALLS[command]
    got = ask(calendar(google), *fill(google)).execute()
    assert holds(got), got
    assert [asked.status for asked in google.asked(f"calendar.{command}")] in ([200], [204])


def test_no_command_goes_without_a_test() -> None:
    assert {f"calendar.{command}" for command in CALLS} == METHODS.keys()
    assert METHODS.keys() <= set(discovery("calendar", "v3").idents)


@pytest.mark.parametrize(
    ("change", "status", "violates"),
    [
        ({"id": "Pepper-1"}, 400, False),
        ({"id": "abc"}, 400, False),
        ({"start": {"dateTime": "2026-12-01T11:00:00+01:00"}}, 400, False),
        ({"start": {"date": "2026-12-01"}}, 400, False),
        ({"start": {"dateTime": "2026-12-01T09:00:00"}}, 400, False),
        ({"start": {}}, 400, False),
        ({"recurrence": ["RRULE:FREQ=SOMETIMES"]}, 400, False),
        ({"status": "maybe"}, 400, False),
        ({"title": "x"}, 400, True),
        ({"start": {"dateTime": "tomorrow"}}, 400, True),
        ({"attendees": "bob@example.com"}, 400, True),
    ],
)
def test_what_is_no_event_is_refused(change: dict[str, Any], status: int, violates: bool) -> None:
    google = Google().start()
    with pytest.raises(HttpError) as refused:
        calendar(google).events().insert(**MINE, body={**BODY, **change}).execute()
    assert refused.value.status_code == status
    assert bool(google.violations) == violates, google.violations
    google.stop()


def test_a_violation_of_the_calendars_document_fails_the_test() -> None:
    with ExitStack() as stack:
        google = stack.enter_context(Google())
        with pytest.raises(HttpError):
            calendar(google).events().insert(**MINE, body={"title": "x"}).execute()
        with pytest.raises(AssertionError):
            stack.close()


def test_an_id_of_ones_own_is_taken_once_also_by_what_was_deleted(google: Google) -> None:
    events = calendar(google).events()
    google.fault("calendar.events.insert", drop=True, when="after")
    with pytest.raises(HttpError) as twice:
        events.insert(**MINE, body=BODY).execute()  # the client itself sends it again
    assert twice.value.status_code == 409
    events.delete(**MINE, eventId=BODY["id"]).execute()
    for ask, status in ((events.insert(**MINE, body=BODY), 409), (events.delete(**MINE, eventId=BODY["id"]), 410)):
        with pytest.raises(HttpError) as refused:
            ask.execute()
        assert refused.value.status_code == status
    assert events.get(**MINE, eventId=BODY["id"]).execute()["status"] == "cancelled"


@pytest.mark.parametrize("command", ["patch", "update", "delete"])
@pytest.mark.parametrize("changed", [True, False])
def test_a_change_on_top_of_another_is_412(google: Google, command: str, changed: bool) -> None:
    lunch, _ = fill(google)
    events, own = calendar(google).events(), google.book.calendar("primary")
    etag = events.get(**MINE, eventId=lunch).execute()["etag"]
    if changed:
        own.change(lunch, summary="Later lunch")
    body = {"start": {"date": "2026-12-05"}, "end": {"date": "2026-12-06"}}
    request = getattr(events, command)(**MINE, eventId=lunch, **({} if command == "delete" else {"body": body}))
    request.headers["If-Match"] = etag
    if not changed:
        request.execute()
        return
    with pytest.raises(HttpError) as refused:
        request.execute()
    assert refused.value.status_code == 412
    assert own.events[lunch]["summary"] == "Later lunch"


def pages(api: Any, **asked: Any) -> tuple[list[dict[str, Any]], str | None]:
    """The events of all pages, and the token of the last."""
    request, found = api.events().list(**MINE, **asked), []
    while True:
        page = request.execute()
        found += page["items"]
        following = api.events().list_next(request, page)
        assert ("nextSyncToken" in page) <= (following is None)
        if following is None:
            return found, page.get("nextSyncToken")
        request = following


@pytest.mark.parametrize("size", [1, 2, 250])
def test_a_sync_token_tells_all_that_changed_since_the_first_page(google: Google, size: int) -> None:
    lunch, team = fill(google)
    own, api = google.book.calendar("primary"), calendar(google)
    early = ("Early", "2026-12-07", "2026-12-08", "0first")
    google.fault("calendar.events.list", meanwhile=lambda: own.put(*early), skip=1)  # at the second page, or after
    found, token = pages(api, maxResults=size)
    assert {each["id"] for each in found} >= {lunch, team}
    own.cancel(lunch)
    new, later = pages(api, maxResults=size, syncToken=token)
    assert {each["id"]: each["status"] for each in new} == {lunch: "cancelled", "0first": "confirmed"}
    assert pages(api, syncToken=later)[0] == []


def test_a_sync_token_that_is_too_old_is_410(google: Google) -> None:
    api = calendar(google)
    _, token = pages(api)
    google.book.calendar("primary").expire_sync_tokens()
    with pytest.raises(HttpError) as gone:
        pages(api, syncToken=token)
    assert gone.value.status_code == 410
    _, token = pages(api)
    pages(api, syncToken=token)


@pytest.mark.parametrize(
    "more",
    [
        {"timeMin": "2026-12-01T00:00:00Z"},
        {"timeMax": "2026-12-01T00:00:00Z"},
        {"updatedMin": "2026-12-01T00:00:00Z"},
        {"q": "x"},
        {"iCalUID": "x"},
        {"orderBy": "updated"},
        {"showDeleted": False},
        {"privateExtendedProperty": "a=b"},
    ],
)
def test_a_sync_token_bears_no_other_restriction(google: Google, more: dict[str, Any]) -> None:
    api = calendar(google)
    _, token = pages(api)
    with pytest.raises(HttpError) as refused:
        pages(api, syncToken=token, **more)
    assert refused.value.status_code == 400


def test_an_ordered_list_has_no_sync_token(google: Google) -> None:
    fill(google)
    found, token = pages(calendar(google), singleEvents=True, orderBy="startTime")
    assert token is None
    starts = [each["start"].get("dateTime", each["start"].get("date"))[:10] for each in found]
    assert starts == ["2026-10-12", "2026-10-19", "2026-10-26", "2026-11-02", "2026-12-02"]
    with pytest.raises(HttpError):
        pages(calendar(google), orderBy="startTime")


def test_a_series_keeps_its_wall_time_through_the_change_of_clocks(google: Google) -> None:
    _, team = fill(google)
    made = calendar(google).events().instances(**MINE, eventId=team).execute()["items"]
    assert [each["id"] for each in made] == [
        f"{team}_{stamp}" for stamp in ("20261012T070000Z", "20261019T070000Z", "20261026T080000Z", "20261102T080000Z")
    ]


def test_one_instance_is_changed_and_one_taken_out(google: Google) -> None:
    _, team = fill(google)
    api, events = calendar(google), calendar(google).events()
    _, token = pages(api)
    moved, gone = f"{team}_20261019T070000Z", f"{team}_20261026T080000Z"
    changed = events.patch(**MINE, eventId=moved, body={"summary": "Team, by phone"}).execute()
    assert changed["recurringEventId"] == team
    events.delete(**MINE, eventId=gone).execute()
    shown = {each["id"]: each["status"] for each in pages(api)[0]}
    assert shown[moved] == "confirmed"
    assert shown[gone] == "cancelled"
    singles = [each["summary"] for each in pages(api, singleEvents=True, timeMax="2026-11-30T00:00:00Z")[0]]
    assert sorted(singles) == ["Team", "Team", "Team, by phone"]
    told = {
        each["id"]: each.get("originalStartTime", {}).get("dateTime", "")[:10]
        for each in pages(api, syncToken=token)[0]
    }
    assert told == {moved: "2026-10-19", gone: "2026-10-26"}


def test_a_deleted_series_is_told_as_its_instances_where_those_are_asked_for(google: Google) -> None:
    _, team = fill(google)
    api = calendar(google)
    _, token = pages(api, singleEvents=True)
    google.book.calendar("primary").cancel(team)
    told = pages(api, singleEvents=True, syncToken=token)[0]
    assert [(each["status"], each["recurringEventId"]) for each in told] == [("cancelled", team)] * 4


def test_only_what_lies_within_is_listed(google: Google) -> None:
    fill(google)
    api = calendar(google)
    found, _ = pages(api, timeMin="2026-11-15T00:00:00Z", timeMax="2026-12-02T12:00:00Z", singleEvents=True)
    assert [each["summary"] for each in found] == ["Lunch"]
    assert [each["summary"] for each in pages(api, q="team")[0]] == ["Team"]
    with pytest.raises(HttpError):
        pages(api, timeMin="2026-11-15T00:00:00")


@pytest.mark.parametrize(("updates", "guests"), [(None, 0), ("none", 0), ("all", 1), ("externalOnly", 1)])
def test_guests_hear_of_it_only_if_told_so(google: Google, updates: str | None, guests: int) -> None:
    events = calendar(google).events()
    more = {"sendUpdates": updates} if updates else {}
    events.insert(**MINE, body=BODY, **more).execute()
    events.patch(**MINE, eventId=BODY["id"], body={"summary": "Later"}, **more).execute()
    events.delete(**MINE, eventId=BODY["id"], **more).execute()
    told = [each.kind for each in google.book.calendar("primary").invitations]
    assert told == ["invitation", "change", "cancellation"][: 3 * guests]


def test_a_calendar_of_others_is_read_only(google: Google) -> None:
    google.book.add("holidays@example.com", "Holidays").put("Xmas", "2026-12-25", "2026-12-26")
    events = calendar(google).events()
    assert events.list(calendarId="holidays@example.com").execute()["items"][0]["summary"] == "Xmas"
    with pytest.raises(HttpError) as refused:
        events.insert(calendarId="holidays@example.com", body=BODY).execute()
    assert refused.value.status_code == 403
    with pytest.raises(HttpError) as none:
        events.list(calendarId="none@example.com").execute()
    assert none.value.status_code == 404


def test_a_hidden_calendar_is_listed_only_if_asked_for(google: Google) -> None:
    google.book.add("old@example.com", "Old").hidden = True
    google.book.calendar("old@example.com").selected = False
    lists = calendar(google).calendarList()
    assert [each["id"] for each in lists.list().execute()["items"]] == ["alex@example.com"]
    [_, old] = lists.list(showHidden=True).execute()["items"]
    assert (old["hidden"], old.get("selected", False)) == (True, False)


def test_the_calendar_has_a_quota_of_its_own(google: Google) -> None:
    google.service.calendar_quota.units = 1
    api = calendar(google)
    api.calendarList().list().execute()
    with pytest.raises(HttpError) as refused:
        api.calendarList().list().execute()
    assert refused.value.status_code == 403
    assert "userRateLimitExceeded" in refused.value.content.decode()
