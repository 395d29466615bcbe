"""Any sequence of decisions, crashes and time, against a plain model of calls and their cards.

Held throughout: no deed without an approved card, none that is not the card's, never two for one card, none after a
rejection, an edit, an expiry or an undo that was accepted; no call dropped for want of room, and none before an older
one; each deed that failed is back as a card.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pepper_tui.clock import ManualClock
from pepper_tui.engine.building.builtin_tools import ToolParts
from pepper_tui.model import APPROVAL, WAITS_ITS_TURN, Approval, ApprovalState, CallState, Effect, ToolCall
from pepper_tui.store.log.database import InlineDatabase
from pepper_tui.tools import ApprovalError, NotDoneError
from tests.tools.bench import Bench, World, bench_config

S, A = CallState, ApprovalState
PICK = st.integers(0, 3)
TTL, GRACE, LATE = 1000.0, 10.0, 900.0
AT_ONCE, ROOM = 8, 5  # the defaults


@dataclass
class Card:
    """The model of one card: what it would do, and how it stands."""

    call: str
    what: str
    state: ApprovalState = A.PENDING
    decided: float = 0.0
    acts: float = 0.0
    expires: float = 0.0
    snoozed: float | None = None
    attempted: bool = False
    into: str = ""


class Decisions(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp())
        self.loop = asyncio.new_event_loop()
        self.world = World()
        self.cards: dict[str, Card] = {}
        self.calls: dict[str, str] = {}  # call -> its present card
        self.waiting: list[str] = []  # calls that wait for room, the oldest first
        self.cancelled: set[str] = set()  # of these, while they waited
        self.unknown: set[str] = set()
        self.failed: set[str] = set()
        self.count = 0
        self.bench = Bench(
            self.home / "p.db",
            ManualClock(),
            bench_config(approval_ttl=TTL),
            ToolParts(),
            self.world,
            [],
            database=InlineDatabase.open,  # no thread: a turn of the loop is all that any work takes
        )
        self.run(self.bench.open())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(work, 20))

    def teardown(self) -> None:
        self.run(self.bench.close())
        self.loop.close()
        shutil.rmtree(self.home)

    @property
    def now(self) -> float:
        return self.bench.clock.now()

    def pick(self, pick: int) -> tuple[str, Card]:
        ids = list(self.cards)
        return ids[-1 - pick % len(ids)], self.cards[ids[-1 - pick % len(ids)]]

    def attempt(self, work: Coroutine[Any, Any, Any], allowed: bool) -> Any:
        try:
            done = self.run(work)
        except ApprovalError:
            assert not allowed
            return None
        assert allowed
        return done

    @rule(count=st.sampled_from([1, 1, 3, 12]))
    def new_step(self, count: int) -> None:
        async def store() -> list[str]:
            ids = []
            async with self.bench.store.unit():
                for number in range(count):
                    self.count += 1
                    call = ToolCall(
                        f"c{self.count:04d}", "act", {"what": f"thing {self.count}"}, Effect.READ, self.now, "step:1",
                        deferred="" if number < AT_ONCE else WAITS_ITS_TURN,
                    )  # fmt: skip
                    ids.append(await self.bench.put(call))
            return ids

        self.waiting += self.run(store())
        self.fill()

    def fill(self, beside: int = 0) -> None:
        """The oldest that wait get their cards, as many as there is room for; the rest says what it waits for.

        ``beside``: how many came back in the same moment, which need no room: as many more may have found some.
        """
        while self.waiting and sum(card.state is A.PENDING for card in self.cards.values()) < ROOM:
            self.carded(self.waiting.pop(0))
        for _ in range(beside):
            if self.waiting and self.run(self.bench.call(self.waiting[0])).state is S.WAITING_APPROVAL:
                self.carded(self.waiting.pop(0))
        for call_id in self.waiting:
            assert "waits" in self.run(self.bench.deferred(call_id)).deferred

    def carded(self, call_id: str) -> None:
        card = self.run(self.bench.card(call_id))
        what = str(card.resolved.payload["what"])
        self.cards[card.id], self.calls[call_id] = Card(call_id, what, expires=card.expires_at), card.id

    @precondition(lambda self: self.waiting)
    @rule(pick=PICK)
    def cancel_one_that_waits(self, pick: int) -> None:
        call_id = self.waiting.pop(pick % len(self.waiting))
        assert "cancelled" in self.run(self.bench.engine.cancel(call_id))
        self.cancelled.add(call_id)
        self.fill()

    @precondition(lambda self: self.cards)
    @rule(pick=PICK)
    def approve(self, pick: int) -> None:
        card_id, card = self.pick(pick)
        live = card.state is A.PENDING and self.now < card.expires
        if self.attempt(self.bench.approvals.approve(card_id), live):
            card.state, card.decided, card.acts, card.snoozed = A.APPROVED, self.now, self.now + GRACE, None
        self.fill()

    @precondition(lambda self: self.cards)
    @rule(pick=PICK)
    def reject(self, pick: int) -> None:
        card_id, card = self.pick(pick)
        if self.attempt(self.bench.approvals.reject(card_id), card.state is A.PENDING):
            card.state, card.snoozed = A.REJECTED, None
        self.fill()

    @precondition(lambda self: self.cards)
    @rule(pick=PICK)
    def edit(self, pick: int) -> None:
        card_id, card = self.pick(pick)
        self.count += 1
        what = f"edited {self.count}"
        new = self.attempt(self.bench.approvals.edit(card_id, {"What": what}), card.state is A.PENDING)
        if new:
            card.state, card.into = A.EDITED, new
            self.cards[new], self.calls[card.call] = Card(card.call, what, expires=self.now + TTL), new

    @precondition(lambda self: self.cards)
    @rule(pick=PICK, seconds=st.sampled_from([10.0, 500.0, 3000.0]))
    def snooze(self, pick: int, seconds: float) -> None:
        card_id, card = self.pick(pick)
        until = self.now + seconds
        if self.attempt(self.bench.approvals.snooze(card_id, until), card.state is A.PENDING):
            card.snoozed, card.expires = until, max(card.expires, until + TTL)

    @precondition(lambda self: self.cards)
    @rule(pick=PICK, was=st.sampled_from(["approved", "rejected", "snoozed"]))
    def take_back(self, pick: int, was: str) -> None:
        """What is taken back of a card that was edited since is what the user did with the edited one."""
        card_id, card = self.pick(pick)
        while card.into:
            card = self.cards[card.into]
        decided = was == card.state and (card.state is A.REJECTED or not card.attempted)
        snoozed = was == "snoozed" and card.state is A.PENDING and card.snoozed is not None
        if self.attempt(self.bench.approvals.take_back(card_id, was), decided or snoozed):
            card.snoozed = None
            if decided:
                card.state, card.expires = A.PENDING, max(card.expires, self.now + TTL)

    @precondition(lambda self: self.cards)
    @rule(pick=PICK)
    def change_mind(self, pick: int) -> None:
        """A yes taken back within the grace, which then passes."""
        self.approve(pick)
        self.run(self.bench.settle())
        self.take_back(pick, "approved")
        self.pass_time(GRACE + 1)

    @precondition(lambda self: self.cards)
    @rule(pick=PICK)
    def approve_in_vain(self, pick: int) -> None:
        """What falls due now is known not to have happened, and comes back as it was."""
        self.approve(pick)
        before = len(self.world.deeds)
        self.world.fail = NotDoneError("no link.")
        self.pass_time(GRACE + 1)
        self.world.fail = None
        del self.world.deeds[before:]

    @rule()
    def sleep(self) -> None:
        """The machine is suspended for longer than a yes holds."""
        self.run(self.bench.settle())
        self.bench.clock.jump(1001.0)
        late = self.late()
        self.wait(61.0)
        self.ask_again(late)
        self.settle_model(len(late))

    def late(self) -> list[str]:
        """Cards whose window ended longer ago than a yes holds."""
        return [
            card_id
            for card_id, card in self.cards.items()
            if card.state is A.APPROVED and not card.attempted and self.now - card.decided > LATE + GRACE
        ]

    def ask_again(self, late: list[str]) -> None:
        stored = {card.id: card for card in self.run(self.bench.cards())}
        for card_id in late:
            card = self.cards[card_id]
            assert "still wanted?" in stored[card_id].problem
            card.state, card.expires = A.PENDING, stored[card_id].expires_at

    @precondition(lambda self: self.cards)
    @rule(pick=PICK, by=st.sampled_from(["user", "assistant"]))
    def cancel(self, pick: int, by: str) -> None:
        _, picked = self.pick(pick)
        card = self.cards[self.calls[picked.call]]
        self.run(self.bench.engine.cancel(card.call, by))
        if card.state is A.PENDING or (card.state is A.APPROVED and not card.attempted):
            card.state, card.snoozed = A.REJECTED if by == "user" else A.WITHDRAWN, None
        self.fill()

    @rule(seconds=st.sampled_from([1.0, 4.0, 11.0, 600.0, 1001.0]))
    def pass_time(self, seconds: float) -> None:
        self.wait(seconds)
        self.settle_model()

    def wait(self, seconds: float) -> None:
        async def go() -> None:
            await self.bench.settle()
            await self.bench.clock.advance(seconds)
            await self.bench.settle()

        self.run(go())

    @rule(lost=st.booleans(), seconds=st.sampled_from([0.0, 2.0, 11.0, 800.0, 1001.0]))
    def crash(self, lost: bool, seconds: float) -> None:
        """Killed; with ``lost`` the next attempt under way is cut right after its commit."""

        async def go() -> None:
            if lost:
                self.bench.die_at = "attempt_committed"
                await self.bench.settle()
                await self.bench.clock.advance(GRACE)
                await self.bench.settle()
            self.bench.clock.jump(seconds)
            await self.bench.crash()
            await self.bench.settle()
            await self.bench.clock.advance(0.001)
            await self.bench.settle()

        before = len(self.world.deeds)
        self.run(go())
        if lost:
            for card in self.cards.values():
                if card.state is A.APPROVED and not card.attempted and card.acts <= self.now - seconds:
                    card.attempted = True
                    self.unknown.add(card.call)
            assert len(self.world.deeds) == before or seconds > 0
        late = self.late()
        for card_id, card in self.cards.items():
            if card.state is A.APPROVED and not card.attempted and card_id not in late:
                card.acts = self.now - 0.001 + GRACE
        self.ask_again(late)
        self.settle_model(len(late))

    def settle_model(self, beside: int = 0) -> None:
        for card_id, card in list(self.cards.items()):
            if card.state is A.PENDING and card.expires <= self.now:
                card.state, card.snoozed = A.EXPIRED, None
            elif card.state is A.PENDING and card.snoozed is not None and card.snoozed <= self.now:
                card.snoozed = None
            if card.state is A.APPROVED and not card.attempted and card.acts <= self.now:
                card.attempted = True
                if self.world.fail is not None:
                    self.failed.add(card.call)
                    back = self.run(self.bench.returned(card.call))
                    assert (back.digest, back.effect) == (self.stored(card_id).digest, self.stored(card_id).effect)
                    self.cards[back.id] = Card(back.call, card.what, expires=back.expires_at)
                    self.calls[back.call] = back.id
        self.fill(beside)

    def stored(self, card_id: str) -> Approval:
        return next(card for card in self.run(self.bench.cards()) if card.id == card_id)

    @invariant()
    def deeds_are_those_of_approved_cards(self) -> None:
        deeds = [deed["what"] for deed in self.world.deeds]
        assert len(deeds) == len(set(deeds)), "twice"
        done = [c for c in self.cards.values() if c.state is A.APPROVED and c.attempted]
        assert set(deeds) == {c.what for c in done if c.call not in self.unknown | self.failed}

    @invariant()
    def store_agrees(self) -> None:
        stored = {card.id: card for card in self.run(self.bench.cards())}
        assert stored.keys() == self.cards.keys()
        for card_id, card in self.cards.items():
            assert stored[card_id].state is card.state, (card, stored[card_id])
            assert stored[card_id].resolved.digest == stored[card_id].digest
        for call_id, card_id in self.calls.items():
            call, card = self.run(self.bench.call(call_id)), self.cards[card_id]
            if card.attempted:
                wanted = {S.UNKNOWN} if call_id in self.unknown else {S.SUCCEEDED}
                wanted = {S.FAILED} if call_id in self.failed else wanted
            elif card.state in APPROVAL.open - {A.REJECTED}:
                wanted = {S.WAITING_APPROVAL}
            else:
                wanted = {S.CANCELLED, S.FAILED}
            assert call.state in wanted, (call, card)
            assert call.approval == card_id
        for call_id in self.waiting:
            assert self.run(self.bench.call(call_id)).state is S.SCHEDULED
        for call_id in self.cancelled:
            assert self.run(self.bench.call(call_id)).state is S.CANCELLED


Decisions.TestCase.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestDecisions = Decisions.TestCase
