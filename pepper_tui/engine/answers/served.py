"""The engine with its socket: what a running Pepper is."""

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
    """An engine that also answers on the home's socket.

    It serves `ask`, `log`, `status`, and queries about its store and rules. ``started``, if set, is called once
    everything runs. ``serves_fronts``: fronts in other processes may attach, and act with the token of the home. No
    command opens one yet, so that door stays closed: a program run by a feed or an MCP server could read the token.
    """

    serves_fronts: bool = False

    started: Callable[[], None] | None = None
    left: str = ""
    """What it left undone when it closed, in words."""
    _server: RemoteServer | None = None

    async def start(self, *, feeds: bool = True) -> None:
        # describing all tools takes 50 ms; on the loop, that would delay a key press
        await asyncio.to_thread(self.parts.calling.offered)
        await super().start(feeds=feeds)
        served = {**answers(self), **store_answers(self.store), **rule_answers(self.user_rules)}
        server = RemoteServer(self.home, {**served, **await self._for_fronts()})
        await server.start()
        self._server = server
        if self.started:
            self.started()

    async def _for_fronts(self) -> Mapping[str, Answer]:
        if not self.serves_fronts:
            return {}
        try:
            token = await asyncio.to_thread(make_token, self.home)
        except OSError:  # such as a full disk; run without
            log.exception("no front of another process can be served")
            return {}
        return front_answers(self, token)

    async def close(self) -> None:
        if self._server:
            server, self._server = self._server, None
            await server.stop()
            await asyncio.to_thread(drop_token, self.home)
            with contextlib.suppress(StoreError):  # the store has reported this already
                self.left = approved_words(await approved(self), self.config.tools.undo_seconds)
        await super().close()
