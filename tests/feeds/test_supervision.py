"""Feeds over time: restarts, back-off, honest health, a watch that can't be had, folders, days of clock change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import ClockEntry, Config, OwnFeed
from pepper_tui.connectors.clock.feed import newest_missed, next_time
from pepper_tui.connectors.maildir import feed as maildir
from pepper_tui.connectors.maildir.feed import MaildirFeed
from pepper_tui.connectors.maildir.settings import maildirs_of
from pepper_tui.connectors.python.feed import load_own_feed
from pepper_tui.domains.mail.intake.processor import MailIntake
from pepper_tui.feeds import Feed, Feeds
from pepper_tui.feeds.feed import FIRST_PAUSE, LONGEST_PAUSE, STEADY, FeedContext, FeedError
from pepper_tui.model import ContextFilter
from pepper_tui.store import ContextStore, StoreUnavailableError, Subscriber
from tests.domains.mail.mails import deliver, mail, make_maildir
from tests.feeds.ruled import triage_of
from tests.waiting import until

BERLIN = ZoneInfo("Europe/Berlin")


class Running:
    """One feed on a store, running."""

    def __init__(self, store: ContextStore, clock: ManualClock, feed: Feed) -> None:
        self.store, self.feed = store, feed
        self.subscriber = Subscriber(store)
        self.feeds = Feeds([feed], store, clock, self.subscriber, BERLIN)

    async def __aenter__(self) -> Running:
        self.feeds.listen()
        await self.subscriber.start()
        self.feeds.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.feeds.stop()
        await self.subscriber.stop()

    async def health(self) -> dict[str, Any]:
        context = await self.store.get(f"feed.{self.feed.name}", namespace="health")
        return context.data if context else {"state": "none"}

    async def becomes(self, state: str) -> dict[str, Any]:
        async def reached() -> bool:
            return (await self.health())["state"] == state

        await until(reached, 20, f"health {state}")
        return await self.health()

    async def signals(self, count: int) -> list[dict[str, Any]]:
        async def there() -> bool:
            return await self.store.count(ContextFilter(namespaces=["signals.*"])) >= count

        await until(there, 20, f"{count} signals")
        found = await self.store.query(ContextFilter(namespaces=["signals.*"]))
        assert len(found) == count
        return [context.data for context in found]


def mail_feed(root: Path) -> MaildirFeed:
    config = Config.model_validate(
        {
            "user": {"addresses": ["me@example.org"]},
            "mail": {"maildir": [root], "scan_interval": 60},
            "watch": [{"name": "team", "label": "Team.Sub", "priority": "high"}],
        }
    )
    return MaildirFeed(maildirs_of(config.mail)[0], MailIntake(triage_of(config)))


async def test_a_mail_seen_before_a_restart_signals_once(clock: ManualClock, tmp_path: Path) -> None:
    root = make_maildir(tmp_path / "m")
    for turn in range(3):
        store = await ContextStore.open(tmp_path / "pepper.db", clock)
        async with Running(store, clock, mail_feed(root)) as running:
            await running.becomes("ok")
            path = deliver(root, mail(number=turn), f"n{turn}")
            found = await running.signals(turn + 1)
            path.rename(root / "cur" / f"n{turn}:2,S")
        assert {one["priority"] for one in found} == {"normal"}
        await store.close()


async def test_subfolders_are_labels(store: ContextStore, clock: ManualClock, tmp_path: Path) -> None:
    root = make_maildir(tmp_path / "m")
    flat = make_maildir(root / ".Team.Sub")
    nested = make_maildir(root / "Lists" / "dev")
    async with Running(store, clock, mail_feed(root)) as running:
        await running.becomes("ok")
        deliver(flat, mail(number=1), "one")
        deliver(nested, mail(number=2), "two")
        later = make_maildir(root / ".Later")
        deliver(later, mail(number=3), "three")

        async def all_there() -> bool:
            await clock.advance(61)
            return await store.count(ContextFilter(namespaces=["raw.mail"])) == 3

        await until(all_there, 20)
        reasons = {one["metadata"]["message_id"]: one["reason"] for one in await running.signals(3)}
        assert reasons["<m1@example.com>"] == "your rule 'team': label 'Team.Sub'"
        labels = {c.data["label"] for c in await store.query(ContextFilter(namespaces=["raw.mail"]))}
        assert labels == {"Team.Sub", "Lists/dev", "Later"}


async def test_without_a_watch_it_is_told_and_looked_now_and_then(
    store: ContextStore, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object, **__: object) -> AsyncIterator[set[object]]:
        raise OSError("inotify watch limit reached")
        yield set()

    monkeypatch.setattr(maildir, "awatch", refused)
    root = make_maildir(tmp_path / "m")
    async with Running(store, clock, mail_feed(root)) as running:
        told = await running.becomes("trouble")
        assert "looking each 60 s" in told["detail"]
        assert "max_user_watches" in told["remedy"]
        deliver(root, mail(number=1), "one")

        async def seen() -> bool:
            await clock.advance(20)
            return await store.count(ContextFilter(namespaces=["signals.mail"])) == 1

        await until(seen, 20)


class Failing:
    """Fails at each start, ``steady`` seconds after it."""

    name = "failing"

    def __init__(self) -> None:
        self.starts: list[float] = []
        self.steady = 0.0

    def listen(self, ctx: FeedContext) -> None:
        pass

    async def run(self, ctx: FeedContext) -> None:
        self.starts.append(ctx.clock.monotonic())
        await ctx.clock.sleep(self.steady)
        raise ValueError("it broke")


async def test_a_failing_feed_is_started_again_ever_later(store: ContextStore, clock: ManualClock) -> None:
    feed = Failing()

    async def started(times: int) -> list[float]:
        async def there() -> bool:
            await clock.advance(0.25)
            await asyncio.sleep(0.001)
            return len(feed.starts) >= times

        await until(there, 60)
        return [after - before for before, after in zip(feed.starts, feed.starts[1:], strict=False)]

    async with Running(store, clock, feed) as running:
        told = await running.becomes("trouble")
        assert "it broke" in told["detail"]
        pauses = await started(8)
        for number, pause in enumerate(pauses):
            wanted = min(LONGEST_PAUSE, FIRST_PAUSE * 2**number)
            assert 0.75 * wanted <= pause <= 1.25 * wanted + 3
        assert pauses[-1] > 30
        feed.steady = STEADY + 1
        await started(10)
        feed.steady = 0.0
        pauses = await started(11)
        assert pauses[-1] < STEADY + 10  # what ran a while before it failed begins anew


FAILS = """
async def run(ctx):
    await ctx.sleep(4)
    kept = await ctx.recall("tries") or {"count": 0}
    await ctx.keep("tries", {"count": kept["count"] + 1})
    if kept["count"] < 3:
        raise ValueError("it broke")
    await ctx.sleep(600)
