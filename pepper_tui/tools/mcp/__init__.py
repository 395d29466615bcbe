"""MCP: tools of servers that others wrote, over stdio and streamable HTTP. See ``servers``."""

from pepper_tui.tools.mcp.servers import LOGS, PART, McpServers

__all__ = ["LOGS", "PART", "McpServers"]
