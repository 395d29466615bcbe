"""MCP: tools of servers that others wrote, over stdio and streamable HTTP. See ``servers``."""

from pepper_tui.connectors.mcp.greeting import greet
from pepper_tui.connectors.mcp.servers import McpServers

__all__ = ["McpServers", "greet"]
