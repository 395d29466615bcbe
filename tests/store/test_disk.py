"""What the disk can do to a store: cut its log anywhere, damage a page, be full, be read-only."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
import struct
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import Context, ContextFilter, ContextUpdate
from pepper_tui.store import ContextStore, Retry, StoreError, Subscriber
from pepper_tui.store.delivery.subscriber import STORE_PAUSE
from pepper_tui.store.log.database import InlineDatabase
from tests.store import disks
from tests.waiting import until

ROOT = os.geteuid() == 0
EVERYTHING = 1_000_000


async def pair(store: ContextStore, number: int, text: str = "") -> None:
    """Two contexts in one unit."""
    async with store.unit():
        await store.store({"n": number}, namespace="left", context_id=f"{number:04}", text=text, tags=["t"])
        await store.store({"n": number}, namespace="right", context_id=f"{number:04}", text=text)


async def pairs(store: ContextStore) -> list[int]:
    """The numbers of all pairs, oldest first; fails where one is half there."""
    sides: list[list[Context]] = []
    for side in ("left", "right"):
        wanted = ContextFilter(namespaces=[side], newest_first=False, limit=EVERYTHING)
        sides.append(await store.query(wanted))
    left, right = ([context.data["n"] for context in side] for side in sides)
    assert left == right
    return left


async def left_behind(folder: Path, clock: ManualClock, count: int) -> tuple[bytes, bytes]:
    """The database file and the write-ahead log of a store that was killed after ``count`` pairs."""
    path = folder / "killed.db"
    store = await ContextStore.open(path, clock)
    await store.queue("q", ["left"])
    await store.close()
    store = await ContextStore.open(path, clock)
    for number in range(count):
        await pair(store, number, "some words to find again")
    files = path.read_bytes(), path.with_name(path.name + "-wal").read_bytes()
    await store.close()
    return files


async def opened(folder: Path, clock: ManualClock, database: bytes, log: bytes) -> ContextStore:
    def lay_out() -> None:
        folder.mkdir()
        (folder / "p.db").write_bytes(database)
        (folder / "p.db-wal").write_bytes(log)

    await asyncio.to_thread(lay_out)
    return await ContextStore.open(folder / "p.db", clock, database=InlineDatabase.open)


async def test_a_log_cut_anywhere_recovers_to_a_whole_prefix(quick: Path, clock: ManualClock) -> None:
    count = 16
    database, log = await left_behind(quick, clock, count)
    page: int = struct.unpack(">I", log[8:12])[0]
    boundaries = [*range(32, len(log) + 1, page + 24)]
    chance = random.Random(7)
    torn = [chance.randrange(len(log)) for _ in range(40)]
    torn += [boundary + shift for boundary in boundaries[::8] for shift in (1, 24, 24 + page // 2)]
    seen: dict[int, int] = {}
    for number, cut in enumerate(sorted({0, 1, 31, *boundaries, *(min(t, len(log)) for t in torn)})):
        folder = quick / str(number)
        store = await opened(folder, clock, database, log[:cut])
        found = await pairs(store)
        assert found == [*range(len(found))]
        queue = await store.queue("q", ["left"])
        assert await queue.size() == len(found)
        assert len(await store.search("words", limit=EVERYTHING)) == 2 * len(found)
        seen[cut] = len(found)
        await store.close()
        shutil.rmtree(folder)
    lengths = [seen[cut] for cut in sorted(seen)]
    assert lengths == sorted(lengths)
    assert set(lengths) == set(range(count + 1))
    assert [seen[cut] for cut in boundaries if cut in seen][-1] == count


async def test_a_log_with_a_flipped_byte_recovers_to_a_whole_prefix(quick: Path, clock: ManualClock) -> None:
    database, log = await left_behind(quick, clock, 12)
    chance = random.Random(3)
    for number in range(40):
        place = chance.randrange(32, len(log))
        broken = log[:place] + bytes([log[place] ^ (1 << chance.randrange(8))]) + log[place + 1 :]
        store = await opened(quick / str(number), clock, database, broken)
        found = await pairs(store)
        assert found == [*range(len(found))]
        assert len(found) < 12
        await store.close()


async def test_an_idle_store_folds_its_log_and_then_rests(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pepper_tui.store.log.writer.IDLE", 0.05)
    path = tmp_path / "p.db"
    log = tmp_path / "p.db-wal"
    store = await ContextStore.open(path, clock)
    await pair(store, 1, "found")
    assert log.stat().st_size > 0
    await until(lambda: log.stat().st_size == 0)
    folded = path.stat()
    await asyncio.sleep(0.3)  # several times as long: nothing more is done
    assert (path.stat().st_mtime_ns, log.stat().st_size) == (folded.st_mtime_ns, 0)
    assert await pairs(store) == [1]
    assert len(await store.search("found")) == 2
    await pair(store, 2)
    assert log.stat().st_size > 0
    await until(lambda: log.stat().st_size == 0)
    await store.close()


async def test_a_damaged_page_is_found_after_an_unclean_stop(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "p.db"
    store = await ContextStore.open(path, clock)
    for number in range(150):
        await pair(store, number, "words " * 40)
    await store.close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE meta SET value = '0' WHERE key = 'clean'")
    connection.commit()
    page: int = connection.execute("PRAGMA page_size").fetchone()[0]
    connection.execute("PRAGMA journal_mode = DELETE")
    used = [row[0] for row in connection.execute("SELECT DISTINCT pageno FROM dbstat ORDER BY 1")]
    connection.close()
    whole = path.read_bytes()
    chance = random.Random(1)
    assert len(used) > 40
    for number in chance.sample(used, 25):
        path.write_bytes(whole[: (number - 1) * page] + chance.randbytes(page) + whole[number * page :])
        before = path.read_bytes()
        with pytest.raises(StoreError, match=r"p\.db is damaged .*Way out: .*restore.*recover"):
            await ContextStore.open(path, clock, database=InlineDatabase.open)
        assert path.read_bytes() == before
    path.write_bytes(whole)
    store = await ContextStore.open(path, clock)
    assert len(await pairs(store)) == 150
    await store.close()


async def full_until_there_is_room(
    store: ContextStore, fill: Callable[[], Awaitable[None]], room: Callable[[], Awaitable[None]]
) -> None:
    """Fill, see that every store is refused in words and none by half; make room, see that the store goes on."""
    await pair(store, 0)
    await fill()
    refused: list[BaseException] = []
    for number in range(1, 200):
        try:
            await pair(store, number, f"{number} " * 2000)
        except StoreError as error:
            refused.append(error)
            if len(refused) == 3:
                break
    assert len(refused) == 3
    for words in map(str, refused):
        assert "nothing of this was stored" in words
        assert str(store.path) in words
        assert "room" in words
    kept = await pairs(store)
    together = await asyncio.gather(*(pair(store, 900 + n, "x " * 4000) for n in range(8)), return_exceptions=True)
    assert all(isinstance(result, StoreError | None) for result in together)
    kept = await pairs(store)
    await room()
    await pair(store, 999, "room again")
    assert await pairs(store) == [*kept, 999]
    assert [hit.context.data["n"] for hit in await store.search("room again")] == [999, 999]


async def test_a_full_file_refuses_and_goes_on_with_room(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)

    async def bound(pages: int) -> None:
        await store.file.writer.run(lambda connection, _: connection.execute(f"PRAGMA max_page_count = {pages}"))

    await full_until_there_is_room(store, lambda: bound(60), lambda: bound(1_000_000))
    await store.close()
    store = await ContextStore.open(tmp_path / "p.db", clock)
    assert store.clean_start
    await store.close()


async def test_a_full_disk_refuses_and_goes_on_with_room(small_disk: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(small_disk / "p.db", clock)
    filler = small_disk / "filler"

    async def fill() -> None:
        disks.fill(small_disk)

    async def room() -> None:
        filler.unlink()

    await full_until_there_is_room(store, fill, room)
    await store.close()


async def test_a_disk_that_is_full_from_the_start_says_so(small_disk: Path, clock: ManualClock) -> None:
    (small_disk / "filler").write_bytes(bytes(2 * 1024 * 1024))
    with pytest.raises(StoreError, match=r"p\.db.*room"):
        await ContextStore.open(small_disk / "p.db", clock)
    (small_disk / "filler").unlink()
    store = await ContextStore.open(small_disk / "p.db", clock)
    await pair(store, 1)
    await store.close()


@pytest.fixture
def read_only() -> Iterator[tuple[Path, Callable[[bool], None]]]:
    """A folder that everybody can reach, and a switch that makes it and the store in it read-only for us, or not."""
    with tempfile.TemporaryDirectory(prefix="pepper-read-only-") as name:
        folder = Path(name)

        def switch(on: bool) -> None:
            if ROOT and not on:
                os.seteuid(0)
            folder.chmod(0o555 if on else 0o700)
            for file in folder.iterdir():
                file.chmod(0o444 if on else 0o600)
            if ROOT and on:
                os.seteuid(65534)  # root may write anywhere

        yield folder, switch
        switch(False)


async def test_a_read_only_folder_says_what_to_do(
    read_only: tuple[Path, Callable[[bool], None]], clock: ManualClock
) -> None:
    folder, switch = read_only
    store = await ContextStore.open(folder / "p.db", clock)
    await pair(store, 1)
    await store.close()
    switch(True)
    with pytest.raises(StoreError, match=r"p\.db cannot be written .*give yourself the right"):
        await ContextStore.open(folder / "p.db", clock)
    with pytest.raises(StoreError, match=r"new\.db .*may be written"):
        await ContextStore.open(folder / "new.db", clock)
    switch(False)
    store = await ContextStore.open(folder / "p.db", clock)
    assert store.clean_start
    assert await pairs(store) == [1]
    await store.close()


async def test_a_full_disk_makes_no_dead_letters(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    subscriber, calls = Subscriber(store), 0

    @subscriber.on_context_update(namespaces=["in"], name="copies")
    async def copy(update: ContextUpdate) -> None:
        nonlocal calls
        calls += 1
        await store.store({"of": update.seq, "long": "x " * 200_000}, namespace="out")

    async def bound(pages: int) -> None:
        await store.file.writer.run(lambda connection, _: connection.execute(f"PRAGMA max_page_count = {pages}"))

    await subscriber.start()
    await bound(80)
    for number in range(3):
        await store.store({"n": number}, namespace="in")

    async def tried(times: int) -> bool:
        await clock.advance(STORE_PAUSE)
        return calls >= times

    await until(lambda: tried(3 * Retry().attempts))
    assert not await store.query(ContextFilter(namespaces=["out"]))
    assert not await store.dead()
    before = calls
    await bound(1_000_000)
    await until(lambda: tried(before + 1))
    await until(lambda: counted(store, "out", 3))
    assert not await store.dead()
    await subscriber.stop()
    await store.close()


async def counted(store: ContextStore, namespace: str, number: int) -> bool:
    return len(await store.query(ContextFilter(namespaces=[namespace]))) == number


async def test_all_its_files_are_the_owners_alone(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    await pair(store, 1)
    assert modes(tmp_path) == {"p.db": "0o600", "p.db-wal": "0o600", "p.db-shm": "0o600"}
    await store.close()


def modes(folder: Path) -> dict[str, str]:
    return {each.name: oct(each.stat().st_mode & 0o777) for each in folder.iterdir()}
