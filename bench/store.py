"""The store: stores a second against one commit a store, and the delay from a store to its deliveries.

``python -m bench.store`` prints the rows; ``rows()`` returns them. The baseline writes the same rows (log, current
version, tags, full text, delivery) through the standard library's ``sqlite3`` with ``synchronous=FULL``, one commit
a store, and takes turns with the store on the same disk. It has neither thread nor event loop to pass, so a second
baseline is this store itself with groups of one: that ratio is the gain of group commit alone.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import statistics
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from bench.measured import Measured, percentile
from pepper_tui.clock import SystemClock
from pepper_tui.engine.interpreter import share_threads_fairly
from pepper_tui.model import ContextUpdate
from pepper_tui.store import ContextStore, Subscriber
from pepper_tui.store.log.health import prepare
from pepper_tui.store.log.writer import GROUP

TEXT = "Lunch on Thursday? The place by the river has a table for four, Alice says, if we book before noon. " * 3
STORES = {1: 600, 16: 3200, 256: 7680}
TURNS = 5
CLOCK = SystemClock()


def new_id() -> str:
    return CLOCK.new_id("mail")


def baseline(path: Path, count: int) -> float:
    """Stores a second of the standard library, one commit each."""
    connection = sqlite3.connect(path, isolation_level=None)
    prepare(connection, path, time.time())
    connection.execute("INSERT OR IGNORE INTO namespaces VALUES (1, 'raw.mail')")
    connection.execute("INSERT OR IGNORE INTO subscriptions VALUES (1, 'bench', '[\"raw.*\"]', '[]', 0, 0)")
    first = connection.execute("SELECT coalesce(max(seq), 0) FROM updates").fetchone()[0] + 1
    begin = time.perf_counter()
    for seq in range(first, first + count):
        ident, now = new_id(), time.time()
        data = json.dumps({"id": ident, "subject": "Lunch"})
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("SELECT seq FROM contexts WHERE ns = 1 AND context_id = ?", (ident,)).fetchone()
        row = (seq, 1, ident, 1, "mail", data, TEXT, None, '["inbox"]', "{}", now, now, None, 0, None)
        connection.execute("INSERT INTO updates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        current = (1, ident, seq, 1, 0, "mail", now, now, None)
        connection.execute("INSERT INTO contexts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", current)
        connection.execute("INSERT INTO context_tags VALUES ('inbox', 1, ?)", (seq,))
        connection.execute("INSERT INTO search (rowid, body) VALUES (?, ?)", (seq, TEXT))
        connection.execute(
            "INSERT INTO deliveries (subscription, seq, rank, state) VALUES (1, ?, 0, 'pending')", (seq,)
        )
        connection.execute("COMMIT")
    spent = time.perf_counter() - begin
    connection.close()
    return count / spent


async def stores(path: Path, producers: int, count: int, group: int = GROUP) -> float:
    """Stores a second of the store with so many producers, each awaiting its commit before the next."""
    store = await ContextStore.open(path, CLOCK, group=group)
    await store.queue("bench", ["raw.*"])

    async def produce() -> None:
        for _ in range(count // producers):
            data = {"id": new_id(), "subject": "Lunch"}
            await store.store(data, namespace="raw.mail", type="mail", text=TEXT, tags=["inbox"])

    begin = time.perf_counter()
    await asyncio.gather(*(produce() for _ in range(producers)))
    await store.search("nowhere")  # the search index is brought on in runs: the last one counts, too
    spent = time.perf_counter() - begin
    await store.close()
    return count / spent


async def deliveries(path: Path, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds from the call of ``store()`` to a live watcher, and to a durable handler, one at a time."""
    store = await ContextStore.open(path, CLOCK)
    subscriber = Subscriber(store)
    called = 0.0
    handled = asyncio.Event()
    seen = asyncio.Event()
    durable: list[float] = []
    live: list[float] = []

    @subscriber.on_context_update(namespaces=["raw.*"])
    async def handler(_update: ContextUpdate) -> None:
        durable.append((time.perf_counter() - called) * 1000)
        handled.set()

    await subscriber.start()
    async with store.watch(["raw.*"]) as watched:

        async def watch() -> None:
            async for _ in watched:
                live.append((time.perf_counter() - called) * 1000)
                seen.set()

        task = asyncio.create_task(watch())
        for number in range(count):
            handled.clear()
            seen.clear()
            called = time.perf_counter()
            await store.store({"id": f"mail_{number}"}, namespace="raw.mail", text=TEXT)
            await handled.wait()
            await seen.wait()
            await asyncio.sleep(0.002)  # the handler's own commit is not part of the next one's delay
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await subscriber.stop()
    await store.close()
    return live, durable


def rows() -> list[Measured]:
    """All figures, in the order of the table."""
    share_threads_fairly()  # as the program does
    with tempfile.TemporaryDirectory(prefix="pepper-bench-") as folder:
        home = Path(folder)
        base: list[float] = []
        single: list[float] = []
        ours: dict[int, list[float]] = {producers: [] for producers in STORES}
        for turn in range(TURNS):
            base.append(baseline(home / f"base{turn}.db", 600))
            single.append(asyncio.run(stores(home / f"single{turn}.db", 16, 1600, group=1)))
            for producers, count in STORES.items():
                ours[producers].append(asyncio.run(stores(home / f"store{turn}.db", producers, count)))
        live, durable = asyncio.run(deliveries(home / "delivery.db", 500))
    one = statistics.median(base)
    found = [Measured("store.baseline", one, "stores/s", "one commit a store, stdlib")]
    alone = statistics.median(single)
    found.append(Measured("store.ungrouped", alone, "stores/s", "one commit a store, this store, 16 producers"))
    for producers, speeds in ours.items():
        speed = statistics.median(speeds)
        found.append(Measured(f"store.{producers}", speed, "stores/s"))
        goal = ">= 5" if producers == 16 else ""
        found.append(Measured(f"store.{producers}.ratio", speed / one, "×", f"{goal} of stdlib".strip()))
        found.append(Measured(f"store.{producers}.grouping", speed / alone, "×", f"{goal} of ungrouped".strip()))
    for name, values in (("live", live), ("durable", durable)):
        found.append(Measured(f"delivery.{name}.p50", percentile(values, 0.5), "ms", "<= 2"))
        found.append(Measured(f"delivery.{name}.p99", percentile(values, 0.99), "ms"))
    return found


if __name__ == "__main__":
    for row in rows():
        print(f"{row.name:24} {row.value:12,.2f} {row.unit:9} {row.goal}")
