"""Read access to a home whose engine does not run: nothing is started, and the home need not be writable.

It shows what is stored; only a running engine knows what is in progress, and how its parts are.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pepper_tui.clock import Clock, SystemClock, local_zone
from pepper_tui.config import DATABASE, Config, Secrets
from pepper_tui.domains.why.why import Why
from pepper_tui.engine.acts.user_rules import UserRules
from pepper_tui.llm import build_models
from pepper_tui.model import Context, ContextFilter
from pepper_tui.rules import RuleBook, rules_of_config
from pepper_tui.store import ContextStore, HomeLock, OutdatedStoreError


@asynccontextmanager
async def store_at_rest(home: Path, clock: Clock) -> AsyncIterator[ContextStore]:
    """Open the home's store for reading; an empty one if there is none yet. Raises ``StoreError``."""
    path = home / DATABASE
    with tempfile.TemporaryDirectory(prefix="pepper-empty-") as empty:
        if not path.exists():
            store = await ContextStore.open(Path(empty) / DATABASE, clock)
        else:
            try:
                store = await ContextStore.open_to_read(path, clock)
            except OutdatedStoreError as error:
                await _bring_up_to_date(home, clock, error)
                store = await ContextStore.open_to_read(path, clock)
        try:
            yield store
        finally:
            await store.close()


async def _bring_up_to_date(home: Path, clock: Clock, outdated: OutdatedStoreError) -> None:
    try:
        with HomeLock(home):
            await (await ContextStore.open(home / DATABASE, clock)).close()
    except OSError as error:
        raise outdated from error


class HomeAtRest:
    """What `log`, `status` and `rules` need of an engine, from the store alone."""

    def __init__(self, home: Path, config: Config, store: ContextStore, clock: Clock) -> None:
        """Build the parts that read the store. Raises ``ConfigError`` for a secret that can't be read."""
        self._store = store
        self._models = build_models(config, store, clock, Secrets(home))
        zone = local_zone(config.user.zone)
        self._why = Why(store, clock, zone)
        self._book = RuleBook(store, rules_of_config(config), config.mail.templates)
        self.user_rules = UserRules(store, clock, config, zone, self._book, None, offline=self._models.offline)

    @property
    def model_name(self) -> str:
        return self._models.name("scheduler")

    @property
    def offline(self) -> bool:
        return self._models.offline

    async def recall(self, filter: ContextFilter) -> list[Context]:  # noqa: A002
        return await self._store.query(filter)

    async def health(self) -> list[Context]:
        return await self._store.health()

    async def why(self, ref: str) -> list[str]:
        return await self._why.explain(ref)

    async def dead_letters(self) -> list[str]:
        return [letter.words for letter in await self._store.dead()]

    async def start(self) -> None:
        await self._book.start()

    async def stop(self) -> None:
        await self._book.stop()
        await self._models.close()


@asynccontextmanager
async def at_rest(home: Path, config: Config) -> AsyncIterator[HomeAtRest]:
    """Open a home at rest, and close it at the end. Raises ``StoreError`` or ``ConfigError``."""
    clock = SystemClock()
    async with store_at_rest(home, clock) as store:
        resting = HomeAtRest(home, config, store, clock)
        await resting.start()
        try:
            yield resting
        finally:
            await resting.stop()
