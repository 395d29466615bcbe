"""The tool that reads resources which a server has named, over that server only.

It counts as a tool of each server: a server's ``effect``, ``effects`` and ``tools`` in the config apply to it under its
own name. If that makes it a ``read``, it reads immediately; otherwise a card shows the address. Listing is always a
``read``, as nothing of the model's leaves with it. Pepper itself opens no address: whether to read ``file://`` is the
server's decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final

from pepper_tui.config import McpServer
from pepper_tui.connectors.mcp.session.server import Server
from pepper_tui.model import CardLine, Effect, Json, ResolvedEffect
from pepper_tui.text import one_line
from pepper_tui.tools.errors import NotDoneError, OutdatedError, ToolError
from pepper_tui.tools.tool import OUTSIDE_EFFECTS, Tool, ToolContext

READ: Final = "read_resource"
_STRICTEST: Final = (Effect.SEND, Effect.WRITE, Effect.READ)


def effect_of(config: McpServer) -> Effect:
    """Return the effect of reading a resource of this server."""
    return Effect(config.effects.get(READ, config.effect))


def _may_read(config: McpServer) -> bool:
    return not config.tools or any(fnmatchcase(READ, pattern) for pattern in config.tools)


def resource_tool(all_servers: Mapping[str, Server]) -> Tool | None:
    """Return the tool over ``all_servers``, with their strictest effect; ``None`` if the config allows it for none."""
    servers = {name: server for name, server in all_servers.items() if _may_read(server.config)}
    if not servers:
        return None
    effects = {effect_of(server.config) for server in servers.values()}
    strictest = next(each for each in _STRICTEST if each in effects)
    resources, outside = _Resources(servers), strictest in OUTSIDE_EFFECTS
    return Tool(
        name=READ,
        effect=strictest,
        body=resources.perform if outside else resources.read,
        resolve=resources.resolve if outside else None,
        effect_of=resources.effect_of if outside else None,
        on_cancel=resources.stop,
        resumes=True,  # its time limit is the server's, as for the server's own tools
    )


class _Resources:
    """The resources of ``servers``, by name."""

    def __init__(self, servers: Mapping[str, Server]) -> None:
        self._servers = servers

    async def read(self, ctx: ToolContext, server: str, uri: str = "") -> str:
        """Read a resource of an MCP server: one that its result named as [resource: name uri], or that it lists.

        Args:
            server: the server's name, as it begins the names of its tools (server__tool)
            uri: the resource, to the letter as that server named it; empty to list the server's resources
        """
        of = self._named(server)
        if not uri:
            return await of.list_resources(ctx)
        await _must_be_named(ctx, of, uri)
        return await of.read_resource(ctx, uri)

    async def resolve(self, ctx: ToolContext, server: str, uri: str = "") -> ResolvedEffect:
        of = self._named(server)
        if uri:
            await _must_be_named(ctx, of, uri)
        lines = [CardLine("server", of.account), CardLine("resource", uri, untrusted=True)]
        payload: Json = {"server": server, "identity": of.identity, "uri": uri}
        summary = f"Read {one_line(uri, 120)} of the MCP server {server}"
        return ctx.effect(account=of.account, summary=summary, lines=lines, payload=payload)

    async def perform(self, ctx: ToolContext, effect: ResolvedEffect) -> str:
        of, uri = self._named(str(effect.payload["server"])), str(effect.payload["uri"])
        if of.identity != effect.payload["identity"]:
            raise OutdatedError("The server is another by now.")
        return await (of.read_resource(ctx, uri) if uri else of.list_resources(ctx))

    perform.__doc__ = read.__doc__

    def effect_of(self, payload: Json) -> Effect:
        return effect_of(self._servers[str(payload["server"])].config) if payload["uri"] else Effect.READ

    async def stop(self, ctx: ToolContext) -> None:
        for each in self._servers.values():
            await each.cancel(ctx.call.id)

    def _named(self, server: str) -> Server:
        if server not in self._servers:
            raise ToolError(
                f"there is no MCP server {one_line(server, 40)!r} that resources are read of; there are: "
                f"{', '.join(sorted(self._servers))}"
            )
        return self._servers[server]


async def _must_be_named(ctx: ToolContext, server: Server, uri: str) -> None:
    """Raise ``NotDoneError`` if the server itself has not named ``uri``."""
    if uri not in server.named:
        await server.list_resources(ctx)
    if uri not in server.named:
        raise NotDoneError(
            f"The MCP server {server.name} has not named {one_line(uri, 200)!r}, in a result or in its list, since "
            "Pepper started; only what it named itself is read of it. Without a uri this tool lists what there is."
        )
