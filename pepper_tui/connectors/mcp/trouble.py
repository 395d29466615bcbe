"""What is wrong with a server, in words: why, its own words, and a remedy."""

from __future__ import annotations

from pathlib import Path

from pepper_tui.config import ConfigError, McpServer, Secrets
from pepper_tui.text import one_line


def way_out(name: str, config: McpServer) -> str:
    """Return what to do about a server that does not work."""
    if config.url:
        return f"check that it runs, and url and headers in [mcp.{name}]"
    return f"check command, args and env in [mcp.{name}]"


def length(path: Path) -> int:
    """Return the current size of a server's log in bytes. Blocking."""
    return path.stat().st_size if path.exists() else 0


def last_words(path: Path, since: int = 0) -> str:
    """Return the last line of a server's log after its first ``since`` bytes. Blocking."""
    try:
        with path.open("rb") as file:
            size = length(path)
            file.seek(max(size - 4096, since if since <= size else 0))  # otherwise the log has started over
            lines = [line for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    except OSError:
        return ""
    return one_line(Secrets.without(lines[-1]), 160) if lines else ""


def why_failed(error: BaseException) -> str:
    """Explain why a session did not begin or did not last."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, ConfigError):
        return "; ".join(error.problems)
    if isinstance(error, TimeoutError):
        return "it did not start in time"
    return one_line(Secrets.without(str(error)) or type(error).__name__, 300)
