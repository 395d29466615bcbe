"""Export and import: what comes out goes in, all of it, and nothing is done twice; a fault is named by its line."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import ContextFilter, ContextUpdate
from pepper_tui.store import ContextStore, Retry, StoreError, Subscriber
from pepper_tui.store.upkeep.exporting import export_file
from pepper_tui.store.upkeep.importing import import_file
from pepper_tui.store.upkeep.portable import ImportFaultError
from pepper_tui.store.upkeep.retention import DAY, Retention
from tests.store.at_work import write_pairs
from tests.waiting import until

TABLES = {
    "updates": "SELECT u.*, n.name FROM updates u JOIN namespaces n ON n.id = u.ns ORDER BY u.seq",
    "contexts": "SELECT c.*, n.name FROM contexts c JOIN namespaces n ON n.id = c.ns ORDER BY c.seq",
    "tags": "SELECT t.tag, n.name, t.seq FROM context_tags t JOIN namespaces n ON n.id = t.ns ORDER BY 1, 2, 3",
    "subscriptions": "SELECT name, namespaces, tags, coded, created_at FROM subscriptions ORDER BY id",
    "deliveries": "SELECT s.name, d.* FROM subscriptions s JOIN deliveries d ON s.id = d.subscription ORDER BY 1, 3",
    "dedupe": "SELECT n.name, d.key, d.seq, d.until FROM dedupe d JOIN namespaces n ON n.id = d.ns ORDER BY 1, 2",
}


def dump(path: Path) -> dict[str, list[Any]]:
    """All that the tables say, without the numbers that only link them."""
    connection = sqlite3.connect(path)
    found = {name: connection.execute(sql).fetchall() for name, sql in TABLES.items()}
    connection.execute("CREATE VIRTUAL TABLE temp.words USING fts5vocab (main, search, row)")
    found["words"] = connection.execute("SELECT term, doc, cnt FROM temp.words").fetchall()
    connection.close()
    for name, link in (("updates", 1), ("contexts", 0), ("deliveries", 1)):
        found[name] = [row[:link] + row[link + 1 :] for row in found[name]]
    return found


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines(keepends=True)


async def full(path: Path, clock: ManualClock) -> ContextStore:
    """A store that holds one of everything."""
    store = await ContextStore.open(path, clock)
    subscriber = Subscriber(store)

    @subscriber.on_context_update(namespaces=["raw.dead"], name="broken", retry=Retry(attempts=1))
    async def broken(update: ContextUpdate) -> None:
        raise RuntimeError("a fault \udce4\x1b[31m")

    @subscriber.on_context_update(namespaces=["raw.late"], name="late", retry=Retry(base=1000.0), start="beginning")
    async def late(update: ContextUpdate) -> None:
        raise RuntimeError("later")

    await subscriber.start()
    await store.queue("ranked", ["raw.*"], tags=["t"], rank=lambda u: u.context.data["n"], order_key=lambda u: "k")
    for namespace in ("raw.dead", "raw.late", "raw.some"):
        await store.store({"n": 7}, namespace=namespace, context_id="x", tags=["t"], dedupe_key="once")
    await until(lambda: _settled(store))
    await subscriber.stop()
    odd = {"ä\ud800": [1.5, -0.0, 1e300, 2**60, None, True, {"deep": [{}]}], "b": "\x00\u2028", "a": 0.1 + 0.2}
    await store.store(odd, namespace="nöte.a b", context_id="i d", text="wörd \ud800", metadata=odd, tags=["ü", "t"])
    for number in range(3):
        await store.store({"n": number}, namespace="memory.a", context_id="a", text=f"v{number}", ttl=number or None)
        await clock.advance(0.123456789)
    await store.delete("a", namespace="memory.a")
    await store.store({"n": 9}, namespace="memory.a", context_id="a")
    await store.store({"id": "m", "files": [["/mail", "1"]], "body": "words"}, namespace="raw.mail", context_id="m")
    await store.store({"n": 1}, namespace="long", context_id="l", text="w " * 60_000)
    await clock.advance(800 * DAY)
    await Retention(store, clock).sweep()
    await store.store({}, namespace="gone", context_id="g", tags=["t"])
    await store.delete("g", namespace="gone")
    await store.store({"n": 1}, namespace="last", context_id="z", dedupe_key="k", dedupe_window=50.0)
    await store.search("words")
    return store


async def _settled(store: ContextStore) -> bool:
    waiting = {s.name: (s.dead, s.retrying) for s in (await store.stats()).subscriptions}
    return waiting["broken"] == (1, 0) and waiting["late"] == (0, 1)


async def test_a_round_trip_loses_nothing(tmp_path: Path, clock: ManualClock) -> None:
    store = await full(tmp_path / "p.db", clock)
    file, now = tmp_path / "export.jsonl", clock.now()
    counts = export_file(store.path, file, now)  # the store is open, as in an engine that runs
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    await store.close()
    other = tmp_path / "new" / "p.db"
    with file.open() as lines:
        assert import_file(lines, other, now) == (counts, None)
    before, after = dump(store.path), dump(other)
    assert {len(rows) > 0 for rows in before.values()} == {True}
    assert after == before
    assert stat.S_IMODE(other.stat().st_mode) == 0o600
    assert sorted(p.name for p in other.parent.iterdir()) == ["p.db"]
    store = await ContextStore.open(other, clock)
    assert store.clean_start
    assert (await store.store({}, namespace="last", dedupe_key="k")).context_id == "z"
    [letter] = await store.dead()
    assert letter.subscription == "broken"
    told: list[int] = []
    queue = await store.queue(
        "ranked", ["raw.*"], tags=["t"], rank=lambda u: u.context.data["n"], order_key=lambda u: "k"
    )
    while found := await queue.peek(10):
        told += [delivery.seq for delivery in found]
        async with store.unit() as unit:
            for delivery in found:
                unit.ack(delivery)
    assert told == [row[1] for row in before["deliveries"] if row[0] == "ranked"]
    assert (await store.store({}, namespace="n")).seq == max(row[0] for row in before["updates"]) + 1
    await store.close()


async def test_an_export_of_a_store_at_work_is_of_one_moment(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    await store.queue("q", ["left"])

    working = asyncio.create_task(write_pairs(store))
    seen = set()
    for number in range(6):
        await asyncio.sleep(0.01)
        file = tmp_path / f"{number}.jsonl"
        await asyncio.to_thread(export_file, store.path, file, clock.now())
        entries = [json.loads(line) for line in lines_of(file)]
        updates = [entry["update"] for entry in entries if "update" in entry]
        sides = [[u["data"]["n"] for u in updates if u["namespace"] == side] for side in ("left", "right")]
        assert sides[0] == sides[1] == [*range(len(sides[0]))]
        assert sum("delivery" in entry for entry in entries) == len(sides[0])
        seen.add(len(updates))
    await working
    assert len(seen) > 1
    await store.close()


async def test_a_file_that_is_there_is_left_alone(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    file = tmp_path / "export.jsonl"
    file.write_text("mine")
    with pytest.raises(StoreError, match=r"export.jsonl already exists; name a new file"):
        export_file(store.path, file, clock.now())
    assert file.read_text() == "mine"
    with pytest.raises(StoreError, match="No such file"):
        export_file(store.path, tmp_path / "nowhere" / "x", clock.now())
    with pytest.raises(StoreError, match="there is no store"):
        export_file(tmp_path / "q.db", tmp_path / "y", clock.now())
    await store.close()
    assert {each.name for each in await asyncio.to_thread(lambda: [*tmp_path.iterdir()])} == {"p.db", "export.jsonl"}


async def test_a_store_is_replaced_only_when_told_and_kept(tmp_path: Path, clock: ManualClock) -> None:
    store = await full(tmp_path / "p.db", clock)
    await store.close()
    export_file(store.path, tmp_path / "x.jsonl", clock.now())
    other = await ContextStore.open(tmp_path / "q.db", clock)
    await other.store({"n": 1}, namespace="mine", context_id="a")
    await other.close()
    before = dump(other.path)
    with pytest.raises(StoreError, match=r"holds 1 updates already.*--replace"):
        import_file(lines_of(tmp_path / "x.jsonl"), other.path, clock.now())
    assert dump(other.path) == before
    _, kept = import_file(lines_of(tmp_path / "x.jsonl"), other.path, clock.now(), replace=True)
    assert kept is not None
    assert dump(kept) == before
    assert dump(other.path) == dump(store.path)


async def exported(folder: Path, clock: ManualClock) -> list[str]:
    store = await ContextStore.open(folder / "p.db", clock)
    await store.queue("q", ["a"])
    for number in range(3):
        await store.store({"n": number}, namespace="a", context_id="x", dedupe_key=f"k{number}")
    await store.close()
    export_file(store.path, folder / "x.jsonl", clock.now())
    return lines_of(folder / "x.jsonl")


FAULTS: dict[str, tuple[int, Any, str]] = {
    # what is done to which line (from 1), and what is said of it
    "no JSON": (3, "{", "line 3: this is not JSON"),
    "another file": (1, {"pepper": "corn"}, "line 1: this is not an export"),
    "a newer Pepper's": (1, {"format": 99}, "line 1: the export is from a newer Pepper"),
    "a newer schema": (1, {"schema": 99}, "line 1: the export is from a newer Pepper"),
    "out of order": (4, {"update": {"seq": 1}}, "line 4: update 1 comes after 1"),
    "a broken chain": (4, {"update": {"previous": None}}, "line 4: update 2 names None as its previous version"),
    "no number": (4, {"update": {"version": "2"}}, "line 4: version is not a whole number"),
    "no data": (4, {"update": {"data": [1]}}, "line 4: data is not a JSON object"),
    "no time": (4, {"update": {"created_at": "x"}}, "line 4: created_at is no time"),
    "a time beyond all": (4, {"update": {"created_at": 10**400}}, "line 4: created_at is no time"),
    "too deep": (4, "[" * 100_000, "line 4: this is nested too deeply"),
    "a missing key": (4, {"update": {"text": ...}}, "line 4: update has no text"),
    "another kind": (4, {"wish": {}, "update": ...}, "line 4: nothing is known of 'wish'"),
    "a delivery of nobody": (6, {"delivery": {"subscription": "z"}}, "line 6: a delivery of a subscription"),
    "a delivery of nothing": (6, {"delivery": {"seq": 77}}, "line 6: it names update 77"),
    "a delivery that is done": (6, {"delivery": {"state": "done"}}, "line 6: a delivery in a state"),
    "a line too few": (8, None, "line 11: lines are missing"),
    "cut off": (12, None, "line 12: the file ends before the export does"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_is_named_by_its_line_and_nothing_is_imported(
    tmp_path: Path, clock: ManualClock, fault: str
) -> None:
    place, change, words = FAULTS[fault]
    lines = await exported(tmp_path, clock)
    assert len(lines) == 12
    if change is None:
        del lines[place - 1]
    else:
        lines[place - 1] = (
            change if isinstance(change, str) else json.dumps(changed(json.loads(lines[place - 1]), change))
        )
    with pytest.raises(ImportFaultError) as caught:
        import_file(lines, tmp_path / "new" / "q.db", clock.now())
    assert words in str(caught.value)
    assert "Nothing was imported" in str(caught.value)
    assert [*(tmp_path / "new").iterdir()] == []


def changed(value: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    merged = {**value}
    for key, each in change.items():
        if each is ...:
            merged.pop(key)
        else:
            merged[key] = changed(value.get(key, {}), each) if isinstance(each, dict) else each
    return merged


async def test_an_empty_file_is_no_export(tmp_path: Path, clock: ManualClock) -> None:
    with pytest.raises(ImportFaultError, match="line 1: the file is empty"):
        import_file([], tmp_path / "q.db", clock.now())
    lines = await exported(tmp_path, clock)
    with pytest.raises(ImportFaultError, match="line 13: this comes after the end"):
        import_file([*lines, lines[-1]], tmp_path / "q.db", clock.now())


async def test_no_line_that_anybody_damaged_breaks_the_import(tmp_path: Path, clock: ManualClock) -> None:
    """Any character of the file changed: it is taken, or refused by its line; never anything else."""
    lines, chance = await exported(tmp_path, clock), random.Random(5)
    whole = "".join(lines)
    for number in range(150):
        at = chance.randrange(len(whole))
        spoilt = whole[:at] + chance.choice('{}[]",:0-9aé\n\x00') + whole[at + chance.randrange(3) :]
        try:
            import_file(spoilt.splitlines(keepends=True), tmp_path / f"{number}.db", clock.now())
        except ImportFaultError:
            assert not (tmp_path / f"{number}.db").exists()
        else:
            store = await ContextStore.open(tmp_path / f"{number}.db", clock)
            assert len(await store.query(ContextFilter())) <= 3
            await store.close()


CHILD = """
import sys
from pathlib import Path
from pepper_tui.store.upkeep.importing import import_file
print("ready", flush=True)
import_file(open(sys.argv[1]), Path(sys.argv[2]), 0.0, replace=True)
print("done", flush=True)
"""


async def test_killed_in_the_midst_of_an_import(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    async with store.unit():
        for number in range(3000):
            await store.store({"n": number}, namespace="new", text=f"word{number}")
    await store.close()
    export_file(store.path, tmp_path / "x.jsonl", clock.now())
    target = tmp_path / "home" / "q.db"
    old = await ContextStore.open(target, clock)
    await old.store({"n": 1}, namespace="old", context_id="a")
    await old.close()
    chance, killed = random.Random(2), 0
    for longest in (0.0, 0.03, 0.06, 0.12):
        done = await asyncio.to_thread(_run_and_kill, tmp_path / "x.jsonl", target, chance.random() * longest)
        killed += not done
        found = await ContextStore.open(target, clock)
        assert found.clean_start
        namespaces = (await found.stats()).namespaces
        assert namespaces == ({"new": 3000} if done else {"old": 1})
        await found.close()
        if done:
            break
    assert killed
    with (tmp_path / "x.jsonl").open() as lines:
        import_file(lines, target, clock.now(), replace=True)
    assert not list(target.parent.glob("*.importing*"))


def _run_and_kill(file: Path, target: Path, seconds: float) -> bool:
    with subprocess.Popen([sys.executable, "-c", CHILD, str(file), str(target)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
        return b"done" in child.stdout.read()


async def test_an_export_touches_no_file_beside_it(tmp_path: Path, clock: ManualClock) -> None:
    await (await full(tmp_path / "p.db", clock)).close()
    mine = tmp_path / "out.jsonl.part"
    mine.write_text("mine")
    export_file(tmp_path / "p.db", tmp_path / "out.jsonl", clock.now())
    assert mine.read_text() == "mine"
