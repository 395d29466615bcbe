"""Copies of the store: before each migration, and at the user's wish; whole, private, never half a file."""

from __future__ import annotations

import asyncio
import hashlib
import random
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import ContextFilter
from pepper_tui.store import ContextStore, StoreError
from pepper_tui.store.log.database import reading
from pepper_tui.store.log.schema import MIGRATIONS, schema_of
from pepper_tui.store.upkeep.copying import back_up, default_target, stamp, whole_copy
from pepper_tui.store.upkeep.placing import put_in_place
from pepper_tui.store.upkeep.restoring import restore
from tests.store.at_work import write_pairs

OLDER = range(1, len(MIGRATIONS))


def leave_old(path: Path, schema: int = 1, size: int = 0) -> None:
    """A store as an older Pepper left it, with one context, and ``size`` bytes of another."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(";".join(MIGRATIONS[:schema]))
        rows = [(1, "a", "apple"), (2, "b", "b" * size)] if size else [(1, "a", "apple")]
        connection.execute("INSERT INTO namespaces VALUES (1, 'n')")
        for seq, ident, text in rows:
            connection.execute(
                "INSERT INTO updates VALUES (?, 1, ?, 1, '', '{}', ?, NULL, '[]', '{}', 1, 1, NULL, 0, NULL)",
                (seq, ident, text),
            )
            connection.execute(
                "INSERT INTO contexts (ns, context_id, seq, version, deleted, type, created_at, updated_at"
                + (
                    ", digest) VALUES (1, ?, ?, 1, 0, '', 1, 1, x'00')"
                    if schema < 3
                    else ") VALUES (1, ?, ?, 1, 0, '', 1, 1)"
                ),
                (ident, seq),
            )
        connection.execute(f"PRAGMA user_version = {schema}")


def said(path: Path) -> tuple[int, str, list[Any]]:
    """Schema, what SQLite thinks of the file, and what it holds."""
    with closing(reading(path)) as connection:
        checked = str(connection.execute("PRAGMA quick_check").fetchone()[0])
        rows = connection.execute("SELECT seq, context_id, substr(text, 1, 20) FROM updates ORDER BY seq").fetchall()
        return schema_of(connection), checked, rows


def names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def spoil(path: Path) -> None:
    """Damage the file where only a look at all of it finds out."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 8192)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# ---------------------------------------------------------------------------------------------- before a migration


@pytest.mark.parametrize("schema", OLDER)
async def test_each_older_store_is_copied_before_it_is_changed(tmp_path: Path, clock: ManualClock, schema: int) -> None:
    path = tmp_path / "pepper.db"
    leave_old(path, schema)
    store = await ContextStore.open(path, clock)
    assert (await store.get("a", namespace="n")) is not None
    await store.close()
    assert said(path)[0] == len(MIGRATIONS)
    copy = tmp_path / "backups" / f"pepper-{schema}-{stamp(clock.now())}.db"
    assert names(copy.parent) == {copy.name}
    assert said(copy) == (schema, "ok", [(1, "a", "apple")])
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o700


async def test_what_no_migration_changes_is_not_copied(tmp_path: Path, clock: ManualClock) -> None:
    for _ in range(2):  # a new store, and one of this Pepper
        store = await ContextStore.open(tmp_path / "pepper.db", clock)
        await store.close()
    assert not (tmp_path / "backups").exists()


async def test_the_two_newest_are_kept_and_the_users_own_all(tmp_path: Path, clock: ManualClock) -> None:
    path, folder = tmp_path / "pepper.db", tmp_path / "backups"
    wanted = []
    for schema in (2, 1, 3, 1):  # the newest by time, not by schema
        await clock.advance(1000)
        path.unlink(missing_ok=True)
        leave_old(path, schema)
        store = await ContextStore.open(path, clock)
        await store.close()
        wanted.append(f"pepper-{schema}-{stamp(clock.now())}.db")
        await asyncio.to_thread(back_up, path, default_target(path, clock.now()))
    (folder / "pepper-1-mine.db").write_text("")
    own = {name for name in names(folder) if name not in wanted}
    assert len(own) == 5
    assert names(folder) - own == {*wanted[-2:]}


def a_file_in_the_way(home: Path) -> str:
    (home / "backups").write_text("")
    return "File exists"


def a_link_to_nothing(home: Path) -> str:
    (home / "backups").symlink_to(home / "gone")
    return "File exists"


