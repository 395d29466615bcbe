"""What is trusted of each server: the definitions and instructions seen first, and those that the user approved since.

One context per server (``mcp.server``, id = its name), bound to the server's identity: how the config says that it is
started or reached. Another identity is another server, whose first definitions are accepted as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pepper_tui.connectors.mcp.offer.definition import Definition
from pepper_tui.model import Json, Namespace
from pepper_tui.store import Store


@dataclass(frozen=True)
class Pinned:
    """The pinned definitions, by raw name.

    ``instructions``: raw; ``None`` if they were never read, as in older versions of Pepper.
    """

    tools: dict[str, Definition] = field(default_factory=dict)
    instructions: str | None = None


class Pins:
    """Reads and writes the pins."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, server: str, identity: str) -> Pinned | None:
        """Return what is pinned; ``None`` if this server has never been seen."""
        found = await self._store.get(server, namespace=Namespace.MCP_SERVER)
        if found is None or found.data.get("identity") != identity:
            return None
        tools = {str(tool["name"]): Definition.of(server, tool) for tool in found.data["tools"]}
        said = found.data.get("instructions")
        return Pinned(tools, None if said is None else str(said))

    async def pin(
        self, server: str, identity: str, definitions: Iterable[Definition], instructions: str | None = None
    ) -> Pinned:
        """Pin ``definitions`` and, if given, ``instructions`` in place of the earlier ones; return all that is pinned.

        Definitions pinned for the same identity under other names stay.
        """
        before = await self.of(server, identity) or Pinned()
        tools = {**before.tools, **{each.name: each for each in definitions}}
        pinned = Pinned(tools, before.instructions if instructions is None else instructions)
        data: Json = {"identity": identity, "tools": [tools[name].data() for name in sorted(tools)]}
        if pinned.instructions is not None:
            data["instructions"] = pinned.instructions
        await self._store.store(data, namespace=Namespace.MCP_SERVER, context_id=server)
        return pinned
