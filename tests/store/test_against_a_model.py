"""The store against plain dicts and lists: any series of acts, with clean stops, crashes and moves to a new home.

A crash is a copy of the files as they are (the database and its write-ahead log), opened elsewhere. Answers are cached,
so that each comparison is also one of the cache.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pepper_tui.clock import ManualClock
from pepper_tui.model import OPEN_TAG, ContextFilter, ContextUpdate
from pepper_tui.store import ContextStore, DeliveryQueue, StoreError, VersionConflictError
from pepper_tui.store.compose import ConflictError, Merge
from pepper_tui.store.log.rollback import RollbackRefusedError
from pepper_tui.store.upkeep.exporting import export_file
from pepper_tui.store.upkeep.importing import import_file
from pepper_tui.store.upkeep.picking import DELETED, EXPIRED, FRESH
from pepper_tui.store.upkeep.purge import Scope, purge, survey, vacuum
from pepper_tui.store.upkeep.retention import REACH, Retention
from pepper_tui.store.upkeep.retention_rules import Wish

NAMESPACES = st.sampled_from(["a", "a.b", "z"])
IDS = st.sampled_from(["x", "y"])
VALUES = st.integers(0, 3)
TAGS = st.frozensets(st.sampled_from([OPEN_TAG, "t"]))
TTLS = st.sampled_from([None, None, 5.0, 50.0])
DAY = 86_400.0
WISHES = {"a.*": Wish(days=2, versions=2), "a": Wish(versions=1), "z": Wish(days=1)}
BOUNDS = {"a.b": 2, "a": 1, "z": 100}
DAYS = {"a.b": 2.0, "z": 1.0}


@dataclass
class Row:
    """One update. ``content``: data, text, tags and metadata, to compare by."""

    seq: int
    version: int
    content: tuple[str, str, frozenset[str], str]
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


Name = tuple[str, str]


def rank(update: ContextUpdate) -> int | None:
    value = update.context.data["v"]
    return None if value == 3 else value if isinstance(value, int) else 0


class StoreMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        memory = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(prefix="pepper-model-", dir=memory if memory.is_dir() else None))
        self.clock = ManualClock()
        self.lives = 0
        self.things: dict[Name, Thing] = {}
        self.dedupe: dict[Name, tuple[int, float]] = {}
        self.last = 0
        self.seen = 0  # of the log, by retention
        self.reached: float | None = None  # in time, by retention
        self.open_deliveries: dict[int, int] = {}  # seq -> rank
        self.runner.run(self.reopen())

    @property
    def path(self) -> Path:
        return self.folder / f"{self.lives}.db"

    async def reopen(self) -> None:
        self.store = await ContextStore.open(self.path, self.clock, cache_ttl=60.0)
        self.queue: DeliveryQueue = await self.store.queue("q", ["a.*"], rank=rank)

    # -------------------------------------------------------------------------------------------- the model

    def thing(self, name: Name) -> Thing:
        return self.things.get(name, Thing())

    def model_store(
        self,
        name: Name,
        content: tuple[str, str, frozenset[str], str],
        expires_at: float | None = None,
        key: str | None = None,
    ) -> int:
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

    def append(self, name: Name, content: tuple[str, str, frozenset[str], str], version: int, deleted: bool) -> None:
        self.last += 1
        self.things[name].rows.append(Row(self.last, version, content, deleted, self.clock.now()))
        value = json.loads(content[0])["v"]
        if name[0].startswith("a.") and value != 3:
            self.open_deliveries[self.last] = value if isinstance(value, int) else 0

    def plain(self, value: Any, tags: frozenset[str] = frozenset()) -> tuple[str, str, frozenset[str], str]:
        return json.dumps({"v": value}), f"word{value}", tags, "{}"

    def stays(self, name: Name) -> bool:
        """Whether nothing may take this context away."""
        thing, now = self.things[name], self.clock.now()
        windows = {seq for seq, until in self.dedupe.values() if until > now}
        seqs = {row.seq for row in thing.rows}
        is_open = OPEN_TAG in thing.tags and not thing.rows[-1].deleted
        return is_open or bool(seqs & (windows | self.open_deliveries.keys()))

    def model_sweep(self) -> None:
        now = self.clock.now()
        now = self.reached = now if self.reached is None else min(now, self.reached + REACH)
        for name, thing in [*self.things.items()]:
            at, deleted = thing.rows[-1].at, thing.rows[-1].deleted
            past = at < now - DAYS[name[0]] * DAY if name[0] in DAYS else False
            past |= deleted and at < now - DELETED
            past |= thing.expires_at is not None and thing.expires_at < now - EXPIRED
            if past and not self.stays(name):
                del self.things[name]
        visited = sorted(
            (row.seq, name, row.version)
            for name, thing in self.things.items()
            for row in thing.rows
            if row.seq > self.seen and row.at < now - FRESH
        )
        for name in {name for _, name, version in visited if version > BOUNDS[name[0]]}:
            rows, count = self.things[name].rows, 0
            bound = BOUNDS[name[0]] + rows[-1].deleted  # what was deleted can still be rolled back
            while len(rows) - count > bound and rows[count + 1].at < now - FRESH:
                count += 1
            if not any(row.seq in self.open_deliveries for row in rows[: count + 1]):
                del rows[:count]
        self.seen = max([self.seen, *(seq for seq, _, _ in visited)])

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
        assert stored.seq == self.model_store((namespace, ident), self.plain(value, tags), expires_at, key)

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
            self.model_store(("a.b", "first"), self.plain(value))
            self.model_store((namespace, ident), self.plain(value))

    @rule(namespace=NAMESPACES, ident=IDS)
    def remove(self, namespace: str, ident: str) -> None:
        name = (namespace, ident)
        thing = self.thing(name)
        removed = self.runner.run(self.store.delete(ident, namespace=namespace))
        assert removed == thing.live(self.clock.now())
        if thing.rows and not thing.rows[-1].deleted:
            self.append(name, thing.rows[-1].content, thing.rows[-1].version, True)

    @rule(namespace=NAMESPACES, ident=IDS, version=st.integers(1, 4))
    def roll_back(self, namespace: str, ident: str, version: int) -> None:
        name = (namespace, ident)
        kept = [row for row in self.thing(name).rows if row.version == version and not row.deleted]
        try:
            stored = self.runner.run(self.store.rollback(ident, version, namespace=namespace))
        except RollbackRefusedError:
            assert kept
            assert namespace.startswith("a.")
        except StoreError:
            assert not kept
        else:
            assert stored.seq == self.model_store(name, kept[0].content)

    @rule(
        sources=st.lists(st.tuples(NAMESPACES, IDS), min_size=1, max_size=3, unique=True),
        into=IDS,
        strategy=st.sampled_from(Merge),
    )
    def compose(self, sources: list[Name], into: str, strategy: Merge) -> None:
        found = [self.thing(name) for name in sources]
        missing = not all(thing.live(self.clock.now()) for thing in found)
        held = [json.loads(thing.rows[-1].content[0])["v"] for thing in found if thing.rows]
        differ = any(value != held[0] for value in held)
        try:
            made = self.runner.run(self.store.compose(sources, namespace="z", context_id=into, strategy=strategy))
        except ConflictError:
            assert not missing
            assert differ
            assert strategy is Merge.STRICT
            return
        except StoreError:
            assert missing
            return
        assert not missing
        assert bool(made.conflicts) == differ
        flat = [each for value in held for each in (value if isinstance(value, list) else [value])]
        newest = held[max(range(len(found)), key=lambda place: found[place].seq)]
        wanted = {
            Merge.FIRST: held[0],
            Merge.LAST: held[-1],
            Merge.NEWEST: newest,
            Merge.COLLECT: list(dict.fromkeys(flat)) if differ else held[0],
            Merge.STRICT: held[0],
        }[strategy]
        metadata = {
            "composed": {
                "strategy": strategy.value,
                "sources": [
                    {"name": ":".join(name), "version": thing.rows[-1].version, "seq": thing.seq}
                    for name, thing in zip(sources, found, strict=True)
                ],
                "conflicts": ["v"] if differ else [],
            },
            "tainted": True,
        }
        text = "\n\n".join(dict.fromkeys(thing.rows[-1].content[1] for thing in found))
        tags = frozenset().union(*(thing.tags for thing in found)) - {OPEN_TAG}
        expires_at = min((thing.expires_at for thing in found if thing.expires_at is not None), default=None)
        content = (json.dumps({"v": wanted}), text, tags, json.dumps(metadata, sort_keys=True))
        assert made.context.metadata == metadata
        assert made.context.seq == self.model_store(("z", into), content, expires_at)

    @rule(limit=st.integers(1, 3))
    def take(self, limit: int) -> None:
        found = self.runner.run(self.queue.peek(limit))
        wanted = sorted((place, seq) for seq, place in self.open_deliveries.items())[:limit]
        assert [(d.rank, d.seq) for d in found] == wanted
        if not found:
            return

        async def act() -> None:
            async with self.store.unit() as unit:
                for delivery in found:
                    unit.ack(delivery)

        self.runner.run(act())
        for delivery in found:
            del self.open_deliveries[delivery.seq]

    @rule(seconds=st.sampled_from([1.0, 10.0, 100.0, 3 * DAY, 40 * DAY]))
    def pass_time(self, seconds: float) -> None:
        self.runner.run(self.clock.advance(seconds))

    @rule()
    def sweep(self) -> None:
        self.runner.run(Retention(self.store, self.clock, WISHES).sweep())
        self.model_sweep()

    @rule(namespace=NAMESPACES, seconds=st.sampled_from([None, 5.0, DAY]))
    def purge(self, namespace: str, seconds: float | None) -> None:
        async def act() -> int:
            found = await survey(self.store, Scope((namespace,), None if seconds is None else now - seconds))
            await purge(self.store, found)
            return len(found.doomed)

        now = self.clock.now()
        meant = [
            name
            for name, thing in self.things.items()
            if name[0] == namespace and (seconds is None or thing.rows[-1].at < now - seconds)
        ]
        gone = [name for name in meant if not self.stays(name)]
        assert self.runner.run(act()) == len(gone)
        for name in gone:
            del self.things[name]

    @rule()
    def stop_and_start(self) -> None:
        self.runner.run(self.store.close())
        self.runner.run(self.reopen())
        assert self.store.clean_start

    @rule()
    def give_pages_back(self) -> None:
        self.runner.run(vacuum(self.store))

    @rule()
    def move_to_a_new_home(self) -> None:
        file, now = self.folder / f"{self.lives}.jsonl", self.clock.now()
        counts = export_file(self.path, file, now)
        self.runner.run(self.store.close())
        self.lives += 1
        with file.open() as lines:
            assert import_file(lines, self.path, now) == (counts, None)
        self.runner.run(self.reopen())
        assert self.store.clean_start
        again = self.folder / f"{self.lives}.again.jsonl"
        assert export_file(self.path, again, now) == counts
        assert again.read_bytes() == file.read_bytes()
        self.seen, self.reached = 0, None

    @rule()
    def crash(self) -> None:
        old = self.path
        self.lives += 1
        for suffix in ("", "-wal"):
            source = old.with_name(old.name + suffix)
            if source.exists():
                shutil.copy(source, self.folder / f"{self.lives}.db{suffix}")
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
        hits = await self.store.search("word1", limit=50)
        assert {hit.context.seq for hit in hits} == {c.seq for c in found if "word1" in c.text.split()}
        assert await self.queue.size() == len(self.open_deliveries)
        assert (await self.store.stats()).updates == sum(len(thing.rows) for thing in self.things.values())

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.runner.run(self.store.close())
            self.runner.close()
            shutil.rmtree(self.folder)


def _picks(glob: str, namespace: str) -> bool:
    return namespace.startswith(glob[:-1]) if glob.endswith("*") else namespace == glob


TestStore = StoreMachine.TestCase
TestStore.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
