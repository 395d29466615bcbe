"""Search by meaning: texts embedded a second, memory, and a query by the number of vectors, against brute force.

``python -m bench.meaning [SIZE…]`` prints the rows; sizes are contexts with a vector (default 10,000 and 100,000; a
million takes some minutes to fill and 1.5 GB). The vectors are means of the vectors of a dozen words, as those of texts
are, made by numpy. Brute force is the product of the query with all vectors as float32 in memory, and its ten best.
"""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.measured import Measured, percentile
from pepper_tui.clock import SystemClock
from pepper_tui.llm.embedding.local import OfflineEmbedder
from pepper_tui.model import ContextFilter
from pepper_tui.store import ContextStore, Meaning
from pepper_tui.store.search.embeddings import as_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZES = (10_000, 100_000)
QUERIES = 40
BEST = 10
UNIT = 400
SPACES = ("raw.mail", "raw.chat", "note")
LETTER = (
    "Your stay in Lisbon: your room is reserved for three nights, breakfast included. Please tell us when you arrive. "
)
SAID = [
    word
    for line in (
        "airplane hotel invoice rent neighbour dentist salary contract wedding puppy garden concert library museum",
        "brakes police school server database insurance soup bicycle meeting slides office party tax refund parcel",
        "exhibition ticket kitchen doctor result release payment account birthday technician membership appointment",
    )
    for word in line.split()
]
EVERYTHING = ContextFilter()


def resident(process: int | None = None) -> float:
    """Megabytes that a process holds, by default this one."""
    return int(Path(f"/proc/{process or 'self'}/statm").read_text().split()[1]) * 4096 / 1e6


async def embedding() -> list[Measured]:
    """The embedder alone."""
    before = resident()
    begin = time.perf_counter()
    embedder = OfflineEmbedder()
    await embedder.open()
    loading = (time.perf_counter() - begin) * 1000
    texts = [f"{LETTER * 3} {number}" for number in range(embedder.batch)]
    spent = []
    for _ in range(30):
        begin = time.perf_counter()
        await embedder.embed(texts, waits=False)
        spent.append(time.perf_counter() - begin)
    theirs, ours = resident(embedder.process), resident() - before
    await embedder.release()
    return [
        Measured("meaning.load", loading, "ms", "a process, and its weights"),
        Measured("meaning.process", theirs, "MB", "of its own, until it is released"),
        Measured("meaning.numpy", ours, "MB", "in Pepper itself, from then on"),
        Measured("meaning.embed", len(texts) / percentile(spent, 0.5), "texts/s", "of 350 characters"),
    ]


async def catching_up(folder: Path, count: int) -> Measured:
    """Texts a second from the log to the file, without rests."""
    store = await ContextStore.open(folder / "catch.db", SystemClock())
    async with store.unit():
        for number in range(count):
            await store.store({"id": str(number)}, namespace=SPACES[0], text=f"{LETTER * 3} {number}")
    embedder = OfflineEmbedder()
    await embedder.open()
    meaning = Meaning(store, embedder, most=1_000_000)
    begin = time.perf_counter()
    while await meaning.embedding.portion():
        pass
    spent = time.perf_counter() - begin
    await meaning.stop()
    await store.close()
    return Measured("meaning.catch_up", count / spent, "texts/s", "log to file, without rests")


async def filled(path: Path, vectors: NDArray[Any]) -> ContextStore:
    """A store whose every context has its vector."""
    store = await ContextStore.open(path, SystemClock())
    size = len(vectors)
    chance = random.Random(size)
    for start in range(0, size, UNIT):
        async with store.unit():
            for number in range(start, min(size, start + UNIT)):
                text = " ".join(chance.choices(SAID, k=6))
                await store.store({"id": str(number)}, namespace=SPACES[number % len(SPACES)], text=text)
    unused = Meaning(store, OfflineEmbedder(), most=size)
    cursor = await unused.embedding.cursor()
    spaces = [0, *(await store.file.read(lambda c: [store.file.known(c)[name] for name in SPACES]))]

    def insert(connection: Any) -> None:
        connection.execute("BEGIN")
        for start in range(0, size, 10_000):
            rows = as_bytes(vectors[start : start + 10_000])
            connection.executemany(
                "INSERT INTO embeddings VALUES (?, ?, ?, ?)",
                ((start + n + 1, spaces[(start + n) % 3 + 1], cursor.generation, row) for n, row in enumerate(rows)),
            )
        connection.execute(
            "UPDATE meta SET value = json_set(value, '$.low', 0, '$.high', ?1, '$.dimensions', ?2, '$.count', ?1)"
            " WHERE key = 'embeddings'",
            (size, vectors.shape[1]),
        )
        connection.execute("COMMIT")

    await store.file.project(insert)
    return store


