"""A user's own feed: a small Python file named in the config. See docs/feeds.md.

The file has ``NAME`` and ``async def run(ctx)``; it may have ``def process(raw)`` (a dict, ``Signal`` or ``None``) and
``def priority(signal)`` (a priority's name, or ``None`` to leave it to the rules). It runs in Pepper's process with
the user's own rights. Whatever is wrong with it is told as ``Health`` and ends nothing else.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from pepper_tui.config import FEED_NAMES
from pepper_tui.config import OwnFeed as OwnFeedConfig
from pepper_tui.feeds.feed import FeedContext, FeedError, store_signal
from pepper_tui.feeds.said import raw_of, signal_of
from pepper_tui.feeds.triage import Triage
from pepper_tui.model import ContextUpdate, Json, Namespace, Priority, Signal
from pepper_tui.text import one_line
from pepper_tui.user_files import run_file

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,40}")
_TAKEN: Final = FEED_NAMES


class OwnContext:
    """What the file's ``run`` is given."""

    def __init__(self, name: str, settings: Mapping[str, Any], ctx: FeedContext) -> None:
        self.settings = settings
        self._name, self._ctx = name, ctx

    def now(self) -> float:
        """POSIX seconds."""
        return self._ctx.clock.now()

    async def sleep(self, seconds: float) -> None:
        await self._ctx.clock.sleep(seconds)

    async def emit(self, data: Mapping[str, Any]) -> None:
        """Store ``data`` in ``raw.<name>``. The same ``data["id"]`` (default: a hash of all of it) is one thing."""
        raw, text = raw_of(self._name, data)
        namespace = f"{Namespace.RAW}.{self._name}"
        await self._ctx.store.store(raw, namespace=namespace, context_id=raw["id"], type="own", text=text)

    async def recall(self, key: str) -> Json | None:
        """What ``keep`` kept under ``key``, also after a restart."""
        context = await self._ctx.store.get(key, namespace=f"feed.{self._name}")
        return context.data if context else None

    async def keep(self, key: str, value: Json) -> None:
        await self._ctx.store.store(dict(value), namespace=f"feed.{self._name}", context_id=key)


class OwnFeed:
    """The feed of one file. A file that can't be loaded is a feed that only tells so."""

    def __init__(self, config: OwnFeedConfig, triage: Triage, module: ModuleType | None, problem: str = "") -> None:
        self.name: str = config.name
        self.problem = problem
        self._config, self._triage, self._module = config, triage, module

    def listen(self, ctx: FeedContext) -> None:
        if self._module is None:
            return

        async def process(update: ContextUpdate) -> None:
            if not update.deleted:
                async with ctx.processing(update.seq):
                    await self._signal(ctx, update)

        subscribe = ctx.subscriber.on_context_update(
            namespaces=[f"{Namespace.RAW}.{self.name}"], name=f"feeds.{self.name}", start="beginning"
        )
        subscribe(process)

    async def run(self, ctx: FeedContext) -> None:
        if self._module is None:
            await ctx.health.report("trouble", self.problem, f"mend {self._config.file} and restart pepper")
            await asyncio.Event().wait()
            return
        await ctx.health.report("ok", f"{self._config.file}")
        try:
            await self._module.run(OwnContext(self.name, self._config.settings, ctx))
        except Exception as error:
            where = _line(error, self._config.file)
            raise FeedError(f"{where}: {type(error).__name__}: {error}", f"mend {self._config.file}") from error

    async def _signal(self, ctx: FeedContext, update: ContextUpdate) -> None:
        assert self._module is not None
        raw = update.context.data
        try:
            signal = self._made(raw, update)
            if signal is None:
                return
            rule: Callable[[Signal], str | None] | None = getattr(self._module, "priority", None)
            named = rule(signal) if rule else None
            if named:
                signal.priority = Priority(named)
                signal.reason = f"the priority rule of your feed {self.name!r}"
        except Exception as error:
            where = _line(error, self._config.file)
            mend = f"mend {self._config.file} and restart pepper"
            raise FeedError(f"{where}: {type(error).__name__}: {error}", mend) from error
        await store_signal(ctx.store, signal)

    def _made(self, raw: Json, update: ContextUpdate) -> Signal | None:
        process = getattr(self._module, "process", None)
        said: Any = process(raw) if process else raw
        if said is None:
            return None
        identity = f"signal_{raw['id']}"
        if isinstance(said, Signal):
            said.id, said.source = identity, self.name
            said.content = one_line(said.content, 320)
            said.metadata.pop("rules", None)  # what a file says of itself orders nothing
            return said
        if not isinstance(said, dict):
            raise TypeError(f"process must return a dict, a Signal or None, not {type(said).__name__}")
        return signal_of(self.name, said, raw["id"], update.context.created_at, self._triage)


def load_own_feed(config: OwnFeedConfig, triage: Triage) -> OwnFeed:
    """The feed that ``config`` names. Never raises: see ``OwnFeed.problem``. Blocking."""
    try:
        return OwnFeed(config, triage, _module(config))
    except Exception as error:
        where = _line(error, config.file)
        return OwnFeed(config, triage, None, f"{where}: {type(error).__name__}: {error}")
    except SystemExit as error:
        return OwnFeed(config, triage, None, f"{config.file}: it ends the program: {error}")


def _module(config: OwnFeedConfig) -> ModuleType:
    if not _NAME.fullmatch(config.name) or config.name in _TAKEN:
        raise ValueError(f"the name {config.name!r} is taken or is not made of a-z, 0-9 and _")
    module = run_file(config.file, f"pepper_own_feed_{config.name}")
    if getattr(module, "NAME", None) != config.name:
        raise ValueError(f"its NAME must be {config.name!r}, as the config says")
    if not asyncio.iscoroutinefunction(getattr(module, "run", None)):
        raise ValueError("it has no `async def run(ctx)`")
    return module


def _line(error: BaseException, file: Path) -> str:
    """``file:line`` of the innermost line of ``file`` that ``error`` passed."""
    if isinstance(error, SyntaxError) and error.lineno:
        return f"{file}:{error.lineno}"
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(file):
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"{file}:{line}" if line else str(file)
