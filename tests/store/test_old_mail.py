"""A mail whose content retention took away is still known to its feed: it never comes in as news again."""

from __future__ import annotations

from pathlib import Path

from pepper_tui.clock import ManualClock
from pepper_tui.domains.mail.mailbox import Mailbox
from pepper_tui.model import ContextFilter
from pepper_tui.store import ContextStore
from pepper_tui.store.upkeep.removal import TRACE
from pepper_tui.store.upkeep.retention import DAY, Retention
from tests.connectors.maildir.test_maildir import started
from tests.domains.mail.mails import deliver, mail, make_maildir
from tests.waiting import until

ALL_MAIL = ContextFilter(namespaces=["raw.mail"], include_expired=True)


async def test_old_mail_is_no_news(store: ContextStore, clock: ManualClock, tmp_path: Path) -> None:
    root = make_maildir(tmp_path / "m")
    feeds, subscriber = await started(store, clock, root)
    for number in (1, 2):
        deliver(root, mail(number=number), f"n{number}")
    await until(lambda: _handled(store, 2))
    await feeds.stop()
    await subscriber.stop()
    await clock.advance(1000 * DAY)
    assert (await Retention(store, clock).sweep()).contexts == 6  # both mails, their states, and both signals
    assert {context.type for context in await store.query(ALL_MAIL)} == {TRACE}
    feeds, subscriber = await started(store, clock, root)
    deliver(root, mail(number=1), "a-copy-elsewhere")
    deliver(root, mail(number=3), "n3")
    await until(lambda: _handled(store, 1))
    await until(lambda: _known(store, "a-copy-elsewhere"))
    await feeds.stop()
    await subscriber.stop()
    signals = await store.query(ContextFilter(namespaces=["signals.mail"]))
    assert [signal.data["metadata"]["message_id"] for signal in signals] == ["<m3@example.com>"]
    assert [found["message_id"] for found in await Mailbox(store).search()] == ["<m3@example.com>"]
    assert await store.dead() == []


async def _handled(store: ContextStore, signals: int) -> bool:
    waiting = [each.pending + each.retrying for each in (await store.stats()).subscriptions]
    return await store.count(ContextFilter(namespaces=["signals.mail"])) == signals and not any(waiting)


async def _known(store: ContextStore, file: str) -> bool:
    return any(file in str(context.data["files"]) for context in await store.query(ALL_MAIL))
