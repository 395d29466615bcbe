"""Accounts at Google as the engine builds them: feed under the supervisor, outbox, filer, on a store of the test's."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pepper_tui.boundary.secret_keeper import keeper_of
from pepper_tui.clock import ManualClock
from pepper_tui.config import Config, Secrets
from pepper_tui.connectors.connector import Around
from pepper_tui.connectors.gmail import CONNECTOR
from pepper_tui.connectors.gmail.service import MODIFY
from pepper_tui.connectors.gmail.settings import Gmail
from pepper_tui.connectors.google_account.sign_in.grant import Client, Grant, grant_of, keep
from pepper_tui.domains.mail.at_source.filing import Filer
from pepper_tui.domains.mail.at_source.state import STATES, MailState
from pepper_tui.domains.mail.draft_box import DraftBox
from pepper_tui.domains.mail.intake.processor import MailIntake
from pepper_tui.domains.mail.outbox import Outbox
from pepper_tui.feeds import Feeds
from pepper_tui.model import Context, ContextFilter
from pepper_tui.rules import RuleBook, rules_of_config
from pepper_tui.store import ContextStore, Subscriber
from tests.feeds.ruled import triage_of
from tests.google import Google
from tests.google.sign_in import CLIENT
from tests.waiting import until

ALEX = "alex@example.com"
SIGNALS = ContextFilter(namespaces=["signals.mail"], limit=None, newest_first=False)
RAW = ContextFilter(namespaces=["raw.mail"], limit=None, newest_first=False)
ALL_STATES = ContextFilter(namespaces=[STATES], limit=None)


def said(google_url: str, ident: str = "work", address: str = ALEX, **more: Any) -> dict[str, Any]:
    """An ``[[account]]`` at the double."""
    client = {"client_id": CLIENT["client_id"], "client_secret": "env:CLIENT_SECRET"}
    return {"id": ident, "kind": "gmail", "address": address, "endpoint": google_url, **client, **more}


def allow(google: Google, settings: Gmail, home: Path, *scopes: str) -> None:
    """A sign-in that took place."""
    held = google.allow(*(scopes or (MODIFY,)), user=settings.address)
    client = Client(CLIENT["client_id"], CLIENT["client_secret"])
    grant = Grant(settings.address, client.ident, settings.api, held["refresh_token"], held["scopes"])
    keep(grant, settings, keeper_of(home))


def kept(settings: Gmail, home: Path) -> Grant | None:
    return grant_of(settings, Client(CLIENT["client_id"], CLIENT["client_secret"]), keeper_of(home))


class Accounts:
    """All accounts of a config, on one store."""

    def __init__(self, store: ContextStore, clock: ManualClock, home: Path, *accounts: dict[str, Any]) -> None:
        self.store, self.clock, self.home = store, clock, home
        config = Config.model_validate({"user": {"vips": ["alice@example.com"]}, "account": accounts})
        self.secrets = Secrets(home, {"CLIENT_SECRET": CLIENT["client_secret"]})
        triage = triage_of(config)
        book, mail = RuleBook(store, rules_of_config(config), {}), MailIntake(triage)
        self.settings: dict[str, Gmail] = {}
        self.outboxes: dict[str, Outbox] = {}
        self.filers: dict[str, Filer] = {}
        self.drafts: dict[str, DraftBox] = {}
        feeds = []
        for each in config.account:
            settings = self.settings[each.id] = Gmail.model_validate(each.own)
            around = Around(each.id, home, config, store, clock, ZoneInfo("UTC"), self.secrets, triage, book, mail)
            built = CONNECTOR.build(settings, around)
            feeds += built.feeds
            [self.outboxes[each.id]], [self.filers[each.id]] = built.outboxes, built.filers
            [self.drafts[each.id]] = built.drafts
        self._subscriber = Subscriber(store)
        self._feeds = Feeds(feeds, store, clock, self._subscriber, ZoneInfo("UTC"))

    async def start(self) -> None:
        self._feeds.listen()
        await self._subscriber.start()
        self._feeds.start()

    async def stop(self) -> None:
        await self._feeds.stop()
        await self._subscriber.stop()

    async def health(self, ident: str = "work") -> tuple[str, str, str]:
        found = await self.store.get(f"feed.{ident}", namespace="health")
        return (found.data["state"], found.data["detail"], found.data["remedy"]) if found else ("", "", "")

    async def until_health(self, state: str, words: str = "", ident: str = "work") -> tuple[str, str, str]:
        async def is_so() -> bool:
            now, detail, _ = await self.health(ident)
            return now == state and words in detail

        await self.passing(is_so)
        return await self.health(ident)

    async def passing(self, condition: Any, seconds: float = 40) -> None:
        """Wait for ``condition`` while time passes, faster than it does."""

        async def held() -> bool:
            await self.clock.advance(1.0)
            await asyncio.sleep(0.01)
            found = condition()
            return bool(await found if hasattr(found, "__await__") else found)

        try:
            await until(held, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; health: {await self.health()}") from error

    async def mails(self) -> list[Context]:
        """``raw.mail``, as it was stored."""
        return await self.store.query(RAW)

    async def until_mails(self, count: int) -> None:
        async def there() -> bool:
            return await self.store.count(SIGNALS) >= count

        await self.passing(there)

    async def news(self) -> dict[str, str]:
        """The signals above ``log``: their priorities by Message-ID."""
        found = await self.store.query(SIGNALS)
        return {
            each.data["metadata"]["message_id"]: each.data["priority"]
            for each in found
            if each.data["priority"] != "log"
        }

    async def states(self) -> dict[str, MailState]:
        """The state of each mail, by its Message-ID."""
        by_key = {each.context_id: each.data["message_id"] for each in await self.mails()}
        return {by_key[each.id]: each for each in MailState.readable(await self.store.query(ALL_STATES))}
