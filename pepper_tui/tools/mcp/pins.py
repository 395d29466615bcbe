"""What has been trusted of each server: the definitions seen first, and those that the user said yes to since.

One context a server (``mcp.server``, id = its name), bound to the server's identity: how the config says that it is
started or reached. Another identity is another server, whose first definitions are taken as they are.
"""

from __future__ import annotations

from collections.abc import Iterable

from pepper_tui.model import Json, Namespace
from pepper_tui.store import ContextStore
from pepper_tui.tools.mcp.definition import Definition


class Pins:
    """Reads and writes of pinned definitions."""

    def __init__(self, store: ContextStore) -> None:
        self._store = store

    async def of(self, server: str, identity: str) -> dict[str, Definition] | None:
        """The pinned definitions by raw name; ``None`` where this server has never been seen."""
        found = await self._store.get(server, namespace=Namespace.MCP_SERVER)
        if found is None or found.data.get("identity") != identity:
            return None
        return {str(tool["name"]): Definition.of(server, tool) for tool in found.data["tools"]}

    async def pin(self, server: str, identity: str, definitions: Iterable[Definition]) -> None:
        """Trust ``definitions``, beside what of the same identity is pinned under other names."""
        before = await self.of(server, identity) or {}
        pinned = {**before, **{each.name: each for each in definitions}}
        data: Json = {"identity": identity, "tools": [pinned[name].data() for name in sorted(pinned)]}
        await self._store.store(data, namespace=Namespace.MCP_SERVER, context_id=server)
