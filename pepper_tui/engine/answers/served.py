"""The engine with its socket: what a started Pepper is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from pepper_tui.engine.answers.queries import answers, approved, approved_words, store_answers
from pepper_tui.engine.answers.rule_queries import rule_answers
from pepper_tui.engine.answers.socket import RemoteServer
from pepper_tui.engine.engine import Engine
from pepper_tui.store import StoreError


class ServedEngine(Engine):
    """An engine that serves `ask`, `log`, `status`, and questions about its store and rules on the home's socket.

    ``started``, where it is set, is called once everything runs.
    """

    started: Callable[[], None] | None = None
    left: str = ""
    """What it left undone at its end, in words."""
    _server: RemoteServer | None = None

    async def start(self, *, feeds: bool = True) -> None:
        await super().start(feeds=feeds)
        server = RemoteServer(
            self.home, {**answers(self), **store_answers(self.store), **rule_answers(self.user_rules)}
        )
        await server.start()
        self._server = server
        if self.started:
            self.started()

    async def close(self) -> None:
        if self._server:
            await self._server.stop()
            with contextlib.suppress(StoreError):  # a store in trouble has said so
                self.left = approved_words(await approved(self), self.config.tools.undo_seconds)
        await super().close()
