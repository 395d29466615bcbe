from __future__ import annotations

import asyncio
import os
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import Config
from pepper_tui.connectors.maildir.feed import MaildirFeed
from pepper_tui.connectors.maildir.settings import maildirs_of
from pepper_tui.domains.mail.content.mime import MAX_TEXT
from pepper_tui.domains.mail.intake.processor import MailIntake
from pepper_tui.domains.mail.mailbox import Mailbox
from pepper_tui.feeds import Feeds
from pepper_tui.model import ContextFilter, Json
from pepper_tui.store import ContextStore, Subscriber
from tests.domains.mail.mails import deliver, mail, make_maildir, varied
from tests.feeds.ruled import triage_of
from tests.waiting import until

SIGNALS = ContextFilter(namespaces=["signals.mail"], limit=5000)


async def started(store: ContextStore, clock: ManualClock, root: Path, state: str = "ok") -> tuple[Feeds, Subscriber]:
    config = Config.model_validate(
        {"user": {"addresses": ["me@example.org"], "vips": ["alice@example.com"]}, "mail": {"maildir": [root]}}
    )
    subscriber = Subscriber(store)
    feeds = Feeds(
        [MaildirFeed(maildirs_of(config.mail)[0], MailIntake(triage_of(config)))],
        store,
        clock,
        subscriber,
        ZoneInfo("UTC"),
    )
    feeds.listen()
    await subscriber.start()
    feeds.start()

    async def healthy() -> bool:
        health = await store.get("feed.mail", namespace="health")
        return health is not None and health.data["state"] == state

    await until(healthy, 30)
    return feeds, subscriber


async def test_new_mail_is_seen_at_once_and_only_once(store: ContextStore, clock: ManualClock, tmp_path: Path) -> None:
    root = make_maildir(tmp_path / "m")
    deliver(root, mail(number=1), "old")
    feeds, subscriber = await started(store, clock, root)
    await until(lambda: _count(store, 1))
    path = deliver(root, mail(number=2, subject="Now"), "two")
    await until(lambda: _count(store, 2), 1.5)
    path.rename(root / "cur" / "two:2,S")
    deliver(root, mail(number=3), "three")
    await until(lambda: _count(store, 3))
    found = {one.data["metadata"]["message_id"]: one.data for one in await store.query(SIGNALS)}
    assert found["<m1@example.com>"]["priority"] == "log"
    assert found["<m2@example.com>"]["priority"] == "high"
    assert found["<m2@example.com>"]["reason"] == "from Alice, a VIP"
    await store.store({}, namespace="mail.sent", context_id="<m9@example.com>")
    deliver(root, mail(sender="me@example.org", number=9), "nine")
    await until(lambda: _raw(store, 4))
    await feeds.stop()
    # down: what arrives now signals after the start
    deliver(root, mail(number=4), "four")
    await subscriber.stop()
    feeds, subscriber = await started(store, clock, root)
    await until(lambda: _count(store, 4))
    told = {one.data["metadata"]["message_id"] for one in await store.query(SIGNALS)}
    assert told == {f"<m{number}@example.com>" for number in (1, 2, 3, 4)}  # and not what Pepper sent
    assert (await Mailbox(store).search("Hello"))[0]["subject"]
    await feeds.stop()
    await subscriber.stop()
    assert await store.count(ContextFilter(namespaces=["raw.mail"])) == 5


async def test_a_thousand_mails(store: ContextStore, clock: ManualClock, tmp_path: Path) -> None:
    root = make_maildir(tmp_path / "m")
    for number in range(1000):
        deliver(root, varied(number), f"n{number}")
    longest = 0.0

    async def beat() -> None:
        nonlocal longest
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(0.01)
            longest = max(longest, loop.time() - before)

    beating = asyncio.create_task(beat())
    feeds, subscriber = await started(store, clock, root)
    await until(lambda: _count(store, 1000), 60)
    beating.cancel()
    await feeds.stop()
    await subscriber.stop()
    assert longest < 2
    assert len(await Mailbox(store).thread("<v17.0@example.com>")) >= 1