async def measured(folder: Path, size: int) -> list[Measured]:
    """All figures of one size."""
    import numpy as np

    embedder = OfflineEmbedder()
    words = await embedder.embed(SAID, waits=False)
    chance = np.random.default_rng(size)
    vectors = np.empty((size, words.shape[1]), np.float32)
    for start in range(0, size, 50_000):
        part = vectors[start : start + 50_000]
        some = np.eye(len(SAID), dtype=np.float32)[chance.integers(len(SAID), size=(len(part), 12))].sum(axis=1)
        noise = chance.standard_normal(part.shape, np.float32) * np.float32(0.02)
        part[:] = (some + chance.random(some.shape, np.float32) * 0.2) @ words / 12 + noise
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    store = await filled(folder / "p.db", vectors)
    [pages] = (
        await store.file.read(
            lambda c: c.execute("SELECT sum(pgsize) FROM dbstat WHERE name = 'embeddings'").fetchone(), 1
        )
        if await has_dbstat(store)
        else [0]
    )
    meaning = Meaning(store, embedder, most=size)
    begin = time.perf_counter()
    await meaning.embedding.load_signs()
    loading = (time.perf_counter() - begin) * 1000
    queries = await embedder.embed([" ".join(chance.choice(SAID, 3)) for _ in range(QUERIES)], waits=True)
    ours, brute, right = [], [], 0
    for query in queries:
        begin = time.perf_counter()
        found = await meaning.embedding.nearest(query, EVERYTHING, BEST)
        ours.append((time.perf_counter() - begin) * 1000)
        begin = time.perf_counter()
        cosines = vectors @ query
        best = np.argpartition(-cosines, BEST)[:BEST]
        brute.append((time.perf_counter() - begin) * 1000)
        right += len({seq - 1 for seq in found} & set(best.tolist()))
    name = f"meaning.{size // 1000}k"
    memory = meaning.embedding.memory
    await meaning.stop()
    await store.close()
    mine, theirs = percentile(ours, 0.5), percentile(brute, 0.5)
    return [
        Measured(f"{name}.query", mine, "ms", "to the contexts' places in the log"),
        Measured(f"{name}.brute", theirs, "ms", f"{vectors.nbytes / 1e6:.0f} MB in memory"),
        Measured(f"{name}.recall", right / QUERIES / BEST, "", "of brute force's ten best"),
        Measured(f"{name}.load", loading, "ms", "signs into memory"),
        Measured(f"{name}.memory", memory / 1e6, "MB", "44 bytes a vector, in steps of 65,536"),
        *([Measured(f"{name}.bytes", pages / size, "bytes", "of the file, a vector")] if pages else []),
    ]


async def has_dbstat(store: ContextStore) -> bool:
    """Whether this SQLite can tell the size of one table."""
    options = await store.file.read(lambda c: [row[0] for row in c.execute("PRAGMA compile_options")], 1)
    return "ENABLE_DBSTAT_VTAB" in options


def rows(sizes: tuple[int, ...] = SIZES) -> list[Measured]:
    """All figures, in the order of the table."""
    found = asyncio.run(embedding())
    with tempfile.TemporaryDirectory(prefix="pepper-bench-") as folder:
        found.append(asyncio.run(catching_up(Path(folder), 5_000)))
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="pepper-bench-") as folder:
            found += asyncio.run(measured(Path(folder), size))
        gc.collect()
    return found


if __name__ == "__main__":
    for row in rows(tuple(map(int, sys.argv[1:])) or SIZES):
        print(f"{row.name:24} {row.value:12,.2f} {row.unit:9} {row.goal}")
