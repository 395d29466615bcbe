"""Secrets are kept where only their owner reads them, whatever state the system's keyring is in."""

from __future__ import annotations

import os
import stat
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.backends.chainer import ChainerBackend

from pepper_tui.boundary.secret_keeper import (
    FILES,
    FOLDER,
    KEYRING,
    FileKeeper,
    HomeKeeper,
    KeeperError,
    KeyringKeeper,
    real_keyring,
)

VALUE = "planted-7f3a"


class Held(KeyringBackend):
    """A keyring in memory."""

    priority = 5  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.asked = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.asked += 1
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class Locked(Held):
    """A keyring that waits for its owner."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.asked += 1
        self.opened.wait(30)
        return super().get_password(service, username)


class Telling(Held):
    """A keyring whose errors quote what they were given."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise RuntimeError(f"can't store {password}")


class Plaintext(Held):
    """A file that every program of the user may read: no keyring for a secret."""

    priority = 0.5  # type: ignore[assignment]


def _keeper(home: Path, keyring: KeyringBackend | None) -> HomeKeeper:
    return HomeKeeper(home, KeyringKeeper(home, lambda: keyring, patience=0.2))


@pytest.mark.parametrize("keyring", [Held(), None], ids=["keyring", "no keyring"])
def test_a_secret_is_written_read_and_removed(tmp_path: Path, keyring: Held | None) -> None:
    keeper = _keeper(tmp_path, keyring)
    assert keeper.read("work") is None
    assert keeper.put("work", VALUE) == (KEYRING if keyring else FILES)
    assert keeper.read("work") == _keeper(tmp_path, keyring).read("work") == VALUE
    assert keeper.place("work") == (KEYRING if keyring else FILES)
    assert not [*tmp_path.rglob("work")] if keyring else [*tmp_path.rglob("work")]
    keeper.remove("work")
    keeper.remove("work")
    assert keeper.read("work") is None
    assert keeper.place("work") == ""


def test_a_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        FileKeeper(tmp_path).write("work", VALUE)
        FileKeeper(tmp_path).write("work", VALUE + "2")
    finally:
        os.umask(before)
    [file] = (tmp_path / FOLDER).iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert FileKeeper(tmp_path).read("work") == VALUE + "2"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_that_others_may_read_is_not_read(tmp_path: Path, mode: int) -> None:
    FileKeeper(tmp_path).write("work", VALUE)
    (tmp_path / FOLDER / "work").chmod(mode)
    with pytest.raises(KeeperError, match="others may read it"):
        FileKeeper(tmp_path).read("work")


def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "work").symlink_to(other)
    with pytest.raises(KeeperError):
        FileKeeper(tmp_path).read("work")
    FileKeeper(tmp_path).write("work", VALUE)
    assert other.read_text() == "mine"


@pytest.mark.parametrize("name", ["", "../work", "a/b", ".changed", "a" * 81, "a\nb", "ä"])
def test_a_name_is_no_path(tmp_path: Path, name: str) -> None:
    keeper = _keeper(tmp_path, Held())
    for ask in (keeper.read, keeper.remove, lambda each: keeper.write(each, VALUE)):
        with pytest.raises(KeeperError):
            ask(name)


def test_a_locked_keyring_is_waited_for_briefly_and_asked_once(tmp_path: Path) -> None:
    locked = Locked()
    keeper = _keeper(tmp_path, locked)
    for _ in range(3):
        with pytest.raises(KeeperError, match="does not answer"):
            keeper.read("work")
    assert locked.asked == 1
    assert keeper.put("work", VALUE) == FILES  # a sign-in is not lost for it
    locked.opened.set()


def test_several_who_ask_at_once_are_all_answered(tmp_path: Path) -> None:
    together = threading.Barrier(4)
    asked: list[str] = []

    class OneAtATime(Held):
        def get_password(self, service: str, username: str) -> str | None:
            assert not asked
            asked.append(username)
            passes.wait(0.05)
            asked.clear()
            return VALUE

    passes = threading.Event()
    keyring = KeyringKeeper(tmp_path, OneAtATime, patience=10)
    said: list[str | KeeperError | None] = []

    def ask(number: int) -> None:
        together.wait(10)
        try:
            said.append(keyring.read(f"account{number}"))
        except KeeperError as error:
            said.append(error)

    threads = [threading.Thread(target=ask, args=[number]) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(10)
    assert said == [VALUE] * 4


def test_no_error_quotes_a_secret(tmp_path: Path) -> None:
    keyring = KeyringKeeper(tmp_path, Telling)
    with pytest.raises(KeeperError) as refused:
        keyring.write("work", VALUE)
    assert VALUE not in "".join(traceback.format_exception(refused.value))
    assert _keeper(tmp_path, Telling()).put("work", VALUE) == FILES


def test_homes_do_not_see_each_others_secrets(tmp_path: Path) -> None:
    keyring = Held()
    _keeper(tmp_path / "one", keyring).write("work", VALUE)
    assert _keeper(tmp_path / "two", keyring).read("work") is None


def test_a_secret_is_moved_both_ways(tmp_path: Path) -> None:
    keyring = Held()
    _keeper(tmp_path, None).write("work", VALUE)
    keeper = _keeper(tmp_path, keyring)
    for place in (KEYRING, FILES, KEYRING):
        keeper.move("work", place)
        assert (keeper.place("work"), keeper.read("work")) == (place, VALUE)
        assert bool(keyring.kept) == (place == KEYRING)
    keeper.move("work", FILES)
    with pytest.raises(KeeperError, match="no keyring"):
        _keeper(tmp_path, None).move("work", KEYRING)
    assert keeper.read("work") == VALUE


def test_what_another_process_changes_is_noticed_and_else_the_keyring_is_asked_once(tmp_path: Path) -> None:
    keyring = Held()
    running, command = _keeper(tmp_path, keyring), _keeper(tmp_path, keyring)
    command.write("work", VALUE)
    assert [running.read("work") for _ in range(3)] == [VALUE] * 3
    assert keyring.asked == 1
    command.write("work", "another")
    assert running.read("work") == "another"


@pytest.fixture
def as_it_was() -> Iterator[None]:
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


class Chain(ChainerBackend):
    """What the library uses where several backends work: a secret would go into the first."""

    backends = (Plaintext(), Held())


@pytest.mark.usefixtures("as_it_was")
@pytest.mark.parametrize("found", [null.Keyring(), fail.Keyring(), Plaintext()], ids=["null", "fail", "plaintext"])
def test_what_keeps_nothing_or_keeps_it_in_the_open_is_no_keyring(found: KeyringBackend) -> None:
    keyring.set_keyring(found)
    assert real_keyring() is None


@pytest.mark.usefixtures("as_it_was")
def test_of_a_chain_only_a_real_keyring_is_used() -> None:
    keyring.set_keyring(Chain())
    assert real_keyring() is Chain.backends[1]
