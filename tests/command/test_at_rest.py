"""Commands that only read, on homes that can't be written, are locked, or were left by a kill."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pepper_tui.clock import SystemClock
from pepper_tui.config import DATABASE
from pepper_tui.model import Namespace, UserMessage
from pepper_tui.store import ContextStore, HomeLock
from tests.command.commands import ENVIRONMENT, PEPPER, pepper
from tests.terminal import Terminal

CONFIG = '[user]\nname = "Alex"\nzone = "UTC"\n'
READING = (
    "status",
    "log",
    "log --effects",
    "log --silence",
    "rules",
    "rules show urgent",
    "rules versions urgent",
    "store stats",
    "store dead",
    "store history note:one",
    "store export -",
    "config check",
    "config show",
    "when tomorrow",
)
SHOWN = {
    "status": "does not run",
    "log": "what was said",
    "rules": "urgent",
    "store stats": "contexts: 2",
    "store history note:one": "second note",
    "store export -": "first note",
}
WRITING = (
    "ask hello",
    "run --headless",
    "rules pause urgent",
    "store rollback note:one 1",
    "store vacuum",
    "store purge --namespace note --yes",
)


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    """A home that was used and left in order."""
    place = tmp_path / "home"
    place.mkdir(mode=0o700)
    (place / "config.toml").write_text(CONFIG)
    store = await ContextStore.open(place / DATABASE, SystemClock())
    await store.store({"n": 1}, namespace="note", context_id="one", text="the first note")
    await store.store({"n": 2}, namespace="note", context_id="one", text="the second note")
    message = UserMessage("user_1", "what was said", SystemClock().now())
    await store.put(message, namespace=Namespace.USER_MESSAGE)
    await store.close()
    return place


@contextmanager
def read_only(home: Path) -> Iterator[None]:
    """Nobody can write it meanwhile, root neither."""
    if os.geteuid() != 0:
        for path in (home, *home.iterdir()):
            path.chmod(0o500 if path == home else 0o400)
        yield
        for path in (home, *home.iterdir()):
            path.chmod(0o700 if path == home else 0o600)
        return
    mounted = subprocess.run(["mount", "--bind", str(home), str(home)], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(home)], check=True, capture_output=True)
        yield
    finally:
        subprocess.run(["umount", "-l", str(home)], check=True)


@pytest.mark.parametrize("words", READING)
def test_what_only_reads_works_on_a_home_that_can_not_be_written(home: Path, words: str) -> None:
    with read_only(home):
        done = pepper(home, words)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    if words in SHOWN:
        assert SHOWN[words] in done.stdout


@pytest.mark.parametrize("words", WRITING)
def test_what_writes_says_in_words_that_the_home_can_not_be_written(home: Path, words: str) -> None:
    with read_only(home):
        done = pepper(home, words)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert str(home) in done.stderr
    assert "Read-only" in done.stderr or "Permission" in done.stderr


def test_the_screen_says_so_at_once_and_ends(home: Path) -> None:
    with read_only(home), Terminal([*PEPPER, "--home", str(home)], ENVIRONMENT) as screen:
        assert os.waitstatus_to_exitcode(screen.wait_dead(15)) == 1
        assert b"can't write to" in screen.raw
        assert b"Traceback" not in screen.raw


def test_the_doctor_tells_it_and_finds_the_store_whole(home: Path) -> None:
    with read_only(home):
        done = pepper(home, "doctor")
    assert "can't be written" in done.stdout
    assert "whole" in done.stdout


@pytest.mark.parametrize("words", READING)
def test_what_only_reads_works_while_another_program_holds_the_store_locked(home: Path, words: str) -> None:
    with closing(sqlite3.connect(home / DATABASE, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        done = pepper(home, words)
        assert done.returncode == 0, done.stderr
        assert time.monotonic() - began < 20
        assert done.stderr == ""


@pytest.mark.parametrize("words", ["status", "store stats", "log", "doctor"])
def test_a_store_that_lets_nobody_read_is_told_in_words(home: Path, words: str) -> None:
    with closing(sqlite3.connect(home / DATABASE, isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("CREATE TABLE other (n)")
        done = pepper(home, words)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "another program holds" in said
    assert "damaged" not in said
    assert "Traceback" not in said


def test_looking_needs_no_lock_and_begins_nothing(home: Path) -> None:
    before = (home / DATABASE).read_bytes()
    with HomeLock(home):
        for words in READING:
            assert pepper(home, words).returncode == 0, words
    assert (home / DATABASE).read_bytes() == before


def test_a_home_that_was_never_used(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(CONFIG)
    done = pepper(tmp_path, "status")
    assert done.returncode == 0
    assert "does not run" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]


async def test_what_a_kill_left_in_the_log_is_read_too_or_told(home: Path, tmp_path: Path) -> None:
    store = await ContextStore.open(home / DATABASE, SystemClock())
    await store.store({"n": 3}, namespace="note", context_id="one", text="the third note")
    left = tmp_path / "left"
    shutil.copytree(home, left)  # with the write-ahead log, as it stood at a kill
    await store.close()
    with read_only(left):
        done = pepper(left, "store history note:one")
        assert done.returncode == 0, done.stderr
        assert "third note" in done.stdout
    (left / f"{DATABASE}-shm").unlink()
    with read_only(left):
        done = pepper(left, "store history note:one")
    assert "third note" in done.stdout or (done.returncode == 1 and str(left) in done.stderr)
    assert "Traceback" not in done.stderr


async def test_an_older_store_is_brought_up_to_date_to_be_read(home: Path) -> None:
    with closing(sqlite3.connect(home / DATABASE)) as database:
        database.execute("DROP TRIGGER embeddings_of_removed")
        database.execute("DROP TRIGGER embeddings_of_rewritten")
        database.execute("DROP TABLE embeddings")
        [version] = database.execute("PRAGMA user_version").fetchone()
        database.execute(f"PRAGMA user_version = {version - 1}")
        database.commit()
    with read_only(home):
        done = pepper(home, "status")
        assert done.returncode == 1
        assert "older Pepper" in done.stderr
        assert "Traceback" not in done.stderr
    assert pepper(home, "status").returncode == 0


def test_without_a_terminal_it_is_said_what_needs_one_or_who_has_the_home(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[user]\nname = "Me"\n')
    for words, needs in (("", "The screen needs a terminal"), ("--plain", "--plain reads what you type")):
        done = pepper(tmp_path, words)
        assert (done.returncode, done.stdout) == (1, "")
        assert needs in done.stderr
        with HomeLock(tmp_path):
            done = pepper(tmp_path, words)
        assert done.returncode == 3
        assert "Another Pepper runs" in done.stderr


@pytest.mark.parametrize("words", ["log", "log --effects"])
def test_where_there_is_nothing_to_list_it_is_said(tmp_path: Path, words: str) -> None:
    (tmp_path / "config.toml").write_text('[user]\nname = "Me"\n')
    done = pepper(tmp_path, words)
    assert (done.returncode, done.stderr) == (0, "")
    assert "yet" in done.stdout
