"""The program under attack: the headless engine with its feeds, told what the user does over a pipe.

It adds three tools to the built-in ones (slow, failing, and one that writes outside), a clock that can be shifted, and
boundaries around every commit. ``PEPPER_KILL_AT`` names one; the process kills itself there.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from sqlite3 import Connection as Sqlite
from typing import Any, TypeVar
from unittest.mock import patch

from pepper_tui.clock import Clock, SystemClock
from pepper_tui.config import load_config
from pepper_tui.connectors.imap import sent
from pepper_tui.engine import engine as engines
from pepper_tui.engine import kill_switch
from pepper_tui.engine.answers import served
from pepper_tui.model import CardLine, ContextFilter, Effect, EngineError, ResolvedEffect
from pepper_tui.rules.acting import follow_ups
from pepper_tui.store import ContextStore
from pepper_tui.store.log.database import Database, ThreadDatabase
from pepper_tui.tools import ToolContext, ToolError, tool
from tests.kill.mailbox import ENVIRONMENT

T = TypeVar("T")
ACTS = ("say", "approve", "reject", "edit", "snooze", "dismiss", "done", "undo", "redo", "cancel_call",
        "answer_unknown", "choose", "answer", "take_back", "stop_reply", "redrive", "file")  # fmt: skip


class ShiftedClock(SystemClock):
    """The real clock, its wall time off by ``offset`` seconds."""

    def __init__(self, offset: float) -> None:
        self.offset = offset

    def now(self) -> float:
        return super().now() + self.offset


class WatchedDatabase:
    """A database that passes ``commit_before`` and ``commit_after`` around each COMMIT of the write connection."""

    def __init__(self, inner: Database, checkpoint: Callable[[str], None]) -> None:
        self._inner, self._checkpoint = inner, checkpoint
        self._committed = False
        self._traced = False

    def _statement(self, sql: str) -> None:
        if sql.startswith("COMMIT"):
            self._committed = True
            self._checkpoint("commit_before")

    async def run(self, function: Callable[[Sqlite], T]) -> T:
        def watched(connection: Sqlite) -> T:
            if not self._traced:
                connection.set_trace_callback(self._statement)
                self._traced = True
            result = function(connection)
            if self._committed:
                self._committed = False
                self._checkpoint("commit_after")
            return result

        return await self._inner.run(watched)

    async def close(self) -> None:
        await self._inner.close()


class WatchedStore(ContextStore):
    """The store over watched databases."""

    @classmethod
    async def open(cls, path: Path, clock: Clock, **settings: Any) -> ContextStore:
        checkpoint = kill_switch.kill_switch()

        async def database(where: Path) -> Database:
            return WatchedDatabase(await ThreadDatabase.open(where), checkpoint)

        return await super().open(path, clock, database=database, **settings)


def outside_file(home: Path) -> Path:
    """Where ``append_line`` writes."""
    return home.parent / "outside.txt"


@tool(effect=Effect.READ, timeout=60.0)
async def slow_read(ctx: ToolContext, tag: str, seconds: float) -> str:
    """Take so many seconds."""
    await ctx.clock.sleep(seconds)
    return f"read {tag}"


@tool(effect=Effect.READ)
async def failing_read(ctx: ToolContext, tag: str) -> str:
    """Fail."""
    raise ToolError(f"no {tag} today")


async def resolve_line(ctx: ToolContext, tag: str) -> ResolvedEffect:
    """Args:
    tag: what to write
    """
    lines = [CardLine("Line", tag, editable=True)]
    return ctx.effect(account="file", summary=f"Append {tag}", lines=lines, payload={"line": tag})


async def revise_line(ctx: ToolContext, effect: ResolvedEffect, fields: dict[str, str]) -> ResolvedEffect:
    return await resolve_line(ctx, fields["line"])


async def probe_line(ctx: ToolContext, effect: ResolvedEffect) -> bool | None:
    path = Path(str(effect.payload["path"])) if "path" in effect.payload else Home.outside
    return str(effect.payload["line"]) in path.read_text().splitlines() if path.exists() else False


class Home:
    """Where this process writes outside."""

    outside: Path


@tool(effect=Effect.WRITE, resolve=resolve_line, revise=revise_line, probe=probe_line)
async def append_line(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Append a line to a file."""
    line = str(effect.payload["line"])
    ctx.checkpoint("outside_before")
    with Home.outside.open("a") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())
    ctx.checkpoint("outside_after")
    if "lost" in line:
        raise OSError("the answer was lost")
    return f"wrote {line}"


async def _obey(engine: served.ServedEngine, clock: ShiftedClock, act: str, arguments: list[Any]) -> Any:
    if act == "shift":
        clock.offset = float(arguments[0])
        return None
    if act == "state":
        return len(await engine.recall(ContextFilter(namespaces=["*"], limit=1)))
    assert act in ACTS
    method = getattr(engine, act)
    found = method(*arguments)
    return await found if asyncio.iscoroutine(found) else found


async def _live(home: Path, pipe: Connection, offset: float) -> None:
    clock = ShiftedClock(offset)
    engine = await served.ServedEngine.open(home, load_config(home), clock)
    for own in (slow_read, failing_read, append_line):
        engine.parts.calling.registry.add(own)
    await engine.start()
    pipe.send((0, "ready"))
    loop = asyncio.get_running_loop()
    while True:
        number, act, arguments = await loop.run_in_executor(None, pipe.recv)
        if act == "end":
            break
        try:
            answer: Any = await _obey(engine, clock, act, arguments)
        except EngineError as error:
            pipe.send((number, f"refused: {error}"))
        else:
            pipe.send((number, answer if answer is None or isinstance(answer, str) else "done"))
    await engine.close()
    pipe.send((0, "closed"))


def live(home: Path, pipe: Connection, offset: float, kill_at: str) -> None:
    """One life: until ``end`` comes over the pipe, or SIGKILL."""
    os.setsid()
    os.environ[kill_switch.KILL_AT] = kill_at
    log = os.open(home.parent / "victim.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)
    patch.object(engines, "ContextStore", WatchedStore).start()
    patch.object(follow_ups, "SETTLES", 0.3).start()
    patch.object(sent, "SETTLES", 0.3).start()
    patch.object(sent, "AGAIN_AFTER", 0.5).start()
    os.environ.update(ENVIRONMENT)
    Home.outside = outside_file(home)
    asyncio.run(_live(home, pipe, offset))
