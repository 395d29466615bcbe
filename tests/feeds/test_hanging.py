"""Folders and files that do not answer: told within the time, and once they do, all is there, once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pepper_tui.clock import Looks, ManualClock, NoAnswerError
from pepper_tui.clock.looks import LONGEST
from pepper_tui.config import Calendar, Config, ConfigError, parse_config
from pepper_tui.connectors.maildir import feed as maildir
from pepper_tui.connectors.maildir.feed import MaildirFeed
from pepper_tui.connectors.maildir.settings import maildirs_of
from pepper_tui.connectors.mbox import feed as mbox
from pepper_tui.connectors.mbox.feed import MboxFeed
from pepper_tui.connectors.mbox.settings import mbox_files_of
from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.calendar.feed import CalendarFeed
from pepper_tui.domains.mail.intake.processor import MailIntake
from pepper_tui.engine.engine import Engine
from pepper_tui.engine.interpreter import DaemonThreads
from pepper_tui.feeds import Feed, Feeds
from pepper_tui.model import ContextFilter
from pepper_tui.store import ContextStore, HomeLock, Subscriber
from tests.domains.mail.mails import deliver, mail, make_maildir
from tests.feeds.ruled import triage_of
from tests.feeds.test_rules import event, ics
from tests.waiting import until

BERLIN = ZoneInfo("Europe/Berlin")


class Hang:
    """Stands in for a blocking function: while ``on``, whoever calls it waits in its thread."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._free = threading.Event()
        self._free.set()
        self.waiting = 0

    def __call__(self, *args: Any) -> Any:
        if not self._free.is_set():
            self.waiting += 1
            self._free.wait(30)
            self.waiting -= 1
        return self._function(*args)

    def begin(self) -> None:
        self._free.clear()

    def end(self) -> None:
        self._free.set()


@contextlib.asynccontextmanager
async def running(store: ContextStore, clock: ManualClock, feed: Feed) -> AsyncIterator[Callable[[], Any]]:
    """The feed runs; what is given reads its health."""
    asyncio.get_running_loop().set_default_executor(DaemonThreads())
    subscriber = Subscriber(store)
    feeds = Feeds([feed], store, clock, subscriber, BERLIN)
    feeds.listen()
    await subscriber.start()
    feeds.start()

    async def health() -> dict[str, Any]:
        found = await store.get(f"feed.{feed.name}", namespace="health")
        return found.data if found else {"state": "none", "detail": "", "remedy": ""}

    try:
        yield health
    finally:
        await feeds.stop()
        await subscriber.stop()


async def becomes(clock: ManualClock, health: Callable[[], Any], state: str, step: float = 1.0) -> dict[str, Any]:
    async def reached() -> bool:
        if (await health())["state"] == state:
            return True
        await clock.advance(step)
        return False

    await until(reached, 20, f"health {state}")
    found: dict[str, Any] = await health()
    return found


@pytest.fixture
def hang(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hang]:
    owner, name = request.param
    found = Hang(getattr(owner, name))
    monkeypatch.setattr(owner, name, found)
    yield found
    found.end()


@pytest.mark.parametrize("hang", [(maildir, "list_maildir"), (maildir, "read_mails")], indirect=True)
@pytest.mark.parametrize("when", ["at the start", "later"])
async def test_a_maildir(store: ContextStore, clock: ManualClock, tmp_path: Path, hang: Hang, when: str) -> None:
    root = make_maildir(tmp_path / "Mail")
    deliver(root, mail(), "1.old")
    config = Config.model_validate({"mail": {"maildir": [root], "scan_interval": 5}})
    if when == "at the start":
        hang.begin()
    async with running(store, clock, MaildirFeed(maildirs_of(config.mail)[0], MailIntake(triage_of(config)))) as health:
        if when == "later":
            await becomes(clock, health, "ok")
            hang.begin()
        deliver(root, mail(number=2), "2.new")
        await until(lambda: hang.waiting == 1)
        await until(lambda: any(at == clock.monotonic() + LONGEST for at in clock.sleepers))
        await clock.advance(LONGEST)
        told = await becomes(clock, health, "trouble", 0)
        assert str(root) in told["detail"]
        assert "does not answer" in told["detail"]
        assert "disk or server" in told["remedy"]
        await clock.advance(120)
        assert hang.waiting == 1  # no second thread goes where one hangs
        hang.end()
        await becomes(clock, health, "ok", 0)

        async def taken() -> bool:
            return await store.count(ContextFilter(namespaces=["raw.mail"])) == 2

        await until(taken)
        await clock.advance(30)
        assert await store.count(ContextFilter(namespaces=["raw.mail"])) == 2
        raw = await store.query(ContextFilter(namespaces=["raw.mail"]))
        assert {context.version for context in raw} == {1}


@pytest.mark.parametrize("hang", [(mbox, "mark_at")], indirect=True)
async def test_an_mbox(store: ContextStore, clock: ManualClock, tmp_path: Path, hang: Hang) -> None:
    file = tmp_path / "inbox"
    file.write_bytes(b"From a@b Thu Jan  1 00:00:00 2026\n" + mail().replace(b"\r\n", b"\n") + b"\n")
    config = Config.model_validate({"mail": {"mbox": [file], "scan_interval": 5}})
    hang.begin()
    async with running(store, clock, MboxFeed(mbox_files_of(config.mail)[0], MailIntake(triage_of(config)))) as health:

        async def hangs() -> bool:
            await clock.advance(0.5)
            return hang.waiting == 1

        await until(hangs)
        told = await becomes(clock, health, "trouble")
        assert f"{file}: the folder does not answer" in told["detail"]
        hang.end()

        async def taken() -> bool:
            await clock.advance(1)
            return await store.count(ContextFilter(namespaces=["raw.mail"])) == 1

        await until(taken)
        await becomes(clock, health, "ok")


