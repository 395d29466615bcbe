"""MCP: tools of servers that others wrote, over stdio and streamable HTTP. See ``servers``."""

from pepper_tui.tools.mcp.greeting import greet
from pepper_tui.tools.mcp.servers import McpServers

__all__ = ["McpServers", "greet"]
