"""MCP: tools of servers that others wrote, over stdio and streamable HTTP. See ``servers``."""

from __future__ import annotations

from pepper_tui.connectors.connector import Around, Built, Connector
from pepper_tui.connectors.mcp.check import check
from pepper_tui.connectors.mcp.greeting import greet
from pepper_tui.connectors.mcp.servers import McpServers


def _build(settings: object, around: Around) -> Built:
    """Return an empty ``Built``: a server's tools are known only while it runs, so the engine runs ``McpServers``."""
    del settings, around
    return Built()


CONNECTOR = Connector(_build, check)

__all__ = ["CONNECTOR", "McpServers", "greet"]
