from __future__ import annotations

import asyncio
from pathlib import Path
from zoneinfo import ZoneInfo

from pepper_tui.clock import ManualClock
from pepper_tui.config import Config
from pepper_tui.feeds import Feeds, Mailbox, MaildirFeed
from pepper_tui.model import ContextFilter
from pepper_tui.store import ContextStore, Subscriber
from tests.feeds.mails import deliver, mail, make_maildir, varied
from tests.feeds.ruled import triage_of
from tests.waiting import until

SIGNALS = ContextFilter(namespaces=["signals.mail"], limit=5000)


async def started(store: ContextStore, clock: ManualClock, root: Path) -> tuple[Feeds, Subscriber]:
    config = Config.model_validate(
        {"user": {"addresses": ["me@example.org"], "vips": ["alice@example.com"]}, "mail": {"maildir": [root]}}
    )
    subscriber = Subscriber(store)
    feeds = Feeds([MaildirFeed(config.mail, triage_of(config))], store, clock, subscriber, ZoneInfo("UTC"))
    feeds.listen()
    await subscriber.start()
    feeds.start()

    async def healthy() -> bool:
        health = await store.get("feed.mail", namespace="health")
        return health is not None and health.data["state"] == "ok"

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
    deliver(root, mail(number=9), "nine")
    await until(lambda: _raw(store, 4))
    await feeds.stop()
    # down: what arrives now signals after the start
    deliver(root, mail(number=4), "four")
    await subscriber.stop()
    feeds, subscriber = await started(store, clock, root)
    await until(lambda: _count(store, 4))
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


async def _count(store: ContextStore, wanted: int) -> bool:
    return await store.count(SIGNALS) == wanted


async def _raw(store: ContextStore, wanted: int) -> bool:
    return await store.count(ContextFilter(namespaces=["raw.mail"])) == wanted
