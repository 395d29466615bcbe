"""The index of all mail against a plain model, whatever comes in which order."""

from __future__ import annotations

import random

import pytest

from pepper_tui.domains.mail.at_source.filing import Filing
from pepper_tui.domains.mail.at_source.state import Copy, MailState
from pepper_tui.domains.mail.listing.index import FACTS, MailIndex
from pepper_tui.model import Json
from tests.ui.fake_mail import OWN, mail, state

STATES = [
    state, lambda i: state(i, "seen"), lambda i: state(i, folder="T", use="trash"),
    lambda i: state(i, folder="J", use="junk"), MailState, lambda i: state(i, "flagged", use="sent"),
    lambda i: MailState(i, [Copy("a", "w", "T", "trash"), Copy("b", "w", "All", "archive", ["seen"])]),
]  # fmt: skip


class Plain:
    """The same, looked up anew each time."""

    def __init__(self) -> None:
        self.mails: dict[str, Json] = {}
        self.states: dict[str, MailState] = {}

    def seen(self) -> dict[str, list[Json]]:
        """The mails in sight by thread, oldest first, of the threads that the list has."""
        found: dict[str, list[Json]] = {}
        listed: set[str] = set()
        for raw in sorted(self.mails.values(), key=lambda raw: (raw["date"], raw["id"])):
            known = self.states.get(raw["id"])
            uses = {copy.use for copy in known.copies} if known is not None else {"inbox"}
            if uses - {"trash", "junk"}:
                found.setdefault(raw["thread"], []).append(raw)
            if uses - {"trash", "junk", "sent", "drafts", "archive"}:
                listed.add(raw["thread"])
        return {thread: mails for thread, mails in found.items() if thread in listed}

    def unread(self, mails: list[Json]) -> bool:
        return any(raw["id"] in self.states and self.states[raw["id"]].unread for raw in mails)

    def order(self, newest: bool) -> list[str]:
        threads = self.seen()
        return sorted(threads, key=lambda t: (not (newest or self.unread(threads[t])), -threads[t][-1]["date"], t))


@pytest.mark.parametrize("seed", range(12))
def test_whatever_comes_the_order_the_places_and_the_rows_are_those_of_a_plain_look(seed: int) -> None:
    chance, plain, index = random.Random(seed), Plain(), MailIndex([OWN])
    ids = [f"m{n}" for n in range(14)]
    index.begin()
    for step in range(160):
        ident = chance.choice(ids)
        match chance.choice(["put", "put", "put", "mark", "mark", "remove"]):
            case "put":
                raw = mail(ident, at=float(chance.randrange(20)), thread=f"t{chance.randrange(5)}")
                plain.mails[ident] = raw
                index.put(ident, [raw[name] for name in FACTS])
            case "mark":
                plain.states[ident] = chance.choice(STATES)(ident)
                index.put_state(plain.states[ident])
            case "remove":
                plain.mails.pop(ident, None)
                plain.states.pop(ident, None)
                index.remove(ident)
        if step == 60:
            list(index.placed(3))
        if step < 60:
            continue
        for newest in (False, True):
            order = plain.order(newest)
            assert index.window(0, 99, newest=newest) == order
            first = chance.randrange(4)
            assert index.window(first, 2, newest=newest) == order[first : first + 2]
            assert [index.place(thread, newest=newest) for thread in order] == [*range(len(order))]
            found = {ident for thread in order for ident in index.in_thread(thread)}
            assert index.narrowed(found, newest=newest) == order
        threads = plain.seen()
        assert (index.total, index.unread) == (len(threads), sum(map(plain.unread, threads.values())))
        for thread, mails in threads.items():
            row = index.row(thread)
            assert row is not None
            assert (row.newest, row.count, row.at) == (mails[-1]["id"], len(mails), mails[-1]["date"])
            assert bool(row.unread) == plain.unread(mails)
        assert index.place("nowhere", newest=True) == -1


def test_what_a_key_does_counts_as_done_until_its_call_has_ended_and_its_inverse_brings_it_back() -> None:
    index = MailIndex([OWN])
    for ident in ("m1", "m2"):
        raw = mail(ident, thread="t")
        index.put(ident, [raw[name] for name in FACTS])
        index.put_state(state(ident))
    index.put_state(state("m2", use="sent"))
    for act, folder in (("archive", ""), ("trash", ""), ("move", "Lists/Archive")):
        index.set_filing("c1", ["m1", "m9"], Filing(act, folder))  # type: ignore[arg-type]
        assert index.window(0, 9, newest=False) == []
        index.set_filing("c2", ["m1"], Filing("move", "INBOX"))
        assert index.window(0, 9, newest=False) == ["t"]
        index.set_filing("c2", ["m1"], None)
        index.set_filing("c1", ["m1", "m9"], None)
        assert (index.window(0, 9, newest=False), index.unread) == (["t"], 1)
    index.set_filing("c3", ["m1", "m2"], Filing("read"))
    row = index.row("t")
    assert row is not None
    assert (row.unread, index.unread) == (0, 0)


def test_what_the_user_wrote_and_sent_is_not_filed_with_its_thread() -> None:
    index = MailIndex([OWN])
    for raw in (mail("m1", thread="t"), mail("m2", thread="t", address=OWN.upper()), mail("m3", thread="t")):
        index.put(raw["id"], [raw[name] for name in FACTS])
    index.put_state(state("m3", "seen", use="sent"))
    row = index.row("t")
    assert row is not None
    assert (row.mails, row.count, row.people) == (["m1"], 3, ["", "Alice Doe"])


def test_a_doubtful_sender_goes_by_the_address() -> None:
    index = MailIndex()
    raw = mail("m1", name="Your Bank", address="x@evil.example", doubts=["it is not"], thread="t")
    index.put("m1", [raw[name] for name in FACTS])
    row = index.row("t")
    assert row is not None
    assert (row.people, row.doubtful) == (["x@evil.example"], True)
