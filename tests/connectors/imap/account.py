"""An account as the engine builds it: its feed under the supervisor, its outbox, on a store of the test's."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pepper_tui.clock import ManualClock
from pepper_tui.config import Config, Secrets
from pepper_tui.connectors.connector import Around
from pepper_tui.connectors.imap import CONNECTOR
from pepper_tui.connectors.imap.settings import Imap
from pepper_tui.domains.mail.intake.processor import MailIntake
from pepper_tui.feeds import Feeds
from pepper_tui.model import Context, ContextFilter
from pepper_tui.rules import RuleBook, rules_of_config
from pepper_tui.store import ContextStore, Subscriber
from tests.connectors.imap.servers import PASSWORD, USER
from tests.feeds.ruled import triage_of
from tests.waiting import until

SIGNALS = ContextFilter(namespaces=["signals.mail"], limit=None, newest_first=False)
RAW = ContextFilter(namespaces=["raw.mail"], limit=None, newest_first=False)


class Account:
    """``password`` is in its environment; it may be changed while the feed runs."""

    def __init__(
        self, store: ContextStore, clock: ManualClock, home: Path, port: int, settings: dict[str, Any]
    ) -> None:
        said = {"id": "work", "kind": "imap", "address": "me@example.org", "host": "127.0.0.1", "port": port}
        said |= {"user": USER, "security": "none", "password": "env:PASSWORD", "timeout": 20.0, **settings}
        config = Config.model_validate({"user": {"vips": ["alice@example.com"]}, "account": [said]})
        self.store, self.clock = store, clock
        self.environment = {"PASSWORD": PASSWORD, "SMTP": "smtp password"}
        self.secrets = Secrets(home, self.environment)
        self.settings = Imap.model_validate(config.account[0].own)
        triage = triage_of(config)
        book = RuleBook(store, rules_of_config(config), {})
        around = Around(
            "work", home, config, store, clock, ZoneInfo("UTC"), self.secrets, triage, book, MailIntake(triage)
        )
        self.built = CONNECTOR.build(self.settings, around)
        self._subscriber = Subscriber(store)
        self._feeds = Feeds(self.built.feeds, store, clock, self._subscriber, ZoneInfo("UTC"))
        self._hurry: asyncio.Task[None] | None = None

    async def start(self, state: str = "ok") -> None:
        """Run the feed until its health is ``state``."""
        self._feeds.listen()
        await self._subscriber.start()
        self._feeds.start()
        await self.until_health(state)

    async def stop(self) -> None:
        if self._hurry is not None:
            self._hurry.cancel()
        await self._feeds.stop()
        await self._subscriber.stop()

    def hurry(self) -> None:
        """Let time pass, some times as fast as it does: a busy server must still answer in time."""

        async def passing() -> None:
            while True:
                await self.clock.advance(0.5)
                await asyncio.sleep(0.05)

        self._hurry = self._hurry or asyncio.create_task(passing())

    async def health(self) -> tuple[str, str, str]:
        found = await self.store.get("feed.work", namespace="health")
        return (found.data["state"], found.data["detail"], found.data["remedy"]) if found else ("", "", "")

    async def until_health(self, state: str, words: str = "") -> tuple[str, str, str]:
        async def said() -> bool:
            state_now, detail, _ = await self.health()
            return state_now == state and words in detail

        try:
            await until(said, 40)
        except AssertionError as error:
            raise AssertionError(f"health is {await self.health()}") from error
        return await self.health()

    async def mails(self) -> list[Context]:
        """``raw.mail``, as it was stored."""
        return await self.store.query(RAW)

    async def news(self) -> dict[str, str]:
        """The signals above ``log``: their priorities by Message-ID."""
        found = await self.store.query(SIGNALS)
        return {
            each.data["metadata"]["message_id"]: each.data["priority"]
            for each in found
            if each.data["priority"] != "log"
        }

    async def until_signals(self, count: int, seconds: float = 60) -> None:
        async def there() -> bool:
            return await self.store.count(SIGNALS) == count

        try:
            await until(there, seconds)
        except AssertionError as error:
            found = await self.store.count(SIGNALS)
            raise AssertionError(f"{found} signals in place of {count}; {await self.health()}") from error
