"""A user's own feed: a small Python file named in the config. See docs/feeds.md and docs/store-and-subscriber.md.

The file may have ``async def run(ctx)``, ``def process(raw)`` (a dict, ``Signal`` or ``None``) and ``def
priority(signal)`` (a priority's name, or ``None`` to leave it to the rules); and handlers and event functions, see
``user_feed``. It needs at least one of ``run``, ``process`` and those. It runs in Pepper's process with the user's own
rights. Any fault in it is reported as ``Health`` and stops nothing else.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from types import ModuleType
from typing import Any, Final

from pepper_tui.boundary.user_files import line_of, run_file
from pepper_tui.config import FEED_NAMES
from pepper_tui.config import OwnFeed as OwnFeedConfig
from pepper_tui.connectors.python.user_feed import FeedFile, FeedStore, Handler, at_work
from pepper_tui.feeds.chain import link
from pepper_tui.feeds.feed import FeedContext, FeedError, Footing, store_signal
from pepper_tui.feeds.raw_record import AUTHORITY, raw_of, said_in, signal_of
from pepper_tui.feeds.triage import Triage
from pepper_tui.model import ContextUpdate, Json, Namespace, Priority, Signal
from pepper_tui.store import GiveUpError, StoreError
from pepper_tui.store.delivery.subscriber import TIMEOUT
from pepper_tui.text import one_line

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,40}")
_TAKEN: Final = FEED_NAMES
_EMITTED: Final = "own"  # the type of contexts that ``emit`` stores


class OwnContext:
    """The context passed to the file's ``run``."""

    def __init__(self, name: str, settings: Mapping[str, Any], ctx: FeedContext, store: FeedStore) -> None:
        self.settings = settings
        self._name, self._ctx, self._store = name, ctx, store

    def now(self) -> float:
        """Return the time in POSIX seconds."""
        return self._ctx.clock.now()

    async def sleep(self, seconds: float) -> None:
        await self._ctx.clock.sleep(seconds)

    async def emit(self, data: Mapping[str, Any]) -> None:
        """Store ``data`` in ``raw.<name>``. The same ``data["id"]`` (default: a hash of all of it) is one record."""
        ident, raw, text = raw_of(self._name, data)
        namespace = f"{Namespace.RAW}.{self._name}"
        await self._store.write(raw, namespace=namespace, context_id=ident, type=_EMITTED, text=text)

    async def recall(self, key: str) -> Json | None:
        """Return what ``keep`` stored under ``key``, even before a restart."""
        context = await self._ctx.store.get(key, namespace=f"feed.{self._name}")
        return context.data if context else None

    async def keep(self, key: str, value: Json) -> None:
        await self._ctx.store.store(dict(value), namespace=f"feed.{self._name}", context_id=key)