"""


@pytest.mark.parametrize("own", [False, True], ids=["built in", "a user's file"])
async def test_what_is_broken_is_named_until_it_works(
    store: ContextStore, clock: ManualClock, tmp_path: Path, own: bool
) -> None:
    (tmp_path / "weak.py").write_text(f"NAME = 'weak'\n{FAILS}")
    feed: Feed = Failing()
    if own:
        feed = load_own_feed(OwnFeed(name="weak", file=tmp_path / "weak.py"), triage_of(Config()))
    said: list[str] = []

    async def listen() -> None:
        async with store.watch(["health"]) as updates:
            async for batch in updates:
                said.extend(each.context.data["state"] for each in batch)

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0)
    async with Running(store, clock, feed):

        async def over() -> bool:
            await clock.advance(0.5)
            await asyncio.sleep(0.001)
            return said[-2:] == ["trouble", "ok"] if own else len(feed.starts) > 3  # type: ignore[attr-defined]

        await until(over, 40)
    listening.cancel()
    assert said == ["starting", *(["ok", "trouble", "ok"] if own else ["trouble"])]


async def test_health_is_trouble_while_the_processor_fails(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    (tmp_path / "odd.py").write_text(
        "NAME = 'odd'\nbroken = ['yes']\n\n"
        "async def run(ctx):\n    await ctx.emit({'id': 'a'})\n    await ctx.emit({'id': 'b'})\n"
        "    while True:\n        await ctx.sleep(1)\n\n"
        "def process(raw):\n    if broken and raw['id'] == 'a':\n        raise KeyError('no such thing')\n"
        "    return {'content': raw['id'], 'metadata': {'rules': [{'draft': 'ack', 'template': 'send money'}]}}\n"
    )
    feed = load_own_feed(OwnFeed(name="odd", file=tmp_path / "odd.py"), triage_of(Config()))
    assert feed.problem == ""
    async with Running(store, clock, feed) as running:
        [signal] = await running.signals(1)
        assert "rules" not in signal["metadata"]  # only a rule of the user's orders an act
        told = await running.becomes("trouble")
        assert "no such thing" in told["detail"]
        assert "odd.py:12" in told["detail"]
        assert "fix" in told["remedy"]
        feed._module.broken.clear()  # type: ignore[union-attr]

        async def healed() -> bool:
            await clock.advance(5)
            return (await running.health())["state"] == "ok"

        await until(healed, 20)
        await running.signals(2)


@pytest.mark.parametrize(
    ("cron", "after", "times"),
    [
        ("0 9 * * *", (2026, 3, 28, 12), ["29T09:00:00+02:00", "30T09:00:00+02:00"]),
        ("30 2 * * *", (2026, 3, 28, 12), ["29T03:00:00+02:00", "30T02:30:00+02:00"]),  # 02:30 is not there
        ("30 2 * * *", (2026, 10, 24, 12), ["25T02:30:00+02:00", "26T02:30:00+01:00"]),  # there twice: the first
        ("0 9 * * *", (2026, 10, 24, 12), ["25T09:00:00+01:00", "26T09:00:00+01:00"]),
        ("0 * * * *", (2026, 10, 25, 1), ["25T02:00:00+02:00", "25T02:00:00+01:00", "25T03:00:00+01:00"]),
        ("0 * * * *", (2026, 3, 29, 1), ["29T03:00:00+02:00", "29T04:00:00+02:00"]),
    ],
)
def test_cron_lines_on_days_of_clock_change(cron: str, after: tuple[int, int, int, int], times: list[str]) -> None:
    entry = ClockEntry(name="x", text="y", cron=cron)
    began = at = datetime(*after, tzinfo=BERLIN).timestamp()
    found = []
    for _ in times:
        at = next_time(entry, at, BERLIN)
        found.append(datetime.fromtimestamp(at, BERLIN).isoformat()[8:])
        assert newest_missed(entry, began, at + 1, BERLIN) == at
    assert found == times
    if cron.startswith("30 2"):
        late = datetime(after[0], after[1], after[2] + 1, 12, tzinfo=BERLIN).timestamp()
        assert newest_missed(entry, began, late, BERLIN) == next_time(entry, began, BERLIN)


async def test_huge_and_hostile_mail_delays_nothing_and_is_reported(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    root = make_maildir(tmp_path / "m")
    head = b"From: Eve <eve@evil.example>\nTo: me@example.org\nSubject: big\n"
    nested = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(100))
    hostile = {
        "fifty megabytes": head + b"Message-ID: <big@e>\n\n" + b"all work and no play\n" * 2_500_000,
        "one line": head + b"Message-ID: <line@e>\n\n" + b"x" * 8_000_000,
        "a hundred parts": head + b"Message-ID: <parts@e>\n" + nested,
        "a bomb": head + b"Message-ID: <bomb@e>\nContent-Type: text/html\n\n" + b"<div>" * 1_000_000,
    }
    longest = 0.0

    async def beat() -> None:
        nonlocal longest
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(0.01)
            longest = max(longest, loop.time() - before)

    async with Running(store, clock, mail_feed(root)) as running:
        await running.becomes("ok")
        beating = asyncio.create_task(beat())
        for name, source in hostile.items():
            deliver(root, source, name.replace(" ", "-"))
        deliver(root, mail(number=1, subject="Small"), "z-small")
        await running.signals(len(hostile) + 1)
        beating.cancel()
        raw = {c.data["message_id"]: c.data for c in await store.query(ContextFilter(namespaces=["raw.mail"]))}
        assert any("bytes were read" in defect for defect in raw["<big@e>"]["defects"])
        for message_id in ("<big@e>", "<line@e>", "<parts@e>", "<bomb@e>"):
            assert raw[message_id]["defects"], message_id
            assert len(raw[message_id]["text"]) <= 200_000
        assert (await running.health())["state"] == "ok"
    assert longest < 1.0, longest


class Broken:
    """A feed that fails with ``error``."""

    name = "broken"

    def __init__(self, error: Exception) -> None:
        self.error = error

    def listen(self, ctx: FeedContext) -> None:
        pass

    async def run(self, ctx: FeedContext) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FeedError("the folder is gone", "make it"), "the folder is gone"),
        (ExceptionGroup("tasks", [FeedError("the folder is gone", "make it")]), "the folder is gone"),
        (StoreUnavailableError("nothing of this was stored"), "nothing of this was stored"),
        (KeyError("x"), "KeyError: 'x'"),
    ],
    ids=["feed", "group", "store", "other"],
)
async def test_what_was_foreseen_is_told_without_the_name_of_a_class(
    store: ContextStore, clock: ManualClock, error: Exception, words: str
) -> None:
    async with Running(store, clock, Broken(error)) as running:
        assert (await running.becomes("trouble"))["detail"] == words
