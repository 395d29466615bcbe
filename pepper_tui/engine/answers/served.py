"""The engine with its socket: what a started Pepper is."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping

from pepper_tui.engine.answers.front import front_answers
from pepper_tui.engine.answers.queries import answers, approved, approved_words, store_answers
from pepper_tui.engine.answers.rule_queries import rule_answers
from pepper_tui.engine.answers.socket import Answer, RemoteServer
from pepper_tui.engine.answers.token import drop_token, make_token
from pepper_tui.engine.engine import Engine
from pepper_tui.store import StoreError

log = logging.getLogger(__name__)


class ServedEngine(Engine):
    """An engine that serves `ask`, `log`, `status`, questions about its store and rules, and fronts of other processes,
    on the home's socket.

    ``started``, where it is set, is called once everything runs.
    """

    started: Callable[[], None] | None = None
    left: str = ""
    """What it left undone at its end, in words."""
    _server: RemoteServer | None = None

    async def start(self, *, feeds: bool = True) -> None:
        # describing all tools takes 50 ms: on the loop, a key would wait for it
        await asyncio.to_thread(self.parts.calling.offered)
        await super().start(feeds=feeds)
        served = {**answers(self), **store_answers(self.store), **rule_answers(self.user_rules)}
        server = RemoteServer(self.home, {**served, **await self._for_fronts()})
        await server.start()
        self._server = server
        if self.started:
            self.started()

    async def _for_fronts(self) -> Mapping[str, Answer]:
        try:
            token = await asyncio.to_thread(make_token, self.home)
        except OSError:  # a full disk, say: no reason not to run
            log.exception("no front of another process can be served")
            return {}
        return front_answers(self, token)

    async def close(self) -> None:
        if self._server:
            server, self._server = self._server, None
            await server.stop()
            await asyncio.to_thread(drop_token, self.home)
            with contextlib.suppress(StoreError):  # a store in trouble has said so
                self.left = approved_words(await approved(self), self.config.tools.undo_seconds)
        await super().close()
