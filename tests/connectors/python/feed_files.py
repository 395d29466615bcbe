"""Feed files of a user's, loaded and run over a real store: a process that can be ended and begun again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pepper_tui.clock import ManualClock
from pepper_tui.config import Config, OwnFeed
from pepper_tui.connectors.python.feed import load_own_feed
from pepper_tui.feeds import Feeds
from pepper_tui.model import Context, ContextFilter
from pepper_tui.store import ContextStore, Subscriber
from tests.feeds.ruled import triage_of
from tests.waiting import until

BERLIN = ZoneInfo("Europe/Berlin")


class Running:
    """The feeds of ``files`` (their texts by name) between the start and the end of one process."""

    def __init__(
        self,
        store: ContextStore,
        clock: ManualClock,
        folder: Path,
        files: Mapping[str, str],
        config: Config | None = None,
    ) -> None:
        self.store, self.clock = store, clock
        triage = triage_of(config or Config())
        self.paths = {name: folder / f"{name}.py" for name in files}
        for name, text in files.items():
            self.paths[name].write_text(text, encoding="utf-8")
        self.loaded = {name: load_own_feed(OwnFeed(name=name, file=self.paths[name]), triage) for name in files}
        self._subscriber = Subscriber(store)
        self._feeds = Feeds([*self.loaded.values()], store, clock, self._subscriber, BERLIN)

    async def __aenter__(self) -> Running:
        self._feeds.listen()
        await self._subscriber.start()
        self._feeds.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._feeds.stop()
        await self._subscriber.stop()

    async def found(self, namespace: str, count: int, seconds: float = 10) -> list[Context]:
        """The contexts of ``namespace``, oldest first, once there are ``count``."""

        async def there() -> bool:
            await self.clock.advance(0.5)
            return await self.store.count(ContextFilter(namespaces=[namespace])) >= count

        await until(there, seconds, f"{count} in {namespace}")
        return await self.store.query(ContextFilter(namespaces=[namespace], newest_first=False, limit=None))

    async def health(self, feed: str, state: str, part: str = "") -> dict[str, Any]:
        """The health of ``feed``, once its state is ``state``."""
        found: dict[str, Any] = {}

        async def reached() -> bool:
            nonlocal found
            await self.clock.advance(0.5)
            context = await self.store.get(part or f"feed.{feed}", namespace="health")
            found = context.data if context else {}
            return found.get("state") == state

        await until(reached, 10, f"health {state} of {feed}")
        return found
