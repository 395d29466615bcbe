"""Words for what is wrong with a server: why, what it said itself, and what to do."""

from __future__ import annotations

from pathlib import Path

from pepper_tui.config import ConfigError, McpServer
from pepper_tui.text import one_line


def way_out(name: str, config: McpServer) -> str:
    """What to do about a server that does not work."""
    if config.url:
        return f"check that it runs, and url and headers in [mcp.{name}]"
    return f"check command, args and env in [mcp.{name}]"


def last_words(path: Path) -> str:
    """The last line of a server's log. Blocking."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 4096))
            lines = [line for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    except OSError:
        return ""
    return one_line(lines[-1], 160) if lines else ""


def why_failed(error: BaseException) -> str:
    """Why a session did not begin or did not last."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, ConfigError):
        return "; ".join(error.problems)
    if isinstance(error, TimeoutError):
        return "it did not start in time"
    return one_line(str(error) or type(error).__name__, 300)