class OwnFeed:
    """The feed of one file. If the file can't be loaded, the feed only reports that."""

    def __init__(
        self,
        config: OwnFeedConfig,
        triage: Triage,
        module: ModuleType | None,
        problem: str = "",
        registered: FeedFile | None = None,
    ) -> None:
        """Set up the feed. ``registered``: the handlers of ``module``."""
        self.name: str = config.name
        self.problem = problem
        self._config, self._triage, self._module = config, triage, module
        self._handlers = list(registered.handlers.values()) if registered else []
        self._footing = Footing(0.0)

    def listen(self, ctx: FeedContext) -> None:
        if self._module is None:
            return
        store = self._store(ctx)
        if hasattr(self._module, "run") or hasattr(self._module, "process"):

            async def process(update: ContextUpdate) -> None:
                if not update.deleted:
                    async with ctx.processing(update.seq):
                        with at_work(store, update):
                            await self._signal(ctx, update)

            subscribe = ctx.subscriber.on_context_update(
                namespaces=[f"{Namespace.RAW}.{self.name}"], name=f"feeds.{self.name}", start="beginning"
            )
            subscribe(process)
        for handler in self._handlers:
            ctx.subscriber.on_context_update(
                namespaces=handler.namespaces, tags=handler.tags, name=handler.name, start=handler.start, timeout=None
            )(self._handling(handler, store, ctx))

    def _handling(
        self, handler: Handler, store: FeedStore, ctx: FeedContext
    ) -> Callable[[ContextUpdate], Awaitable[None]]:
        async def handle(update: ContextUpdate) -> None:
            if update.deleted and not handler.deletions:
                return
            what = (handler.name, update.seq)
            async with ctx.processing(what):
                with at_work(store, update) as work:
                    await self._call(handler, update)
            if work.ended is not None:  # the file caught the error: its other writes stand
                await ctx.health.processed((*what, "chain"), work.ended, work.ended.remedy)

        return handle

    async def _call(self, handler: Handler, update: ContextUpdate) -> None:
        try:
            async with asyncio.timeout(TIMEOUT) as limit:
                await handler.call(update)
            if limit.expired():  # it swallowed its cancellation and returned
                raise TimeoutError
        except (StoreError, GiveUpError):
            raise  # the subscriber knows how to handle these
        except TimeoutError as error:
            words = str(error) or f"{handler.name} has not ended within {TIMEOUT:g} s"
            raise FeedError(f"{line_of(error, self._config.file)}: {words}", self._remedy) from error
        except Exception as error:
            raise self._told(error) from error

    async def run(self, ctx: FeedContext) -> None:
        if self._module is None:
            await ctx.health.report("trouble", self.problem, self._remedy)
            await asyncio.Event().wait()
            return
        if not hasattr(self._module, "run"):
            await self._tell(ctx)
            await asyncio.Event().wait()
            return
        if not self._footing.needed:
            await self._tell(ctx)
        well = asyncio.create_task(self._tell_once_well(ctx))
        store, began = self._store(ctx), ctx.clock.monotonic()
        try:
            with at_work(store):
                await self._module.run(OwnContext(self.name, self._config.settings, ctx, store))
        except Exception as error:
            self._footing.failed(ctx.clock.monotonic() - began)
            where = line_of(error, self._config.file)
            raise FeedError(f"{where}: {type(error).__name__}: {error}", f"fix {self._config.file}") from error
        finally:
            well.cancel()
            await asyncio.gather(well, return_exceptions=True)
        if self._handlers:  # they continue: the run was only a setup
            await self._tell(ctx)
        else:
            await ctx.health.report("done", f"{self._config.file}: its run has ended")
        await asyncio.Event().wait()

    async def _tell(self, ctx: FeedContext) -> None:
        await ctx.health.report("ok", f"{self._config.file}{await self._left_over(ctx)}")

    async def _tell_once_well(self, ctx: FeedContext) -> None:
        await ctx.clock.sleep(self._footing.needed)
        await self._tell(ctx)

    async def _left_over(self, ctx: FeedContext) -> str:
        """Drop subscriptions of handlers that the file no longer has; return words on those with pending deliveries."""
        there, words = {handler.name for handler in self._handlers}, ""
        for name, count in (await ctx.store.waiting(f"feeds.{self.name}.")).items():
            if name in there:
                continue
            if not count:
                await ctx.store.forget(name)
                continue
            gone = name.removeprefix(f"feeds.{self.name}.")
            words += f"; still waiting for {gone!r}, which is no longer in it: {count} (name={gone!r} hands them over)"
        return words

    def _store(self, ctx: FeedContext) -> FeedStore:
        return FeedStore(self.name, self._triage, ctx, self._config.kind)

    @property
    def _remedy(self) -> str:
        return f"fix {self._config.file} and restart pepper"

    def _told(self, error: Exception) -> FeedError:
        return FeedError(f"{line_of(error, self._config.file)}: {type(error).__name__}: {error}", self._remedy)

    async def _signal(self, ctx: FeedContext, update: ContextUpdate) -> None:
        assert self._module is not None
        if update.context.type != _EMITTED and not hasattr(self._module, "process"):
            return  # a handler's own write into this namespace is no signal by itself
        try:
            signal = self._made(said_in(self.name, update.context), update)
            if signal is None:
                return
            rule: Callable[[Signal], str | None] | None = getattr(self._module, "priority", None)
            named = rule(signal) if rule else None
            if named:
                signal.priority = Priority(named)
                signal.reason = f"the priority rule of your feed {self.name!r}"
        except Exception as error:
            raise self._told(error) from error
        await store_signal(ctx.store, signal, metadata=link(update))

    def _made(self, raw: Json, update: ContextUpdate) -> Signal | None:
        process = getattr(self._module, "process", None)
        said: Any = process(raw) if process else raw
        if said is None:
            return None
        raw_id = update.context.context_id
        if isinstance(said, Signal):
            said.id, said.source = f"signal_{raw_id}", self.name
            said.content, said.matter_kind = one_line(said.content, 320), self._config.kind
            for key in AUTHORITY:
                said.metadata.pop(key, None)
            return said
        if not isinstance(said, dict):
            raise TypeError(f"process must return a dict, a Signal or None, not {type(said).__name__}")
        return signal_of(self.name, said, raw_id, update.context.created_at, self._triage, self._config.kind)


def load_own_feed(config: OwnFeedConfig, triage: Triage) -> OwnFeed:
    """Load the feed that ``config`` names. Never raises: see ``OwnFeed.problem``. Blocking."""
    registered = FeedFile(config.name, config.file)
    try:
        return OwnFeed(config, triage, _module(config, registered), registered=registered)
    except Exception as error:
        where = line_of(error, config.file)
        return OwnFeed(config, triage, None, f"{where}: {type(error).__name__}: {error}")
    except SystemExit as error:
        return OwnFeed(config, triage, None, f"{config.file}: it ends the program: {error}")


def _module(config: OwnFeedConfig, registered: FeedFile) -> ModuleType:
    if not _NAME.fullmatch(config.name) or config.name in _TAKEN:
        raise ValueError(f"the name {config.name!r} is taken or is not made of a-z, 0-9 and _")
    with registered.loading():
        module = run_file(config.file, f"pepper_own_feed_{config.name}")
    if getattr(module, "NAME", config.name) != config.name:
        raise ValueError(f"its NAME must be {config.name!r}, as the config says")
    run = getattr(module, "run", None)
    if run is not None and not asyncio.iscoroutinefunction(run):
        raise ValueError("its run must be `async def run(ctx)`")
    if run is None and not callable(getattr(module, "process", None)) and not registered.handlers:
        raise ValueError("it has no `async def run(ctx)`, no `def process(raw)` and no handler")
    return module
