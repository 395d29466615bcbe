"""The store against plain dicts and lists: any series of acts, with clean stops and crashes in between.

A crash is a copy of the files as they are (the database and its write-ahead log), opened elsewhere.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pepper_tui.clock import ManualClock
from pepper_tui.model import ContextFilter, ContextUpdate
from pepper_tui.store import ContextStore, DeliveryQueue, VersionConflictError

NAMESPACES = st.sampled_from(["a", "a.b", "a.b.c", "z"])
IDS = st.sampled_from(["x", "y", "z"])
VALUES = st.integers(0, 3)
TAGS = st.frozensets(st.sampled_from(["open", "t"]))
TTLS = st.sampled_from([None, None, 5.0, 50.0])


@dataclass
class Thing:
    """The model of one context. Each version: (value, tags); ``seq`` is of the last."""

    versions: list[tuple[int, frozenset[str]]] = field(default_factory=list)
    seq: int = 0
    deleted: bool = False
    expires_at: float | None = None

    def live(self, now: float) -> bool:
        return bool(self.versions) and not self.deleted and (self.expires_at is None or self.expires_at > now)


def rank(update: ContextUpdate) -> int | None:
    value: int = update.context.data["v"]
    return None if value == 3 else value


class StoreMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp(prefix="pepper-model-"))
        self.clock = ManualClock()
        self.crashes = 0
        self.things: dict[tuple[str, str], Thing] = {}
        self.dedupe: dict[tuple[str, str], tuple[int, float]] = {}
        self.log: list[tuple[str, str, int, bool]] = []  # namespace, id, value, deleted; seq is the index + 1
        self.open_deliveries: dict[int, int] = {}  # seq -> rank
        self.runner.run(self.reopen())

    async def reopen(self) -> None:
        self.store = await ContextStore.open(self.folder / f"{self.crashes}.db", self.clock)
        self.queue: DeliveryQueue = await self.store.queue("q", ["a.*"], rank=rank)

    # -------------------------------------------------------------------------------------------- the model

    def model_store(
        self, namespace: str, ident: str, value: int, tags: frozenset[str], ttl: float | None, key: str | None = None
    ) -> int:
        now = self.clock.now()
        first = self.dedupe.get((namespace, key or ""))
        if key and first is not None and first[1] > now:
            return first[0]
        thing = self.things.setdefault((namespace, ident), Thing())
        expires_at = None if ttl is None else now + ttl
        if thing.live(now) and thing.versions[-1] == (value, tags):
            thing.expires_at = expires_at
            return thing.seq
        thing.versions.append((value, tags))
        thing.deleted, thing.expires_at = False, expires_at
        thing.seq = self.append(namespace, ident, value, False)
        if key:
            self.dedupe[namespace, key] = (thing.seq, now + 20)
        return thing.seq

    def append(self, namespace: str, ident: str, value: int, deleted: bool) -> int:
        self.log.append((namespace, ident, value, deleted))
        if namespace.startswith("a.") and value != 3:
            self.open_deliveries[len(self.log)] = value
        return len(self.log)

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
        assert stored.seq == self.model_store(namespace, ident, value, tags, ttl, key)

    @rule(ident=IDS, value=VALUES, version=st.integers(0, 3), namespace=NAMESPACES)
    def save_unit_with_condition(self, ident: str, value: int, version: int, namespace: str) -> None:
        async def act() -> None:
            async with self.store.unit():
                await self.store.store({"v": value}, namespace="a.b", context_id="first", text=f"word{value}")
                await self.store.store(
                    {"v": value}, namespace=namespace, context_id=ident, expect_version=version, text=f"word{value}"
                )

        thing = self.things.get((namespace, ident), Thing())
        holds = version == (len(thing.versions) if thing.live(self.clock.now()) else 0)
        try:
            self.runner.run(act())
        except VersionConflictError:
            assert not holds
        else:
            assert holds
            self.model_store("a.b", "first", value, frozenset(), None)
            self.model_store(namespace, ident, value, frozenset(), None)

    @rule(namespace=NAMESPACES, ident=IDS)
    def remove(self, namespace: str, ident: str) -> None:
        thing = self.things.get((namespace, ident), Thing())
        removed = self.runner.run(self.store.delete(ident, namespace=namespace))
        assert removed == thing.live(self.clock.now())
        if thing.versions and not thing.deleted:
            thing.deleted = True
            thing.seq = self.append(namespace, ident, thing.versions[-1][0], True)

    @rule(limit=st.integers(1, 3))
    def take(self, limit: int) -> None:
        found = self.runner.run(self.queue.peek(limit))
        wanted = sorted((place, seq) for seq, place in self.open_deliveries.items())[:limit]
        assert [(d.rank, d.seq) for d in found] == wanted
        if not found:
            return

        async def act() -> None:
            async with self.store.unit() as unit:
                unit.ack(found[0])

        self.runner.run(act())
        del self.open_deliveries[found[0].seq]

    @rule(seconds=st.sampled_from([1.0, 10.0, 100.0]))
    def pass_time(self, seconds: float) -> None:
        self.runner.run(self.clock.advance(seconds))

    @rule()
    def stop_and_start(self) -> None:
        self.runner.run(self.store.close())
        self.runner.run(self.reopen())
        assert self.store.clean_start

    @rule()
    def crash(self) -> None:
        old = self.folder / f"{self.crashes}.db"
        self.crashes += 1
        for suffix in ("", "-wal"):
            source = old.with_name(old.name + suffix)
            if source.exists():
                shutil.copy(source, self.folder / f"{self.crashes}.db{suffix}")
        before = self.store
        self.runner.run(self.reopen())
        assert not self.store.clean_start
        self.runner.run(before.close())

    # ------------------------------------------------------------------------------------------ what holds

    @invariant()
    def the_same_can_be_read(self) -> None:
        if hasattr(self, "store"):
            self.runner.run(self.compare())

    async def compare(self) -> None:
        now = self.clock.now()
        live = sorted(((t.seq, *key) for key, t in self.things.items() if t.live(now)), reverse=True)
        found = await self.store.query(ContextFilter())
        assert [(c.seq, c.namespace, c.context_id) for c in found] == live
        for wanted in (
            ContextFilter(namespaces=["a.*"], newest_first=False, limit=2),
            ContextFilter(tags=["open"]),
            ContextFilter(namespaces=["a", "z"], tags=["open", "t"]),
        ):
            picked = [
                seq
                for seq, namespace, ident in (live if wanted.newest_first else live[::-1])
                if (not wanted.namespaces or any(_picks(glob, namespace) for glob in wanted.namespaces))
                and set(wanted.tags) <= self.things[namespace, ident].versions[-1][1]
            ]
            assert [c.seq for c in await self.store.query(wanted)] == picked[: wanted.limit]
            assert await self.store.count(wanted) == len(picked)
        for (namespace, ident), thing in self.things.items():
            context = await self.store.get(ident, namespace=namespace)
            assert (context is not None) == thing.live(now)
            if context is not None:
                assert (context.data["v"], context.tags) == thing.versions[-1]
                assert context.version == len(thing.versions)
            for number, (value, _) in enumerate(thing.versions, start=1):
                old = await self.store.get(ident, namespace=namespace, version=number)
                assert old is not None
                assert old.data == {"v": value}
        hits = await self.store.search("word1", limit=50)
        assert {hit.context.seq for hit in hits} == {c.seq for c in found if c.data["v"] == 1}
        assert await self.queue.size() == len(self.open_deliveries)
        assert (await self.store.stats()).updates == len(self.log)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.runner.run(self.store.close())
            self.runner.close()
            shutil.rmtree(self.folder)


def _picks(glob: str, namespace: str) -> bool:
    return namespace.startswith(glob[:-1]) if glob.endswith("*") else namespace == glob


TestStore = StoreMachine.TestCase
TestStore.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
