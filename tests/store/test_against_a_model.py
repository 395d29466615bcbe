"""The store in a file against the model that every store is held to (``tests/conformance/store``), and with what only a
file can do: rollback, compositions, retention, purges, clean stops, crashes and moves to a new home.

A crash is a copy of the files as they are (the database and its write-ahead log), opened elsewhere. Answers are cached,
so that each comparison is also one of the cache.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from pepper_tui.model import OPEN_TAG, Namespace
from pepper_tui.store import ContextStore, StoreError
from pepper_tui.store.compose import ConflictError, Merge
from pepper_tui.store.log.rollback import RollbackRefusedError
from pepper_tui.store.upkeep.exporting import export_file
from pepper_tui.store.upkeep.importing import import_file
from pepper_tui.store.upkeep.picking import DELETED, EXPIRED, FRESH
from pepper_tui.store.upkeep.purge import Scope, purge, survey, vacuum
from pepper_tui.store.upkeep.retention import REACH, Retention
from pepper_tui.store.upkeep.retention_rules import Wish
from tests.conformance.store.machine import DAY, IDS, NAMESPACES, Name, StoreMachine, long

WISHES = {"a.*": Wish(days=2, versions=2), "a": Wish(versions=1), "z": Wish(days=1)}
BOUNDS = {"a.b": 2, "a": 1, "z": 100, Namespace.HEALTH: 3}
DAYS = {"a.b": 2.0, "z": 1.0}


class FileMachine(StoreMachine):
    store: ContextStore

    @initialize()
    def begin(self) -> None:
        memory = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(prefix="pepper-model-", dir=memory if memory.is_dir() else None))
        self.lives = 0
        self.seen = 0  # of the log, by retention
        self.reached: float | None = None  # in time, by retention
        super().begin()

    @property
    def path(self) -> Path:
        return self.folder / f"{self.lives}.db"

    async def open(self) -> ContextStore:
        return await ContextStore.open(self.path, self.clock, cache_ttl=60.0)

    # -------------------------------------------------------------------------------------------- the model

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

    async def compare(self) -> None:
        await super().compare()
        assert (await self.store.stats()).updates == sum(len(thing.rows) for thing in self.things.values())

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)


TestStore = FileMachine.TestCase
TestStore.settings = long(25)


def test_an_export_is_the_same_though_its_copy_numbers_the_namespaces_anew() -> None:
    machine, none = FileMachine(), frozenset[str]()
    machine.begin()
    try:
        machine.save("a", "x", 0, none, None, None)
        machine.save("a.b", "x", 0, none, None, None)
        machine.save("a", "x", 1, none, None, None)
        machine.pass_time(3 * DAY)
        machine.sweep()  # the first row of the log is gone: "a" is no longer the first that a reader meets
        machine.save("a", "x", 2, none, None, "k")
        machine.save("a.b", "x", 1, none, None, "k")
        machine.move_to_a_new_home()
    finally:
        machine.teardown()
