"""A store against plain dicts and lists: any series of acts. A subclass opens the store, and may add acts."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pepper_tui.clock import ManualClock
from pepper_tui.model import OPEN_TAG, ContextFilter, ContextUpdate, Namespace
from pepper_tui.store import DeliveryQueue, VersionConflictError
from pepper_tui.store.delivery.health import PART, tried_again
from tests.conformance.store.opening import OpenStore

NAMESPACES = st.sampled_from(["a", "a.b", "z"])
IDS = st.sampled_from(["x", "y"])
VALUES = st.integers(0, 3)
TAGS = st.frozensets(st.sampled_from([OPEN_TAG, "t"]))
TTLS = st.sampled_from([None, None, 5.0, 50.0])
DAY = 86_400.0
SMALL = 2  # updates that the ring of a slow reader holds

Name = tuple[str, str]
Content = tuple[str, str, frozenset[str], str]
"""Data, text, tags and metadata, to compare by."""


@dataclass
class Row:
    """One update."""

    seq: int
    version: int
    content: Content
    deleted: bool
    at: float


@dataclass
class Thing:
    """The model of one context; ``rows`` are oldest first."""

    rows: list[Row] = field(default_factory=list)
    expires_at: float | None = None

    @property
    def seq(self) -> int:
        return self.rows[-1].seq

    @property
    def tags(self) -> frozenset[str]:
        return self.rows[-1].content[2]

    def live(self, now: float) -> bool:
        return bool(self.rows) and not self.rows[-1].deleted and (self.expires_at is None or self.expires_at > now)


@dataclass
class Open:
    """The model of one delivery that is not done."""

    rank: int
    attempts: int = 0
    due: float = 0.0
    dead: bool = False


def rank(update: ContextUpdate) -> int | None:
    return place(update.context.data["v"])


def place(value: object) -> int | None:
    return None if value == 3 else value if isinstance(value, int) else 0


def plain(value: Any, tags: frozenset[str] = frozenset()) -> Content:
    return json.dumps({"v": value}), f"word{value}", tags, "{}"


class StoreMachine(RuleBasedStateMachine):
    store: OpenStore
    queue: DeliveryQueue

    async def open(self) -> OpenStore:
        """The store, empty at the first call."""
        raise NotImplementedError

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.clock = ManualClock()
        self.things: dict[Name, Thing] = {}
        self.dedupe: dict[Name, tuple[int, float]] = {}
        self.last = 0
        self.open_deliveries: dict[int, Open] = {}
        self.watching = AsyncExitStack()
        self.runner.run(self.reopen())

    async def reopen(self) -> None:
        await self.watching.aclose()
        self.store = await self.open()
        self.queue = await self.store.queue("q", ["a.*"], rank=rank)
        self.live = await self.watching.enter_async_context(self.store.watch(["a.*", "z"]))
        self.slow = await self.watching.enter_async_context(self.store.watch(size=SMALL))
        self.told: list[tuple[int, str, bool]] = []  # since the last look
        self.missed = 0

    # -------------------------------------------------------------------------------------------- the model

    def thing(self, name: Name) -> Thing:
        return self.things.get(name, Thing())

    def model_store(self, name: Name, content: Content, expires_at: float | None = None, key: str | None = None) -> int:
        now = self.clock.now()
        first = self.dedupe.get((name[0], key or ""))
        if key and first is not None and first[1] > now:
            return first[0]
        thing = self.things.setdefault(name, Thing())
        if thing.live(now) and thing.rows[-1].content == content:
            thing.expires_at = expires_at
            return thing.seq
        thing.expires_at = expires_at
        self.append(name, content, (thing.rows[-1].version if thing.rows else 0) + 1, False)
        if key:
            self.dedupe[name[0], key] = (self.last, now + 20)
        return self.last

    def append(self, name: Name, content: Content, version: int, deleted: bool) -> None:
        self.last += 1
        self.things[name].rows.append(Row(self.last, version, content, deleted, self.clock.now()))
        self.told.append((self.last, name[0], deleted))
        self.deliver(self.last, name, content)

    def deliver(self, seq: int, name: Name, content: Content) -> None:
        if name[0].startswith("a.") and (found := place(json.loads(content[0])["v"])) is not None:
            self.open_deliveries[seq] = Open(found)

    # ------------------------------------------------------------------------------------------------ rules

    @rule(namespace=NAMESPACES, ident=IDS, value=VALUES, tags=TAGS, ttl=TTLS, key=st.sampled_from([None, None, "k"]))
    def save(
        self, namespace: str, ident: str, value: int, tags: frozenset[str], ttl: float | None, key: str | None
    ) -> None:
        stored = self.runner.run(
            self.store.store(
                {"v": value},
                namespace=namespace,
                context_id=ident,
                tags=tags,
                ttl=ttl,
                text=f"word{value}",
                dedupe_key=key,
                dedupe_window=20,
            )
        )
        expires_at = None if ttl is None else self.clock.now() + ttl
        assert stored.seq == self.model_store((namespace, ident), plain(value, tags), expires_at, key)

    @rule(things=st.lists(st.tuples(NAMESPACES, IDS, VALUES), min_size=2, max_size=8))
    def save_some(self, things: list[tuple[str, str, int]]) -> None:
        for namespace, ident, value in things:
            self.save(namespace, ident, value, frozenset(), None, None)

    @rule(ident=IDS, value=VALUES, version=st.integers(0, 3), namespace=NAMESPACES)
    def save_unit_with_condition(self, ident: str, value: int, version: int, namespace: str) -> None:
        async def act() -> None:
            async with self.store.unit():
                await self.store.store({"v": value}, namespace="a.b", context_id="first", text=f"word{value}")
                await self.store.store(
                    {"v": value}, namespace=namespace, context_id=ident, expect_version=version, text=f"word{value}"
                )

        thing = self.thing((namespace, ident))
        holds = version == (thing.rows[-1].version if thing.live(self.clock.now()) else 0)
        try:
            self.runner.run(act())
        except VersionConflictError:
            assert not holds
        else:
            assert holds
            self.model_store(("a.b", "first"), plain(value))
            self.model_store((namespace, ident), plain(value))

    @rule(
        things=st.lists(st.tuples(NAMESPACES, IDS, st.one_of(st.none(), VALUES)), min_size=1, max_size=6),
        fails=st.booleans(),
    )
    def save_and_remove_in_a_unit(self, things: list[tuple[str, str, int | None]], fails: bool) -> None:
        async def act() -> None:
            async with self.store.unit() as unit:
                for delivery in await self.queue.peek(1):
                    unit.ack(delivery)
                for namespace, ident, value in things:
                    if value is None:
                        await self.store.delete(ident, namespace=namespace)
                    else:
                        await self.store.store({"v": value}, namespace=namespace, context_id=ident, text=f"word{value}")
                if fails:
                    await self.store.store({}, namespace="new", context_id="x", expect_version=1)

        acked = [seq for _, seq, _ in self.due()[:1]]
        try:
            self.runner.run(act())
        except VersionConflictError:
            assert fails
            return
        assert not fails
        for seq in acked:
            del self.open_deliveries[seq]
        for namespace, ident, value in things:
            if value is None:
                self.model_remove((namespace, ident))
            else:
                self.model_store((namespace, ident), plain(value))

    @rule(namespace=NAMESPACES, ident=IDS)
    def remove(self, namespace: str, ident: str) -> None:
        removed = self.runner.run(self.store.delete(ident, namespace=namespace))
        assert removed == self.thing((namespace, ident)).live(self.clock.now())
        self.model_remove((namespace, ident))

    def model_remove(self, name: Name) -> None:
        thing = self.thing(name)
        if thing.rows and not thing.rows[-1].deleted:
            self.append(name, thing.rows[-1].content, thing.rows[-1].version, True)

    def due(self) -> list[tuple[int, int, int]]:
        """Rank, seq and attempts of what is to be dealt with now."""
        now = self.clock.now()
        return sorted(
            (each.rank, seq, each.attempts)
            for seq, each in self.open_deliveries.items()
            if not each.dead and each.due <= now
        )

    @rule(limit=st.integers(1, 3), how=st.sampled_from(["ack", "ack", "defer", "bury"]))
    def take(self, limit: int, how: str) -> None:
        found = self.runner.run(self.queue.peek(limit))
        assert [(d.rank, d.seq, d.attempts) for d in found] == self.due()[:limit]
        if not found:
            return
        later = self.clock.now() + 10

        async def act() -> None:
            async with self.store.unit() as unit:
                for delivery in found:
                    if how == "ack":
                        unit.ack(delivery)
                    elif how == "defer":
                        unit.defer(delivery, later)
                    else:
                        unit.bury(delivery, "e")

        self.runner.run(act())
        for delivery in found:
            if how == "ack":
                del self.open_deliveries[delivery.seq]
                continue
            each = self.open_deliveries[delivery.seq]
            each.attempts += 1
            each.dead, each.due = how == "bury", later if how == "defer" else 0.0

    @rule(name=st.sampled_from([None, "q", "another"]))
    def redrive(self, name: str | None) -> None:
        dead = [seq for seq, each in self.open_deliveries.items() if each.dead and name != "another"]
        assert self.runner.run(self.store.redrive(name)) == len(dead)
        for seq in dead:
            self.open_deliveries[seq] = Open(self.open_deliveries[seq].rank)
        if dead:
            told = json.dumps(tried_again(len(dead), self.clock.now()).data())
            self.model_store((Namespace.HEALTH, PART), (told, "", frozenset(), "{}"))

    @rule(beginning=st.booleans())
    def subscribe_anew(self, beginning: bool) -> None:
        async def act() -> None:
            assert await self.store.forget("q")
            start = "beginning" if beginning else "now"
            self.queue = await self.store.queue("q", ["a.*"], rank=rank, start=start)  # type: ignore[arg-type]

        self.runner.run(act())
        self.open_deliveries.clear()
        for name, thing in self.things.items() if beginning else ():
            for row in thing.rows:
                self.deliver(row.seq, name, row.content)

    @rule(seconds=st.sampled_from([1.0, 10.0, 100.0, 3 * DAY, 40 * DAY]))
    def pass_time(self, seconds: float) -> None:
        self.runner.run(self.clock.advance(seconds))

    # ------------------------------------------------------------------------------------------ what holds

    @invariant()
    def the_same_can_be_read(self) -> None:
        if hasattr(self, "store"):
            self.runner.run(self.compare())

    async def compare(self) -> None:
        await self.compare_queries()
        await self.compare_contexts()
        await self.compare_deliveries()

    async def compare_queries(self) -> None:
        now = self.clock.now()
        live = sorted(((t.seq, *key) for key, t in self.things.items() if t.live(now)), reverse=True)
        found = await self.store.query(ContextFilter())
        assert [(c.seq, c.namespace, c.context_id) for c in found] == live
        for wanted in (
            ContextFilter(namespaces=["a.*"], newest_first=False, limit=2),
            ContextFilter(tags=[OPEN_TAG]),
            ContextFilter(namespaces=["a", "z"], tags=[OPEN_TAG, "t"]),
        ):
            picked = [
                seq
                for seq, namespace, ident in (live if wanted.newest_first else live[::-1])
                if (not wanted.namespaces or any(_picks(glob, namespace) for glob in wanted.namespaces))
                and set(wanted.tags) <= self.things[namespace, ident].tags
            ]
            assert [c.seq for c in await self.store.query(wanted)] == picked[: wanted.limit]
            assert await self.store.count(wanted) == len(picked)
        hits = await self.store.search("word1", limit=50)
        assert {hit.context.seq for hit in hits} == {c.seq for c in found if "word1" in c.text.split()}

    async def compare_contexts(self) -> None:
        now = self.clock.now()
        for (namespace, ident), thing in self.things.items():
            context = await self.store.get(ident, namespace=namespace)
            assert (context is not None) == thing.live(now)
            if context is not None:
                content = thing.rows[-1].content
                assert (context.data, context.text, context.tags) == (json.loads(content[0]), *content[1:3])
                assert context.version == thing.rows[-1].version
            for row in (row for row in thing.rows if not row.deleted):  # a deletion has no content of its own
                old = await self.store.get(ident, namespace=namespace, version=row.version)
                assert old is not None
                assert old.data == json.loads(row.content[0])
            kept = await self.store.versions(ident, namespace=namespace)
            assert [(u.seq, u.deleted) for u in kept] == [(row.seq, row.deleted) for row in thing.rows[::-1]]

    async def compare_deliveries(self) -> None:
        told, self.told = self.told, []
        self.missed += max(0, len(told) - SMALL)
        assert [(u.seq, u.namespace, u.deleted) for u in self.live.drain()] == [
            one for one in told if one[1].startswith("a.") or one[1] == "z"
        ]
        assert [u.seq for u in self.slow.drain()] == [seq for seq, _, _ in told[-SMALL:]]
        assert (self.live.missed, self.slow.missed) == (0, self.missed)
        dead = sorted(seq for seq, each in self.open_deliveries.items() if each.dead)
        assert [(letter.subscription, letter.seq) for letter in await self.store.dead()] == [("q", seq) for seq in dead]
        left = len(self.open_deliveries) - len(dead)
        assert (await self.queue.size(), await self.store.undelivered("q")) == (left, left)
        assert await self.store.waiting("") == {"q": len(self.open_deliveries)}

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.runner.run(self.watching.aclose())
            self.runner.run(self.store.close())
            self.runner.close()


def _picks(glob: str, namespace: str) -> bool:
    return namespace.startswith(glob[:-1]) if glob.endswith("*") else namespace == glob


def long(examples: int) -> settings:
    return settings(
        max_examples=examples, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
    )
