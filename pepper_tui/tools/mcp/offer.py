"""What a server offers, what of it is trusted, and the tools that come of it in the registry.

The first definitions of a server that was never seen are trusted as they are; some servers add tools for a moment after
they have started, and these still count. Whatever is new or different later is barred until the user says yes.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.config import McpServer
from pepper_tui.model import Effect
from pepper_tui.text import one_line
from pepper_tui.tools.mcp.definition import Definition
from pepper_tui.tools.mcp.mcp_tool import Caller, mcp_tool
from pepper_tui.tools.mcp.pins import Pins
from pepper_tui.tools.registry import ToolRegistry
from pepper_tui.tools.tool import OutdatedError

SETTLE: Final = 3.0  # seconds from a server's first look in which its tools still count as first seen
NEW: Final = "it is new since this server was first trusted, and waits for the user's yes in the inbox"
CHANGED: Final = "its definition has changed since it was trusted, and waits for the user's yes in the inbox"


class Offer:
    """``recall`` it first. ``offered`` and ``pinned`` are definitions by raw name."""

    def __init__(
        self, name: str, config: McpServer, caller: Caller, clock: Clock, registry: ToolRegistry, pins: Pins
    ) -> None:
        self._name, self._config, self._caller = name, config, caller
        self._clock, self._registry, self._pins = clock, registry, pins
        self._registered: set[str] = set()
        self._left_out: list[str] = []
        self._settled_at = float("-inf")
        self.pinned: dict[str, Definition] | None = None
        self.offered: dict[str, Definition] = {}

    @property
    def untrusted(self) -> list[Definition]:
        """What is offered now and is not what was trusted."""
        return [each for each in self.offered.values() if self._bar(each)]

    @property
    def words(self) -> str:
        """How much there is of it."""
        words = f"{len(self.offered)} tools" if len(self.offered) != 1 else "1 tool"
        if barred := len(self.untrusted):
            words += f", {barred} wait for your yes"
        if self._left_out:
            words += f", {len(self._left_out)} left out ({self._left_out[0]})"
        return words

    async def recall(self) -> None:
        """Offer what was trusted earlier, until the server itself has been looked at."""
        self.pinned = await self._pins.of(self._name, self._caller.identity)
        self.offered = {name: each for name, each in (self.pinned or {}).items() if self._wanted(each)}
        self._register()

    async def take(self, listed: Iterable[Definition]) -> bool:
        """Take in what the server offers now; whether that is anything else than before."""
        wanted = [each for each in listed if self._wanted(each)]
        self._left_out = [f"{one_line(each.name, 40)}: {each.problem}" for each in wanted if each.problem]
        offered = {each.name: each for each in wanted if not each.problem}
        await self._pin_first(offered)
        same = {each.hash for each in offered.values()} == {each.hash for each in self.offered.values()}
        self.offered = offered
        if not same:
            self._register()
        return not same

    async def trust(self, hashes: dict[str, str]) -> None:
        """Pin the definitions of these hashes, by raw name. Raises ``OutdatedError`` where they are offered no more."""
        if any(name not in self.offered or self.offered[name].hash != each for name, each in hashes.items()):
            raise OutdatedError("What the server offers has changed once more.")
        await self._pin(self.offered[name] for name in hashes)

    async def _pin_first(self, offered: dict[str, Definition]) -> None:
        now = self._clock.monotonic()
        if self.pinned is None:
            self._settled_at = now + SETTLE
            await self._pin(offered.values())
        elif now < self._settled_at and (late := offered.keys() - self.pinned.keys()):
            await self._pin(offered[name] for name in sorted(late))

    async def _pin(self, definitions: Iterable[Definition]) -> None:
        chosen = {each.name: each for each in definitions}
        await self._pins.pin(self._name, self._caller.identity, chosen.values())
        self.pinned = {**(self.pinned or {}), **chosen}
        self._register()

    def _wanted(self, definition: Definition) -> bool:
        patterns = self._config.tools
        return not patterns or any(fnmatchcase(definition.name, pattern) for pattern in patterns)

    def _bar(self, definition: Definition) -> str:
        before = (self.pinned or {}).get(definition.name)
        return NEW if before is None else CHANGED if before.hash != definition.hash else ""

    def _register(self) -> None:
        now = set()
        for each in self.offered.values():
            effect = Effect(self._config.effects.get(each.name, self._config.effect))
            self._registry.put(mcp_tool(self._caller, each, effect, self._bar(each)))
            now.add(each.public)
        for gone in self._registered - now:
            self._registry.remove(gone)
        self._registered = now
