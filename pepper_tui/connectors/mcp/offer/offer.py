"""What a server offers, which of it is trusted, and the resulting tools in the registry.

The first definitions of a server never seen before are trusted as they are; some servers add tools for a moment after
their start, and these still count. Anything new or different later is barred until the user approves it. The server's
instructions are treated alike: words other than the trusted ones reach no model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.config import McpServer
from pepper_tui.connectors.mcp.offer.definition import Definition
from pepper_tui.connectors.mcp.offer.instructions import as_read, hash_of, problem_of
from pepper_tui.connectors.mcp.offer.mcp_tool import Caller, mcp_tool
from pepper_tui.connectors.mcp.offer.pins import Pinned, Pins
from pepper_tui.model import Effect
from pepper_tui.text import one_line
from pepper_tui.tools.errors import OutdatedError
from pepper_tui.tools.registry import ToolRegistry

SETTLE: Final = 3.0  # seconds from the first listing of a server in which its tools still count as first seen
NEW: Final = "it is new since this server was first trusted, and waits for the user's yes in the inbox"
CHANGED: Final = "its definition has changed since it was trusted, and waits for the user's yes in the inbox"
MOST: Final = 500  # tools of one server that are offered
_NAMED: Final = 5  # of those left out, how many are listed by name and reason


def offered_words(count: int, left_out: Sequence[str], barred: int = 0, unlisted: str = "") -> str:
    """Return how many tools a server has, and which are left out, in words. ``unlisted``: see ``Connection``."""
    words = f"{count} tools" if count != 1 else "1 tool"
    if barred:
        words += f", {barred} wait for your yes"
    if left_out:
        named = "; ".join([*left_out[:_NAMED], *(["…"] if len(left_out) > _NAMED else [])])
        words += f", {len(left_out)} left out ({named})"
    return f"{words}; {unlisted}" if unlisted else words


def left_out_of(definitions: Iterable[Definition]) -> list[str]:
    """Return those that can't be used, each with its reason."""
    return [f"{one_line(each.name, 40)}: {each.problem}" for each in definitions if each.problem]


class Offer:
    """The offer of one server. Call ``recall`` first.

    ``offered`` are definitions by raw name, ``instructions`` the server's own words, raw.
    """

    def __init__(
        self, name: str, config: McpServer, caller: Caller, clock: Clock, registry: ToolRegistry, pins: Pins
    ) -> None:
        self._name, self._config, self._caller = name, config, caller
        self._clock, self._registry, self._pins = clock, registry, pins
        self._registered: set[str] = set()
        self._left_out: list[str] = []
        self._unlisted = ""
        self._settled_at = float("-inf")
        self.pinned: Pinned | None = None
        self.offered: dict[str, Definition] = {}
        self.instructions = ""

    @property
    def untrusted(self) -> list[Definition]:
        """The definitions offered now that are not the trusted ones."""
        return [each for each in self.offered.values() if self._bar(each)]

    @property
    def untrusted_instructions(self) -> bool:
        """Whether its instructions differ from the trusted ones. Empty instructions need no trust."""
        before = self.pinned.instructions if self.pinned else ""
        return bool(self.instructions) and self.instructions != before

    @property
    def asks(self) -> bool:
        """Whether anything waits for the user's approval."""
        return bool(self.untrusted) or self.untrusted_instructions

    @property
    def words(self) -> str:
        """The size of the offer, in words."""
        words = offered_words(len(self.offered), self._left_out, len(self.untrusted), self._unlisted)
        return f"{words}, its instructions wait for your yes" if self.untrusted_instructions else words

    async def recall(self) -> None:
        """Offer what was trusted earlier, until the server itself has been asked."""
        self.pinned = await self._pins.of(self._name, self._caller.identity)
        before = self.pinned or Pinned()
        self.offered = {name: each for name, each in before.tools.items() if self._wanted(each)}
        self.instructions = before.instructions or ""
        self._register()

    async def take(self, listed: Iterable[Definition], instructions: str = "", unlisted: str = "") -> bool:
        """Take in what the server offers and says now; return whether it differs from before."""
        wanted = [each for each in listed if self._wanted(each)]
        self._left_out, self._unlisted = left_out_of(wanted), unlisted
        if len(wanted) > MOST:
            self._unlisted = f"only the first {MOST} are used: name those that you need in `tools` of its config"
            del wanted[MOST:]
        if problem := problem_of(instructions):
            self._left_out.append(f"its instructions: {problem}")
            instructions = ""
        offered = {each.name: each for each in wanted if not each.problem}
        before = self._said()
        self.offered, self.instructions = offered, instructions
        await self._pin_first()
        changed = self._said() != before
        if changed:
            self._register()
        return changed

    def _said(self) -> tuple[set[str], str]:
        return {each.hash for each in self.offered.values()}, self.instructions

    async def trust(self, hashes: dict[str, str], instructions: str = "") -> None:
        """Pin the definitions with these hashes, by raw name, and the instructions with that hash, if one is given.

        Raises ``OutdatedError`` if they are no longer offered.
        """
        others = any(name not in self.offered or self.offered[name].hash != each for name, each in hashes.items())
        if others or (instructions and instructions != hash_of(self.instructions)):
            raise OutdatedError("What the server offers has changed once more.")
        await self._pin([self.offered[name] for name in hashes], self.instructions if instructions else None)

    async def _pin_first(self) -> None:
        now = self._clock.monotonic()
        if self.pinned is None:
            self._settled_at = now + SETTLE
            await self._pin(self.offered.values(), self.instructions)
            return
        late = self.offered.keys() - self.pinned.tools.keys() if now < self._settled_at else set()
        unseen = self.pinned.instructions is None
        if late or unseen:
            await self._pin([self.offered[name] for name in sorted(late)], self.instructions if unseen else None)

    async def _pin(self, definitions: Iterable[Definition], instructions: str | None) -> None:
        self.pinned = await self._pins.pin(self._name, self._caller.identity, definitions, instructions)
        self._register()

    def _wanted(self, definition: Definition) -> bool:
        patterns = self._config.tools
        return not patterns or any(fnmatchcase(definition.name, pattern) for pattern in patterns)

    def _bar(self, definition: Definition) -> str:
        before = self.pinned.tools.get(definition.name) if self.pinned else None
        return NEW if before is None else CHANGED if before.hash != definition.hash else ""

    def _register(self) -> None:
        now = set()
        instructions = "" if self.untrusted_instructions else as_read(self.instructions)
        for each in self.offered.values():
            effect = Effect(self._config.effects.get(each.name, self._config.effect))
            self._registry.put(mcp_tool(self._caller, each, effect, self._bar(each), instructions))
            now.add(each.public)
        for gone in self._registered - now:
            self._registry.remove(gone)
        self._registered = now