async def test_a_calendar_that_is_a_pipe_is_told_and_the_others_are_read(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe.ics")
    (tmp_path / "well.ics").write_text(ics(event("a", datetime(2027, 3, 1, tzinfo=UTC).timestamp())))
    agenda = Agenda([tmp_path], BERLIN, clock=clock)
    config = Calendar(paths=[tmp_path], scan_interval=5)
    async with running(store, clock, CalendarFeed(config, triage_of(Config()), agenda)) as health:
        told = await becomes(clock, health, "trouble", 0)
        assert told["detail"] == f"{tmp_path / 'pipe.ics'}: can't be read: it is not a regular file"
        assert await store.count(ContextFilter(namespaces=["raw.calendar"], types=["event"])) == 1
        assert agenda.is_unread("pipe", "a")
        (tmp_path / "pipe.ics").unlink()
        await becomes(clock, health, "ok")


async def test_a_calendar_that_does_not_answer(
    store: ContextStore, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is put in its place: whoever opens the file waits in the kernel until somebody writes into it."""
    path, open_at_once = tmp_path / "c.ics", os.open

    def waiting(place: Any, flags: int, *more: Any, **named: Any) -> int:
        return open_at_once(place, flags & ~os.O_NONBLOCK if str(place) == str(path) else flags, *more, **named)

    monkeypatch.setattr(os, "open", waiting)
    os.mkfifo(path)
    agenda = Agenda([path], BERLIN, clock=clock)
    config = Calendar(paths=[path], scan_interval=5)
    async with running(store, clock, CalendarFeed(config, triage_of(Config()), agenda)) as health:
        told = await becomes(clock, health, "trouble")
        assert f"{path}: the folder does not answer" in told["detail"]
        before = threading.active_count()
        for _ in range(5):
            asked = asyncio.create_task(agenda.between(0, 1))
            await until(lambda: bool(clock.sleepers))
            await clock.advance(LONGEST)
            with pytest.raises(NoAnswerError, match="does not answer"):  # a tool that asks is not told "nothing"
                await asked
        assert threading.active_count() <= before  # none of them sent a thread after the first
        path.rename(tmp_path / "pipe")
        path.write_text(ics(event("a", datetime(2027, 3, 1, tzinfo=UTC).timestamp())))
        await asyncio.to_thread(lambda: os.close(open_at_once(tmp_path / "pipe", os.O_WRONLY)))  # its reader goes on
        await becomes(clock, health, "ok")
        assert await store.count(ContextFilter(namespaces=["raw.calendar"], types=["event"])) == 1


async def test_a_place_that_answers_in_time_is_no_trouble(clock: ManualClock) -> None:
    looks = Looks(clock)
    assert await looks.look("here", lambda: 7) == 7
    with pytest.raises(FileNotFoundError):
        await looks.look("here", Path("/nowhere/at/all").stat)
    await until(lambda: clock.sleepers == [])


async def test_looks_at_other_places_go_on_beside_one_that_hangs(clock: ManualClock) -> None:
    asyncio.get_running_loop().set_default_executor(DaemonThreads())
    looks, hang = Looks(clock), Hang(lambda: "late")
    hang.begin()
    waiting = asyncio.create_task(looks.look("there", hang))
    await until(lambda: hang.waiting == 1)
    assert await looks.look("here", lambda: 1) == 1
    await clock.advance(LONGEST)
    with pytest.raises(NoAnswerError) as told:
        await waiting
    again = asyncio.create_task(looks.look("there", hang))
    await until(lambda: bool(clock.sleepers))
    hang.end()
    assert await again == "late"
    assert told.value.over.done()


async def test_who_stops_waiting_leaves_no_second_thread_behind(clock: ManualClock) -> None:
    asyncio.get_running_loop().set_default_executor(DaemonThreads())
    looks, hang = Looks(clock), Hang(lambda: None)
    hang.begin()
    for _ in range(3):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(looks.look("there", hang), 0.05)
    assert hang.waiting == 1
    hang.end()


OWN = {
    "feed": '[[feed]]\nname = "own"\nfile = "own.py"\n',
    "tool": '[[tool]]\nfile = "own.py"\n',
    "worker": '[[worker]]\nname = "own"\nfile = "own.py"\n',
    "priority": '[scheduler]\npriority = "own.py"\n',
}


@pytest.mark.parametrize("kind", OWN)
async def test_a_file_of_the_users_own_that_hangs_is_told_at_the_start(
    clock: ManualClock, tmp_path: Path, kind: str
) -> None:
    asyncio.get_running_loop().set_default_executor(DaemonThreads())
    os.mkfifo(tmp_path / "own.py")
    config = parse_config(OWN[kind], tmp_path / "config.toml")
    opening = asyncio.create_task(Engine.open(tmp_path, config, clock))
    await until(lambda: bool(clock.sleepers))
    await clock.advance(LONGEST)
    with pytest.raises(ConfigError, match=r"own\.py does not answer"):
        await opening
    with HomeLock(tmp_path):
        pass