async def test_what_arrives_while_much_is_taken_in_goes_before_the_rest(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    """And how far it is is told meanwhile."""
    root = make_maildir(tmp_path / "m")
    for number in range(1500):
        deliver(root, varied(number), f"n{number}")
    said: list[str] = []

    async def listen() -> None:
        async with store.watch(["health"]) as updates:
            async for batch in updates:
                said.extend(f"{each.context.data['state']} {each.context.data['detail']}" for each in batch)

    async def hurry() -> None:
        """The glances of the feed are half a second apart."""
        while True:
            await clock.advance(0.3)
            await asyncio.sleep(0.01)

    async def told() -> bool:
        return any("taking in your mail" in words for words in said)

    async def there() -> bool:
        found = await store.query(ContextFilter(namespaces=["signals.mail"], tags=["high"]))
        return [each.data["metadata"]["message_id"] for each in found] == ["<m2@example.com>"]

    async def well() -> bool:
        return said[-1].startswith("ok watching")

    beside = [asyncio.create_task(listen()), asyncio.create_task(hurry())]
    starting = asyncio.create_task(started(store, clock, root))
    await until(told, 30)
    deliver(root, mail(number=2, subject="Now"), "0-arrives-now")
    await until(there, 30)
    waiting = 1500 - await store.count(SIGNALS)
    feeds, subscriber = await starting
    await until(lambda: _count(store, 1501), 60)
    await until(well)
    for task in beside:
        task.cancel()
    await feeds.stop()
    await subscriber.stop()
    assert waiting > 300  # the rest of the mail
    progress = [words for words in said if "taking in" in words]
    assert progress[0] == "starting taking in your mail: 0 of 1,500"
    assert len(progress) > 2


async def test_mails_that_cannot_be_read_are_named_and_hold_nothing_up(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    root = make_maildir(tmp_path / "m")
    deliver(root, mail(number=1), "a")
    (root / "new" / "b").symlink_to("/proc/self/mem")  # opens, and fails as it is read
    os.mkfifo(root / "new" / "c")
    deliver(root, mail(number=2), "d")
    feeds, subscriber = await started(store, clock, root, "trouble")
    await until(lambda: _count(store, 2))
    told = await _health(store)
    assert told["detail"].startswith("1 mails can't be read, and are tried again: b: Input/output error; watching ")
    assert told["remedy"] == "fix the files' permissions"
    (root / "new" / "b").unlink()
    deliver(root, mail(number=3), "e")
    await until(lambda: _count(store, 3))

    async def well() -> bool:
        return (await _health(store))["state"] == "ok"

    await until(well)
    await feeds.stop()
    await subscriber.stop()


async def test_mails_that_are_read_in_part_are_counted(store: ContextStore, clock: ManualClock, tmp_path: Path) -> None:
    root = make_maildir(tmp_path / "m")
    deliver(root, mail(number=1), "a")
    deliver(root, mail(number=2, text="x" * (MAX_TEXT + 1)), "b")
    feeds, subscriber = await started(store, clock, root)
    assert (await _health(store))["detail"].endswith(
        "1 of your mails could only be read in part, as each says where it is shown"
    )
    await feeds.stop()
    await subscriber.stop()


@pytest.mark.parametrize("before", [10, 60_000, MAX_TEXT - 20])
async def test_search_finds_words_wherever_they_stand_in_a_mail(
    store: ContextStore, clock: ManualClock, tmp_path: Path, before: int
) -> None:
    root = make_maildir(tmp_path / "m")
    deliver(root, mail(text="y " * (before // 2) + "pomegranate"), "a")
    feeds, subscriber = await started(store, clock, root)
    assert [one["subject"] for one in await Mailbox(store).search("pomegranate")] == ["Hello"]
    await feeds.stop()
    await subscriber.stop()


async def _health(store: ContextStore) -> Json:
    health = await store.get("feed.mail", namespace="health")
    assert health is not None
    return health.data


async def _count(store: ContextStore, wanted: int) -> bool:
    return await store.count(SIGNALS) == wanted


async def _raw(store: ContextStore, wanted: int) -> bool:
    return await store.count(ContextFilter(namespaces=["raw.mail"])) == wanted
