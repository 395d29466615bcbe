"""Others' free/busy at a CalDAV server: by its scheduling outbox, and said plainly where it has none."""

from __future__ import annotations

from pathlib import Path

from pepper_tui.clock import ManualClock
from tests.connectors.caldav.scheduling_server import scheduling
from tests.connectors.caldav.servers import PASSWORD, Server
from tests.connectors.caldav.test_account import CONFIG, CalendarDesk
from tests.engine.desk import calls

ANN, BEN, CAT, DAN = (f"{each}@example.org" for each in ("ann", "ben", "cat", "dan"))
NOW = 1_799_000_000.0  # Sun 3 Jan 2027


def made(home: Path) -> Path:
    home.mkdir()
    return home


async def answer_of(home: Path, url: str, *people: str) -> str:
    """What is said of a Tuesday with ``people``, whose addresses the user types."""
    async with CalendarDesk(made(home), ManualClock(NOW), CONFIG.format(url=url), f"cal = '{PASSWORD}'") as desk:
        call = ("find_free_time", {"start": "2027-01-05", "people": [*people]})
        await desk.says(f"free time on tuesday with {', '.join(people)}", calls(call))
        return await desk.answer("find_free_time", 1)


async def test_the_outbox_says_when_others_are_taken_and_what_it_does_not_say_is_not_known(tmp_path: Path) -> None:
    with scheduling() as server:
        server.knows = {
            ANN: "{span}\r\nFREEBUSY;FBTYPE=BUSY:20270105T090000Z/PT1H30M,2027\r\n 0105T120000Z/20270105T130000Z\r\n"
            "FREEBUSY;FBTYPE=FREE:20270105T130000Z/20270105T150000Z\r\n"
            "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20270105T150000Z/PT30M",
            CAT: "DTSTART:20270105T090000Z\r\nDTEND:20270105T100000Z",
            DAN: "{span}\r\nFREEBUSY:20270105T090000/PT1H",
        }
        answer = await answer_of(tmp_path / "home", server.url, ANN, BEN, CAT, DAN)
        [posted] = server.posted
    assert {"METHOD:REQUEST", "ORGANIZER:mailto:alex@example.org", f"ATTENDEE:mailto:{ANN}"} <= {*posted.splitlines()}
    assert {"DTSTART:20270105T090000Z", "DTEND:20270105T170000Z"} <= {*posted.splitlines()}
    told = [line for line in answer.splitlines() if not line.startswith("cal:")]  # its feed may still look
    assert told == [
        f"You and {ANN} are free for 30 minutes or more; whether {BEN}, {CAT} and {DAN} are, nobody can tell:",
        f"Tue 5 Jan 2027: free 10:30–12:00, 13:00–15:00, 15:30–17:00; "
        f"taken: 09:00–10:30 {ANN}, 12:00–13:00 {ANN}, 15:00–15:30 {ANN}",
        f"{ANN}: as cal says.",
        f"{BEN}: not known. cal can't tell when {BEN} is free: Invalid calendar user (3.7).",
        f"{CAT}: not known. cal can't tell when {CAT} is free: its answer can't be used: "
        "it tells of a part of that time only.",
        f"{DAN}: not known. cal can't tell when {DAN} is free: its answer can't be used: "
        "no time in UTC: 20270105T090000.",
    ]


async def test_a_server_without_scheduling_and_one_that_is_down_are_said(tmp_path: Path, server: Server) -> None:
    server.make("work", "Work")
    answer = await answer_of(tmp_path / "one", server.url, BEN)
    assert answer.startswith(f"You are free for 30 minutes or more; whether {BEN} is, nobody can tell:")
    assert f"cal can't tell when {BEN} is free: the calendar server 127.0.0.1:{server.port} has no scheduling" in answer
    down = await answer_of(tmp_path / "two", "http://127.0.0.1:9/", BEN)
    assert f"cal can't tell when {BEN} is free: the calendar server 127.0.0.1:9 can't be reached" in down
