"""Times that suit others, too: whose time is asked for, and that nobody is free whom nobody knows about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from pepper_tui.domains.calendar.slots.free_busy import Busy
from pepper_tui.model import Namespace, Origin, Span
from pepper_tui.tools.errors import ToolError
from tests.domains.calendar.one_file import OneFile, at, said
from tests.feeds.test_rules import event, ics
from tests.tools.bench import Bench

ANN, BEN = "ann@example.org", "ben@example.org"


@dataclass
class Server:
    """A server that knows when some are taken."""

    account: str
    knows: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)
    down: bool = False
    asked: list[str] = field(default_factory=list)

    async def taken(self, addresses: Sequence[str], start: float, end: float) -> Mapping[str, Busy]:
        self.asked += addresses
        if self.down:
            raise ToolError("it does not answer")
        return {each: Busy(self.knows[each]) if each in self.knows else Busy(why="no scheduling") for each in addresses}


async def write_to(bench: Bench, address: str, name: str = "") -> None:
    """Have written to somebody, from another program."""
    noted = {"id": address, "name": name}
    await bench.store.store(noted, namespace=Namespace.WRITTEN, context_id=address)


async def test_common_slots_come_first_and_nobody_unknown_counts_as_free(bench: Bench, calendar: OneFile) -> None:
    calendar.write(ics(event("a", at(18, 9)), event("b", at(19, 13))))
    server = Server("cal", {ANN: [(at(18, 9, 15), at(18, 17)), (at(19, 9), at(19, 11)), (at(19, 10), at(19, 12))]})
    bench.parts.calendar.free_busy = [server]
    for address, name in ((ANN, "Ann Smith"), (BEN, "Ben Ort")):
        await write_to(bench, address, name)
    answer = await said(bench, "find_free_time", start="monday and tuesday", minutes=45, people=["ann", BEN])
    assert answer.splitlines() == [
        f"You and {ANN} are free for 45 minutes or more; whether {BEN} is, nobody can tell:",
        "Tue 19 Jan 2027: free 12:00–13:00, 13:30–17:00; taken: 09:00–12:00 ann@example.org, 13:00–13:30 Sync b",
        "Mon 18 Jan 2027: not free; taken: 09:00–09:30 Sync a, 09:15–17:00 ann@example.org",
        f"{ANN}: as cal says.",
        f"{BEN}: not known. cal can't tell when {BEN} is free: no scheduling.",
    ]
    server.knows = {}
    answer = await said(bench, "find_free_time", start="2027-01-19", people=["ben"])
    assert answer.startswith(f"You are free for 30 minutes or more; whether {BEN} is, nobody can tell:")
    bench.parts.calendar.free_busy, bench.parts.calendar.own = [], ["me@example.com"]
    assert "no account of yours has a server" in await said(bench, "find_free_time", people=[ANN, "me@example.com"])


async def test_another_server_is_asked_about_whom_the_first_can_not_tell(bench: Bench, calendar: OneFile) -> None:
    calendar.write(ics())
    first, second = Server("work", {ANN: []}), Server("home", {BEN: [(at(15, 9), at(15, 17))]})
    bench.parts.calendar.free_busy = [Server("away", down=True), first, second]
    await bench.say(f"when are {ANN}, {BEN} and I free")
    answer = await said(bench, "find_free_time", people=[ANN, BEN])
    assert answer.splitlines()[0] == f"You, {ANN} and {BEN} have no 30 minutes in common:"
    assert answer.splitlines()[-2:] == [f"{ANN}: as work says.", f"{BEN}: as home says."]
    assert second.asked == [BEN]


@pytest.mark.parametrize(
    ("order", "spans", "may"),
    [
        (f"free time with {ANN}", (), True),
        (f"free time with <{ANN.upper()}>", (), True),
        (f"free time with {ANN}", (Span(15, 30, Origin.PASTED),), False),
        ("free time with her", (), False),
    ],
    ids=["typed", "in other letters", "pasted", "not said"],
)
async def test_a_strangers_address_is_asked_about_only_if_it_was_typed(
    bench: Bench, calendar: OneFile, order: str, spans: tuple[Span, ...], may: bool
) -> None:
    calendar.write(ics())
    server = Server("cal", {ANN: []})
    bench.parts.calendar.free_busy = [server]
    await bench.say(f"by the way, {ANN}")  # of another order
    await bench.say(order, spans)
    answer = await said(bench, "find_free_time", people=[ANN])
    assert server.asked == ([ANN] if may else [])
    assert ("you have not typed it in this order" in answer) is not may


async def test_a_name_means_only_whom_the_user_has_written_to(bench: Bench, calendar: OneFile) -> None:
    calendar.write(ics())
    server = Server("cal", {ANN: [], BEN: []})
    bench.parts.calendar.free_busy = [server]
    await bench.store.store({"id": ANN, "address": ANN}, namespace=Namespace.PEOPLE, context_id=ANN)
    for number, (address, name, doubts) in enumerate(
        (("eve@evil.example", "Smith", []), (ANN, "Ann Smith", []), (ANN, "Boss", ["spoofed"]))
    ):
        raw = {"sender": {"address": address, "name": name}, "doubts": doubts}
        await bench.store.store(raw, namespace="raw.mail", context_id=f"mail_{number}")
    for name, words in (("eve", "nobody you have written to"), ("boss", "nobody you have written to")):
        assert words in await said(bench, "find_free_time", people=[name])
    assert server.asked == []
    assert f"You and {ANN} are free" in await said(bench, "find_free_time", people=["smith"])
    await write_to(bench, "ann.jones@example.org", "Ann Jones")
    answer = await said(bench, "find_free_time", people=["Ann"])
    assert "several whom you have written to are called 'Ann': ann.jones@example.org, ann@example.org" in answer
