"""Pepper without a screen: opened, started, closed. Fronts use it through its faces."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Self

from pepper_tui.clock import Clock, Looks, NoAnswerError, SystemClock
from pepper_tui.config import DATABASE, Config, ConfigError, Secrets
from pepper_tui.connectors.registry import Named, named
from pepper_tui.domains.calendar.parts import Agenda
from pepper_tui.engine.building.build import build
from pepper_tui.engine.building.parts import StandIns
from pepper_tui.engine.faces import AgendaFace, CallFace, ConversationFace, InboxFace, MailFace, RuleFace, ViewFace
from pepper_tui.engine.part_health import tell_parts, warm_models
from pepper_tui.home import make_private
from pepper_tui.llm import Budget, Models
from pepper_tui.llm.embedding.embedders import build_embedder
from pepper_tui.store import ContextStore, Embedder, HomeLock
from pepper_tui.tools import Tool

log = logging.getLogger(__name__)

CLOSES_IN: Final = 1.5
"""Seconds in which every part has to stop, even if a folder, a server or a calendar hangs."""
_LEAST: Final = 0.05


class Engine(ViewFace, MailFace, AgendaFace, ConversationFace, InboxFace, CallFace, RuleFace):
    """Pepper without a screen. ``open`` it, ``start`` it, ``close`` it."""

    def __init__(
        self,
        home: Path,
        config: Config,
        store: ContextStore,
        lock: HomeLock,
        clock: Clock,
        *,
        models: Models | None = None,
        agenda: Agenda | None = None,
        tools: Iterable[Tool] = (),
        embedder: Callable[[Budget], Embedder | None] = lambda _: None,
        accounts: Sequence[Named] | None = None,
    ) -> None:
        """Build the engine's parts; see ``StandIns`` for those that replace what the config names."""
        super().__init__(build(home, config, store, clock, StandIns(models, agenda, tools, embedder, accounts)))
        self.home, self.config = home, config
        self._lock = lock
        self._warming: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, home: Path, config: Config, clock: Clock | None = None) -> Self:
        """Take the home and open its store.

        Raises ``HomeLockedError`` if another engine holds it, ``StoreError`` if the store can't be used,
        ``ConfigError`` for a secret that can't be read.
        """
        make_private(home)
        clock = clock or SystemClock()
        await _answering(config, clock)
        accounts = await asyncio.to_thread(lambda: [*named(config, home)])  # imports connectors, so not on the loop
        await asyncio.to_thread(lambda: Secrets(home).warm(config.model_dump()))  # a locked keyring waits for its owner
        lock = HomeLock(home)
        lock.acquire()
        try:
            store = await ContextStore.open(home / DATABASE, clock, cache_ttl=config.store.cache_seconds)
        except BaseException:
            lock.release()
            raise
        try:
            embedder = partial(build_embedder, config, clock, Secrets(home))
            return cls(home, config, store, lock, clock, embedder=embedder, accounts=accounts)
        except BaseException:
            await store.close()
            lock.release()
            raise

    async def start(self, *, feeds: bool = True) -> None:
        """Resume where the last engine stopped; return when everything runs. Without ``feeds`` it only answers."""
        parts = self.parts
        await parts.ground.timers.start()
        await parts.ground.book.start()
        await parts.notices.inbox.start()
        await parts.notices.reminders.start()
        await parts.calling.workers.start()
        await parts.calling.mcp.start()  # before open calls resume: some may use its tools
        await parts.calling.engine.start()
        await parts.ordered.runner.start()
        await parts.ordered.follow_ups.start()
        await parts.answers.start()
        await parts.looked_back.start()
        await tell_parts(parts)
        await parts.scheduler.start()
        parts.ordered.runner.listen(parts.ground.subscriber)
        parts.ordered.follow_ups.listen(parts.ground.subscriber)
        parts.elsewhere.listen(parts.ground.subscriber)
        parts.answering.listen(parts.ground.subscriber)
        parts.settled_cards.listen(parts.ground.subscriber)
        parts.outdated_cards.listen(parts.ground.subscriber)
        if feeds:
            parts.sensing.feeds.listen()
            parts.sensing.llm_triage.listen(parts.ground.subscriber)
        await parts.ground.subscriber.start()
        if feeds:
            parts.sensing.feeds.start()
        if parts.upkeep.meaning is not None:
            await parts.upkeep.meaning.start()
        await parts.upkeep.retention.start()
        self._warming = asyncio.create_task(warm_models(parts), name="warm models")

    async def servers_begun(self, seconds: float = 10.0) -> None:
        """Return once the MCP servers have started or failed to, but after ``seconds`` at the latest.

        For a caller that asks one question and exits.
        """
        await self.parts.calling.mcp.begun(seconds)

    async def close(self) -> None:
        """Stop every part and release the home. Open work continues at the next start."""
        if self._closed:
            return
        self._closed = True
        parts = self.parts
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.gather(self._warming, return_exceptions=True)
        stops = {
            "scheduler": parts.scheduler.stop,
            "feeds": parts.sensing.feeds.stop,
            "subscriber": parts.ground.subscriber.stop,
            "rules": parts.ordered.runner.stop,
            "follow-ups": parts.ordered.follow_ups.stop,
            "answers": parts.answers.stop,
            "looked back": parts.looked_back.stop,
            "workers": parts.calling.workers.stop,
            "tools": parts.calling.engine.stop,
            "mcp": parts.calling.mcp.stop,
            "rule book": parts.ground.book.stop,
            "reminders": parts.notices.reminders.stop,
            "inbox": parts.notices.inbox.stop,
            "timers": parts.ground.timers.stop,
            **({"search by meaning": parts.upkeep.meaning.stop} if parts.upkeep.meaning is not None else {}),
            "mail list": parts.mail_list.stop,
            "retention": parts.upkeep.retention.stop,
            "models": parts.ground.models.close,
            "store": parts.ground.store.close,
        }
        parts.replies.close()
        loop = asyncio.get_running_loop()
        ends = loop.time() + CLOSES_IN
        for name, stop in stops.items():
            stopping = asyncio.ensure_future(stop())
            # commits are safe even if another part hangs; only the store may take as long as it needs
            left = None if name == "store" else max(_LEAST, ends - loop.time())
            done, _ = await asyncio.wait({stopping}, timeout=left)
            if not done:
                stopping.cancel()
                log.warning("%s did not stop within %g s and is left", name, CLOSES_IN)
            elif not stopping.cancelled() and (error := stopping.exception()):
                log.error("%s did not stop cleanly", name, exc_info=error)  # such as a full disk
        self._lock.release()


async def _answering(config: Config, clock: Clock) -> None:
    """Check that the disk answers for the user's own files. Raises ``ConfigError``.

    They are loaded while the engine is built, and nothing else could run meanwhile.
    """
    files = [*(feed.file for feed in config.feed), *(tool.file for tool in config.tool)]
    files += [worker.file for worker in config.worker if worker.file]
    files += [config.scheduler.priority] if config.scheduler.priority else []
    looks = Looks(clock)
    for file in files:
        try:
            await looks.look(file, file.read_bytes)
        except NoAnswerError as error:
            raise ConfigError([f"{file} does not answer: {error.remedy.partition(';')[0]}, or take it out"]) from error
        except OSError:  # reported as the health of its part
            continue
