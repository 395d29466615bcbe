"""A short visit to a server, for the doctor: it is started or reached, asked for its tools, and left."""

from __future__ import annotations

import asyncio
import importlib
import tempfile
from pathlib import Path
from typing import Any

from pepper_tui.config import McpServer, Secrets
from pepper_tui.connectors.mcp.asking.question import Answer, Question
from pepper_tui.connectors.mcp.offer.offer import left_out_of, offered_words
from pepper_tui.connectors.mcp.session.server import SDK
from pepper_tui.connectors.mcp.trouble import last_words, way_out, why_failed


async def greet(name: str, server: McpServer, secrets: Secrets, patience: float) -> tuple[bool, str, str]:
    """Return whether the server works, a description, and a remedy. ``patience`` in seconds; no process is left."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        try:
            sdk: Any = await asyncio.to_thread(importlib.import_module, SDK)
            async with (
                asyncio.timeout(patience),
                sdk.connect(name, server, secrets, log, _decline, _nothing, _nothing) as connection,
            ):
                listed = await connection.definitions()
                left_out = left_out_of(listed)
                words = offered_words(len(listed) - len(left_out), left_out, unlisted=connection.unlisted)
                return True, f"{connection.title}, {words}", ""
        except (Exception, BaseExceptionGroup) as error:
            said = await asyncio.to_thread(last_words, log)
            why = why_failed(error)
            return False, f"{why}; it said: {said}" if said else why, way_out(name, server)


async def _decline(question: Question) -> Answer:
    return Answer("decline")


def _nothing() -> None:
    pass
