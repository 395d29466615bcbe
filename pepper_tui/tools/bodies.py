"""How a tool's body is run: its context, its slot among the running ones, and its time limit."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from pepper_tui.clock import Clock
from pepper_tui.config import Tools
from pepper_tui.model import ToolCall
from pepper_tui.store import Store
from pepper_tui.text import one_line
from pepper_tui.text.errors import Foreseen
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.progress import ProgressBoard
from pepper_tui.tools.registry import ToolRegistry
from pepper_tui.tools.tool import Tool, ToolContext
from pepper_tui.tools.tool_store import ToolStore


class Bodies:
    """Runs bodies in one shared set of slots. A tool that resumes takes none."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        registry: ToolRegistry,
        config: Tools,
        progress: ProgressBoard,
        checkpoint: Callable[[str], None],
    ) -> None:
        self._store, self._clock, self._registry, self._config = store, clock, registry, config
        self._progress, self._checkpoint = progress, checkpoint
        self._slots = asyncio.Semaphore(config.concurrency)

    def context(self, call: ToolCall, tool: Tool, *, approved: bool = False) -> ToolContext:
        """Return the tool's context. ``approved``: it carries out what the user approved."""

        def report(text: str) -> None:
            self._progress.show(call.id, text)

        store = ToolStore(self._store, approved=approved, writes=tool.writes)
        return ToolContext(store, self._clock, call, self._registry.time, tool, report, self._checkpoint)

    @contextlib.asynccontextmanager
    async def slot(self, tool: Tool) -> AsyncIterator[None]:
        if tool.resumes:
            yield
        else:
            async with self._slots:
                yield

    async def timed(self, tool: Tool, work: Any) -> Any:
        """Return the result of ``work``. Raises ``ToolError`` if it takes too long."""
        limit = tool.timeout if tool.timeout is not None or tool.resumes else self._config.timeout
        try:
            async with asyncio.timeout(limit) as scope:
                return await work
        except TimeoutError as error:
            if scope.expired():
                raise ToolError(f"it took longer than {limit:g} seconds and was stopped") from error
            raise


def as_text(content: object) -> str:
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, default=str)


def error_words(error: Exception) -> str:
    if isinstance(error, Foreseen):
        return str(error)
    return f"{type(error).__name__}: {one_line(str(error), 500)}"
