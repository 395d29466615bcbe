"""Others' free/busy at Google: asked by the request of the discovery document, with the scope that reading has."""

from __future__ import annotations

from pathlib import Path

from pepper_tui.clock import ManualClock
from pepper_tui.connectors.google_calendar.service import READ
from tests.connectors.google_calendar.account import at_google
from tests.engine.desk import calls
from tests.google import Google

ANN, BEN = "ann@example.com", "ben@elsewhere.example"


async def test_a_common_slot_is_found_and_whom_google_does_not_show_is_named(
    tmp_path: Path, clock: ManualClock, google: Google
) -> None:
    book = google.book
    book.calendar("primary").put("Standup", "2027-01-05T17:00:00", "2027-01-05T17:20:00", "stand0")
    ann = book.add(ANN, "Ann", "freeBusyReader")
    ann.selected = False  # it is none of those that are read
    ann.put("Secret", "2027-01-05T11:00:00", "2027-01-05T16:30:00", "secret0")
    async with at_google(tmp_path, clock, google, READ) as desk:

        async def looked() -> bool:
            return any("Standup" in each for each in await desk.signals())

        await desk.until(looked, 2.0)
        call = ("find_free_time", {"start": "2027-01-05", "minutes": 45, "people": [ANN, BEN]})
        await desk.says(f"find 45 minutes with {ANN} and {BEN} on tuesday", calls(call))
        answer = await desk.answer("find_free_time", 1)
    free = next(line for line in answer.splitlines() if line.startswith("Tue 5 Jan"))
    assert "Secret" not in answer
    assert answer.startswith(f"You and {ANN} are free for 45 minutes or more; whether {BEN} is, nobody can tell:")
    assert free.endswith(f"free 09:00–10:00; taken: 10:00–15:30 {ANN}, 16:00–16:20 Standup")
    assert f"{ANN}: as me says." in answer
    assert f"{BEN}: not known. me can't tell when {BEN} is free: Google does not show their calendar." in answer
    [asked] = google.asked("calendar.freebusy.query")
    assert [each["id"] for each in asked.body["items"]] == [ANN, BEN]
