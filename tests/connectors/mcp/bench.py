"""A tool engine with MCP servers on a real store, real processes and a manual clock."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pepper_tui.clock import ManualClock
from pepper_tui.config import Config, Secrets
from pepper_tui.connectors.mcp import McpServers
from pepper_tui.engine.building.builtin_tools import builtin_tools
from pepper_tui.model import (
    CALL_OPEN,
    OPEN_TAG,
    Approval,
    ApprovalState,
    ContextFilter,
    Effect,
    Health,
    Json,
    Namespace,
    ToolCall,
    ToolResult,
)
from pepper_tui.store import ContextStore
from pepper_tui.tools import ToolEngine, ToolRegistry
from tests.waiting import until

UNRULY = Path(__file__).parent / "unruly.py"
SECONDS = 40.0


def unruly(folder: Path, **more: Any) -> Json:
    """The config of an unruly server that lives in ``folder``."""
    folder.mkdir(exist_ok=True)
    return {
        "command": sys.executable,
        "args": ["-S", "-E", str(UNRULY)],
        "env": {"UNRULY_FOLDER": str(folder)},
        "effects": {"append": "write", "crash_after": "write", "hang_up": "write", "refuse": "write"},
        "effect": "read",
        **more,
    }


class McpBench:
    """One life of the engine. ``effects`` is what the world saw."""

    def __init__(self, home: Path, store: ContextStore, clock: ManualClock, servers: Json, **tools: Any) -> None:
        self.home, self.store, self.clock = home, store, clock
        self.config = Config.model_validate({"mcp": servers, "tools": {"undo_seconds": 0.0, **tools}})
        self.registry = ToolRegistry(builtin_tools())
        self.engine = ToolEngine(store, clock, self.registry, self.config)
        secrets = Secrets(home, {"PLANTED": "s3cr3t"})
        self.mcp = McpServers(home, self.config, store, clock, self.registry, secrets, self._cancel)
        self.dead = False  # as after SIGKILL: what it would still do at its end is not done

    async def _cancel(self, call_id: str, by: str) -> str:
        return "" if self.dead else await self.engine.cancel(call_id, by)

    async def health(self, server: str) -> Health:
        found = await self.store.get(f"mcp.{server}", namespace=Namespace.HEALTH)
        assert found is not None
        return Health.of(found)

    async def up(self, server: str, detail: str = "") -> None:
        async def there() -> bool:
            health = await self.health(server)
            return health.state == "ok" and detail in health.detail

        await until(there, SECONDS, f"mcp.{server} ok: {detail}")

    async def down(self, server: str) -> Health:
        async def there() -> bool:
            return (await self.health(server)).state == "trouble"

        await until(there, SECONDS, f"mcp.{server} in trouble")
        return await self.health(server)

    async def schedule(self, name: str, **arguments: Any) -> str:
        call = ToolCall(self.clock.new_id("call"), name, arguments, Effect.READ, self.clock.now(), "step:1", "user")
        await self.store.put(call, namespace=Namespace.TOOL_CALL, tags=[OPEN_TAG])
        return call.id

    async def call(self, call_id: str) -> ToolCall:
        found = await self.store.get(call_id, namespace=Namespace.TOOL_CALL)
        assert found is not None
        return ToolCall.of(found)

    async def ended(self, call_id: str, *, passing: float = 0.0) -> ToolResult:
        """What the call came to, once it has ended; ``passing`` so much time at each look."""

        async def there() -> bool:
            await self.clock.advance(passing)
            return (await self.call(call_id)).state not in CALL_OPEN

        await until(there, SECONDS, f"the end of {call_id}")
        found = await self.store.get(call_id, namespace=Namespace.TOOL_RESULT)
        assert found is not None
        return ToolResult.of(found)

    async def run(self, name: str, **arguments: Any) -> ToolResult:
        return await self.ended(await self.schedule(name, **arguments))

    async def cards(self, state: ApprovalState = ApprovalState.PENDING) -> list[Approval]:
        found = await self.store.query(ContextFilter(namespaces=[Namespace.APPROVAL], newest_first=False))
        return [card for card in map(Approval.of, found) if card.state is state]

    async def card(self, tool: str, *, passing: float = 0.0, without: str = "") -> Approval:
        """The one open card of ``tool``, once it is there; that takes time, ``passing`` so much at each look.

        A card of the id ``without`` does not count.
        """
        found: list[Approval] = []

        async def there() -> bool:
            await self.clock.advance(passing)
            found[:] = [card for card in await self.cards() if card.resolved.tool == tool and card.id != without]
            return len(found) == 1

        await until(there, SECONDS, f"a card of {tool}")
        return found[0]

    async def approved(self, name: str, **arguments: Any) -> ToolResult:
        """The result of a call that needed a yes, and got it."""
        call_id = await self.schedule(name, **arguments)
        await self.engine.approvals.approve((await self.card(name)).id)
        return await self.ended(call_id)


@asynccontextmanager
async def living(
    home: Path, store: ContextStore, clock: ManualClock, servers: Json, **tools: Any
) -> AsyncIterator[McpBench]:
    """A bench that runs."""
    bench = McpBench(home, store, clock, servers, **tools)
    await bench.mcp.start()
    await bench.engine.start()
    try:
        yield bench
    finally:
        await bench.engine.stop()
        await bench.mcp.stop()


def alive(pid: int) -> bool:
    """Whether the process is there, and no zombie."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return not Path("/proc").exists()