@pytest.mark.parametrize("fault", [a_file_in_the_way, a_link_to_nothing])
async def test_without_a_copy_there_is_no_migration(
    tmp_path: Path, clock: ManualClock, fault: Callable[[Path], str]
) -> None:
    path = tmp_path / "pepper.db"
    leave_old(path)
    before, words = digest(path), fault(tmp_path)
    with pytest.raises(StoreError, match=rf"pepper\.db is from an older Pepper.*{words}.*Nothing was changed"):
        await ContextStore.open(path, clock)
    assert digest(path) == before
    (tmp_path / "backups").unlink()
    store = await ContextStore.open(path, clock)
    await store.close()
    assert said(path)[0] == len(MIGRATIONS)


async def test_a_full_disk_stops_the_migration(tmp_path: Path, small_disk: Path, clock: ManualClock) -> None:
    path = tmp_path / "pepper.db"
    leave_old(path, size=3_000_000)
    (tmp_path / "backups").symlink_to(small_disk)
    before = digest(path)
    with pytest.raises(StoreError, match=r"the disk is full.*Nothing was changed.*3\.\d MB"):
        await ContextStore.open(path, clock)
    assert (digest(path), names(small_disk)) == (before, set())


async def test_a_damaged_store_is_not_migrated(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "pepper.db"
    leave_old(path, size=100_000)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("INSERT INTO meta VALUES ('clean', '1')")  # so that nobody else looks at it
    spoil(path)
    before = digest(path)
    with pytest.raises(StoreError, match="what was copied is damaged"):
        await ContextStore.open(path, clock)
    assert (digest(path), names(tmp_path / "backups")) == (before, set())


OPENING = """
import asyncio, sys
from pathlib import Path
from pepper_tui.clock import ManualClock
from pepper_tui.store import ContextStore
print("ready", flush=True)
asyncio.run(ContextStore.open(Path(sys.argv[1]), ManualClock()))
print("done", flush=True)
"""

RESTORING = """
import sys
from pathlib import Path
from pepper_tui.store.upkeep.placing import put_in_place
from pepper_tui.store.upkeep.restoring import restore
print("ready", flush=True)
restore(Path(sys.argv[2]), Path(sys.argv[1]), 0.0)
print("done", flush=True)
"""


def run_and_kill(script: str, *arguments: Path, when: Callable[[], bool]) -> bool:
    """Kill the script as soon as ``when`` holds; whether it was done before."""
    with subprocess.Popen([sys.executable, "-c", script, *map(str, arguments)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        while not when() and child.poll() is None:
            pass
        child.send_signal(signal.SIGKILL)
        return b"done" in child.stdout.read()


def after(seconds: float) -> Callable[[], bool]:
    deadline = time.monotonic() + 0.05 + seconds
    return lambda: time.monotonic() > deadline


def parts(folder: Path, least: int) -> bool:
    """Whether there is a copy under way of at least so many bytes."""
    try:
        return any(each.stat().st_size >= least for each in folder.glob(".pepper-copy-*.part"))
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("least", [0, 4096, 10_000_000, 40_000_000])
async def test_killed_in_the_midst_of_the_copy(quick: Path, clock: ManualClock, least: int) -> None:
    path, folder = quick / "pepper.db", quick / "backups"
    leave_old(path, size=40_000_000)
    before = digest(path)
    done = await asyncio.to_thread(run_and_kill, OPENING, path, when=lambda: parts(folder, least))
    assert not done
    copies = [*folder.glob("pepper-*.db")]
    if not copies:
        assert parts(folder, least)
        assert digest(path) == before
    for copy in copies:  # it was quick, and there is one: then a whole one
        assert said(copy)[:2] == (1, "ok")
    store = await ContextStore.open(path, clock)
    await store.close()
    [copy] = [file for file in folder.iterdir() if file not in copies]
    assert said(copy)[:2] == (1, "ok")
    assert len(said(copy)[2]) == 2


# --------------------------------------------------------------------------------------------------- at any time


async def test_a_copy_of_a_store_at_work_is_of_one_moment(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "pepper.db", clock)

    working = asyncio.create_task(write_pairs(store))
    seen = set()
    for number in range(6):
        await asyncio.sleep(0.01)
        copy = tmp_path / f"{number}.db"
        size = await asyncio.to_thread(back_up, store.path, copy)
        assert size == copy.stat().st_size
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        _, checked, rows = said(copy)
        assert (checked, len(rows) % 2) == ("ok", 0)
        seen.add(len(rows))
    await working
    await store.close()
    assert len(seen) > 1
    assert names(tmp_path) == {"pepper.db", *(f"{number}.db" for number in range(6))}


async def test_a_copy_holds_what_stands_in_the_log_alone(tmp_path: Path, clock: ManualClock) -> None:
    killed = await left_behind(tmp_path, clock)
    assert (killed.with_name("killed.db-wal")).stat().st_size
    await asyncio.to_thread(back_up, killed, tmp_path / "copy.db")
    assert [row[1] for row in said(tmp_path / "copy.db")[2]] == ["a", "b"]


async def left_behind(folder: Path, clock: ManualClock, *idents: str) -> Path:
    """A store as a kill leaves it: what it holds stands in its log alone."""
    store = await ContextStore.open(folder / "living.db", clock)
    for ident in idents or ("a", "b"):
        await store.store({}, namespace="n", context_id=ident, text="words")
    for suffix in ("", "-wal"):
        await asyncio.to_thread(shutil.copy, f"{store.path}{suffix}", folder / f"killed.db{suffix}")
    await store.close()
    store.path.unlink()
    return folder / "killed.db"


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("there.db", "already exists; name a new file, or use --force"),
        ("pepper.db", "is the store itself"),
        ("pepper.db-wal", "is the store itself"),
        ("pepper.db-shm", "is the store itself"),
        ("pepper.db-journal", "is the store itself"),
        ("link.db", "is the store itself"),
        ("folder", "is a folder"),
        ("gone/x.db", "No such file"),
    ],
)
@pytest.mark.parametrize("force", [False, True])
async def test_a_copy_goes_over_nothing(
    tmp_path: Path, clock: ManualClock, target: str, words: str, force: bool
) -> None:
    store = await ContextStore.open(tmp_path / "pepper.db", clock)
    await store.store({}, namespace="n", context_id="a")
    (tmp_path / "there.db").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.db").symlink_to(tmp_path / "pepper.db")
    before = names(tmp_path)
    if target == "there.db" and force:
        await asyncio.to_thread(back_up, store.path, tmp_path / target, replace=True)
        assert [row[1] for row in said(tmp_path / target)[2]] == ["a"]
    else:
        with pytest.raises(StoreError, match=words):
            back_up(store.path, tmp_path / target, replace=force)
        assert (tmp_path / "there.db").read_text() == "mine"
    assert names(tmp_path) == before
    assert await store.get("a", namespace="n")
    await store.close()


def test_without_a_store_there_is_nothing_to_copy(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store"):
        back_up(tmp_path / "pepper.db", tmp_path / "copy.db")
    assert names(tmp_path) == set()


async def test_what_a_kill_left_goes_and_what_is_being_made_stays(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "pepper.db", clock)
    await store.close()
    (tmp_path / ".pepper-copy-dead.part").write_text("half")
    (tmp_path / ".pepper-copy-dead.part-journal").write_text("half")
    with closing(reading(store.path)) as source, whole_copy(source, tmp_path) as part:
        assert "dead" not in " ".join(names(tmp_path))
        back_up(store.path, tmp_path / "copy.db")
        assert part.exists()
    assert not part.exists()


async def test_a_store_that_somebody_locks_is_said_to_be_locked(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "pepper.db", clock)
    await store.close()
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="locked"):
            await asyncio.wait_for(asyncio.to_thread(back_up, store.path, tmp_path / "copy.db"), 30)


# -------------------------------------------------------------------------------------------------- and back again


async def test_a_store_goes_back_to_a_copy_and_is_kept_itself(tmp_path: Path, clock: ManualClock) -> None:
    path, copy = tmp_path / "pepper.db", tmp_path / "copy.db"
    store = await ContextStore.open(path, clock)
    await store.store({}, namespace="n", context_id="before", text="early")
    await store.close()
    back_up(path, copy)
    store = await ContextStore.open(path, clock)
    await store.store({}, namespace="n", context_id="after")
    await store.close()
    then, now = digest(copy), said(path)
    done = restore(copy, path, clock.now())
    assert done.kept == tmp_path / f"pepper.db.{stamp(clock.now())}.before-restore"
    assert said(done.kept) == now
    assert digest(copy) == then
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    store = await ContextStore.open(path, clock)
    assert [c.context_id for c in await store.query(ContextFilter(namespaces=["n"]))] == ["before"]
    assert [hit.context.context_id for hit in await store.search("early")] == ["before"]
    await store.close()


async def test_what_stands_in_the_log_alone_is_kept_too(tmp_path: Path, clock: ManualClock) -> None:
    killed = await left_behind(tmp_path, clock)
    (tmp_path / "other").mkdir()
    other = await left_behind(tmp_path / "other", clock, "c")
    done = restore(other, killed, clock.now())
    assert [row[1] for row in said(killed)[2]] == ["c"]
    assert done.kept is not None
    assert [row[1] for row in said(done.kept)[2]] == ["a", "b"]


async def test_a_damaged_store_is_kept_as_it_is(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "good.db", clock)
    await store.close()
    path = tmp_path / "pepper.db"
    path.write_bytes(b"no database at all" * 1000)
    before = digest(path)
    done = restore(store.path, path, clock.now())
    assert said(path)[:2] == (len(MIGRATIONS), "ok")
    assert done.kept is not None
    assert digest(done.kept) == before


def test_a_log_that_can_not_be_folded_stays_with_its_store(tmp_path: Path) -> None:
    for name in ("pepper.db", "pepper.db-wal", "pepper.db-shm", "made"):
        (tmp_path / name).write_text(name)
    put_in_place(tmp_path / "made", tmp_path / "pepper.db", tmp_path / "kept")
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {
        "pepper.db": "made",
        "kept": "pepper.db",
        "kept-wal": "pepper.db-wal",
    }


@pytest.mark.parametrize("schema", OLDER)
async def test_a_copy_of_an_older_pepper_is_brought_up(tmp_path: Path, clock: ManualClock, schema: int) -> None:
    leave_old(tmp_path / "old.db", schema)
    before = said(tmp_path / "old.db")
    assert restore(tmp_path / "old.db", tmp_path / "home" / "pepper.db", clock.now()).kept is None
    assert said(tmp_path / "old.db") == before
    assert names(tmp_path / "home") == {"pepper.db"}
    store = await ContextStore.open(tmp_path / "home" / "pepper.db", clock)
    assert await store.get("a", namespace="n")
    await store.close()
    assert not (tmp_path / "home" / "backups").exists()


def _newer(file: Path) -> None:
    leave_old(file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA user_version = 99")


def _foreign(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript("CREATE TABLE t (x); PRAGMA user_version = 1;")


def _damaged(file: Path) -> None:
    leave_old(file, size=100_000)
    spoil(file)


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (lambda file: None, "there is no file"),
    "a folder": (lambda file: file.mkdir(), "there is no file"),
    "an export": (lambda file: file.write_text('{"pepper": "store"}\n' * 200), "is not a copy of a store"),
    "an empty file": (lambda file: file.write_text(""), "is not a copy of a store"),
    "another database": (_foreign, "is not a copy of a store"),
    "a newer Pepper's": (_newer, "written by a newer Pepper .schema 99"),
    "a damaged copy": (_damaged, "damaged"),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_is_no_whole_copy_changes_nothing(tmp_path: Path, clock: ManualClock, what: str) -> None:
    make, words = REFUSED[what]
    store = await ContextStore.open(tmp_path / "home" / "pepper.db", clock)
    await store.close()
    before = digest(store.path)
    make(tmp_path / "file")
    with pytest.raises(StoreError, match=words):
        restore(tmp_path / "file", store.path, clock.now())
    assert (digest(store.path), names(store.path.parent)) == (before, {"pepper.db"})


async def test_the_store_itself_is_no_copy(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "pepper.db", clock)
    await store.close()
    (tmp_path / "link.db").symlink_to(store.path)
    for name in ("pepper.db", "link.db"):
        with pytest.raises(StoreError, match="is the store itself"):
            restore(tmp_path / name, store.path, clock.now())


async def test_a_store_that_somebody_reads_is_not_replaced(tmp_path: Path, clock: ManualClock) -> None:
    killed = await left_behind(tmp_path, clock)
    back_up(killed, tmp_path / "copy.db")
    with closing(reading(killed)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM updates").fetchone()
        with closing(sqlite3.connect(killed)) as writer:
            writer.execute("INSERT INTO meta VALUES ('x', 'y')")
            writer.commit()
        with pytest.raises(StoreError, match="somebody reads the store"):
            restore(tmp_path / "copy.db", killed, clock.now())
    assert len(said(killed)[2]) == 2


async def test_killed_in_the_midst_of_going_back(quick: Path, clock: ManualClock) -> None:
    path, copy = quick / "home" / "pepper.db", quick / "copy.db"
    leave_old(copy, size=40_000_000)
    chance = random.Random(4)
    killed = 0
    for longest in (0.0, 0.02, 0.05, 0.1, 0.2, 0.4):
        store = await ContextStore.open(path, clock)
        await store.store({}, namespace="n", context_id="mine")
        await store.close()
        done = await asyncio.to_thread(run_and_kill, RESTORING, path, copy, when=after(chance.random() * longest))
        killed += not done
        _, checked, rows = said(path)
        assert checked == "ok"
        assert [row[1] for row in rows] in (["mine"], ["a", "b"])
        assert not done or len(rows) == 2
        if len(rows) == 2:
            [kept] = path.parent.glob("*.before-restore")
            assert [row[1] for row in said(kept)[2]] == ["mine"]
            kept.unlink()
            path.unlink()
    assert killed
    restore(copy, path, clock.now())
    assert not [*path.parent.glob(".pepper-copy-*")]
