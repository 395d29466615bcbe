"""All MCP servers of a home. Nothing of the SDK is imported before ``start``, and nothing at all without a server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.config import Config, Secrets
from pepper_tui.connectors.mcp.asking.asking import Asking, CancelCall
from pepper_tui.connectors.mcp.offer.pins import Pins
from pepper_tui.connectors.mcp.offer.resource_tool import resource_tool
from pepper_tui.connectors.mcp.session.server import Server, Surroundings
from pepper_tui.model import Health, Namespace
from pepper_tui.store import Store, StoreError
from pepper_tui.tools.registry import ToolRegistry

log = logging.getLogger(__name__)

LOGS: Final = "mcp"
"""The folder in the home for what stdio servers write besides their messages."""
PART: Final = "mcp."
"""Prefix of the health parts that are servers."""


class McpServers:
    """``start`` it once the engine's calls run and the screen has been drawn; ``stop`` it after the calls."""

    def __init__(
        self, home: Path, config: Config, store: Store, clock: Clock, registry: ToolRegistry, secrets: Secrets,
        cancel_call: CancelCall,
    ) -> None:  # fmt: skip
        self._store, self._clock = store, clock
        self._logs = home / LOGS
        self._servers: dict[str, Server] = {}
        if not config.mcp:
            return
        self._asking = Asking(store, clock, registry, cancel_call, self._servers)
        around = Surroundings(
            clock, registry, Pins(store), secrets, self._logs, self._tell, self._asking.ask, self._asking.ask_trust
        )
        for name, server in config.mcp.items():
            self._servers[name] = Server(name, server, around)
        if (tool := resource_tool(self._servers)) is not None:
            registry.put(tool)

    async def start(self) -> None:
        """Begin to supervise each server; return before any of them has started."""
        if not self._servers:
            return
        self._logs.mkdir(mode=0o700, exist_ok=True)
        await self._asking.start()
        for server in self._servers.values():
            await server.start()

    async def begun(self, seconds: float) -> None:
        """Return once each server has started or failed to, after at most ``seconds``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(server.begun() for server in self._servers.values()))

    async def stop(self) -> None:
        """End every session, and every process behind it."""
        await asyncio.gather(*(server.stop() for server in self._servers.values()))
        if self._servers:
            await self._asking.stop()

    async def _tell(self, health: Health) -> None:
        try:
            await self._store.put(health, namespace=Namespace.HEALTH, context_id=health.part)
        except StoreError as error:  # a full disk, say
            log.warning("the state of %s can't be stored: %s", health.part, error)
