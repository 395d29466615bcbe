"""A feed senses one part of the outside: its *source* writes ``raw.<name>``, its *processor* turns that into signals.

The source runs as a supervised task: an error stops neither Pepper nor the feed. It is reported as ``Health`` with the
way to fix it, and the feed restarts after a growing pause. The processor is a durable subscription on ``raw.<name>``,
so whatever a source has stored becomes a signal even after a crash in between. ``listen`` registers it and must be
called before ``Subscriber.start``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Hashable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, Final, Literal, Protocol, TypeVar

from pepper_tui.clock import (
    NO_ANSWER_REMEDY,
    Clock,
    NoAnswerError,
    Turns,
    done_before,
    either,
    in_thread,
    looks,
    no_answer,
)
from pepper_tui.model import BACKLOG, HELD_TAG, Health, Json, Namespace, Priority, Signal
from pepper_tui.store import Store, StoreError, Subscriber
from pepper_tui.text import one_line
from pepper_tui.text.errors import Foreseen, PepperError

T = TypeVar("T")
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0
MARGIN: Final = 5.0  # seconds that a run must last beyond the one that failed before it
REST: Final = 60.0  # seconds by which the note of when a feed was well last may be too early
STEADY: Final = 60.0  # seconds of running after which the next failure counts as a first one again

OPEN: Final = "judging"
"""Signals that wait to be judged are in ``judging.<source>``; see ``feeds/llm_triage.py``."""
BY_PEPPER: Final = "by_pepper"
"""The metadata key that marks results of Pepper's own actions; see ``feeds/chain.py``."""
PROCESSOR_REMEDY: Final = "it is tried again by itself; `pepper store dead` names what was given up"

HealthState = Literal["ok", "starting", "trouble", "stopped", "done", "paused"]


class FeedError(PepperError, Foreseen):
    """A feed can't continue as it is. ``remedy`` says in words what the user can do."""

    def __init__(self, detail: str, remedy: str) -> None:
        super().__init__(detail, remedy)


class HealthReporter:
    """Writes the ``Health`` of one feed, only on change: the state of its source, and whether its processor fails.

    A processor's failure stands until the same update has gone through, whatever the source reports meanwhile. It is
    written outside the unit of work of the failed handler, which is thrown away. What went wrong with the source stands
    until the source says how it is: that it is tried again is no news.
    """

    def __init__(self, store: Store, clock: Clock, part: str) -> None:
        self._store, self._clock, self._part = store, clock, part
        self._source: tuple[HealthState, str, str] = ("starting", "", "")
        self._stalled: dict[str, None] = {}  # places that do not answer
        self._failing: dict[Hashable, tuple[str, str]] = {}  # by what failed: what went wrong, and how to fix it
        self._last: tuple[str, str, str] | None = None
        self._told: Health | None = None  # what is stored of it
        self._well_at = 0.0
        self._writing = asyncio.Lock()

    @property
    def well_since_start(self) -> bool:
        """Whether the source is well, and has said so since it was started."""
        return self._last is not None and self._source[0] in ("ok", "done")

    async def report(self, state: HealthState, detail: str = "", remedy: str = "") -> None:
        """Record the source's health; writes only if state, detail or remedy changed."""
        self._source = (state, one_line(detail, 500), one_line(remedy, 500))
        if state in ("ok", "done"):
            self._well_at = self._clock.now()
        await self._say()

    async def rest(self) -> None:
        """Note when the source was well last, as it is about to end: nobody else knows."""
        if self._told is not None and self._well_at - self._told.well_at >= REST:
            self._told.well_at = self._well_at
            await self._put(self._told)

    async def processed(self, what: Hashable, error: Exception | None = None, remedy: str = "") -> None:
        """Record that ``what`` (an update, or one handler's attempt at it) failed with ``error``, or went through."""
        if error is not None:
            words = str(error) if isinstance(error, Foreseen) else f"{type(error).__name__}: {error}"
            detail = f"what came in can't be processed: {words}"
            self._failing[what] = (one_line(detail, 500), one_line(remedy or PROCESSOR_REMEDY, 500))
        elif self._failing.pop(what, None) is None:
            return
        await self._say()

    async def stalled(self, place: object) -> None:
        """Record that ``place`` does not answer; this stands until ``answered``, whatever else is reported."""
        self._stalled[str(place)] = None
        await self._say()

    async def answered(self, place: object) -> None:
        """Record that ``place`` has answered after all."""
        self._stalled.pop(str(place), None)
        await self._say()

    async def _say(self) -> None:
        await asyncio.create_task(self._write())  # a task of its own is outside any unit of work

    async def _write(self) -> None:
        async with self._writing:
            said: tuple[HealthState, str, str] = self._source
            if self._stalled:
                said = ("trouble", one_line(no_answer(", ".join(self._stalled)), 500), NO_ANSWER_REMEDY)
            elif self._failing and said[0] in ("ok", "starting", "done"):
                said = ("trouble", *next(reversed(self._failing.values())))
            if said == self._last:
                return
            if self._told is None and not self._well_at:
                before = Health.one(await self._store.get(self._part, namespace=Namespace.HEALTH))
                well = before.state in ("ok", "done") if before is not None else False
                self._well_at = max(before.well_at, before.at if well else 0.0) if before is not None else 0.0
            health = Health(self._part, *said, self._clock.now(), self._well_at)
            await self._put(health)
            self._last, self._told = said, health

    async def _put(self, health: Health) -> None:
        await self._store.store(health.data(), namespace=Namespace.HEALTH, context_id=self._part, type="health")


@dataclass(frozen=True, slots=True)
class FeedContext:
    """What a feed is given: the store, the clock, the subscriber, and where to report its health.

    ``turns``: gives way to keys while much is taken in.
    """

    store: Store
    clock: Clock
    subscriber: Subscriber
    health: HealthReporter
    zone: tzinfo
    turns: Turns = field(default_factory=Turns)

    @asynccontextmanager
    async def processing(self, what: Hashable) -> AsyncIterator[None]:
        """Report what goes wrong while ``what`` is processed as health, and when it went through."""
        try:
            yield
        except Exception as error:
            await self.health.processed(what, error, str(getattr(error, "remedy", "")))
            raise
        await self.health.processed(what)

    async def look(self, place: object, function: Callable[..., T], *args: Any) -> T:
        """Run the blocking ``function`` on ``place`` in a thread and return its result.

        If it takes longer than ``LONGEST``, the feed reports trouble; its late result is still used, so that nothing is
        lost or read twice.
        """
        work = in_thread(function, *args)
        if not await done_before(work, self.clock.sleep(looks.LONGEST)):
            await self._say_stalled(place)
            await asyncio.wait({work})
            await self.health.answered(place)
        return work.result()

    async def _say_stalled(self, place: object) -> None:
        with contextlib.suppress(StoreError):  # the store reports its own trouble
            await self.health.stalled(place)

    async def wait(self, changed: asyncio.Event, seconds: float) -> None:
        """Return after ``seconds``, or as soon as ``changed`` is set."""
        await either(changed, self.clock.sleep(seconds))

    async def wait_until(self, changed: asyncio.Event, at: float) -> None:
        """Return at the wall time ``at``, as soon as ``changed`` is set, or when the wall clock is set."""
        await either(changed, self.clock.sleep_until(at))


class Feed(Protocol):
    """One source. ``name`` is the last level of its namespaces."""

    @property
    def name(self) -> str: ...

    def listen(self, ctx: FeedContext) -> None:
        """Register the processor of ``raw.<name>``. Called once, before the subscriber starts."""
        ...

    async def run(self, ctx: FeedContext) -> None:
        """Sense until cancelled. May raise: the supervisor restarts it."""
        ...


@dataclass(slots=True)
class Footing:
    """How long a run must last to count as one that works, where only time can tell: longer than one that failed.

    ``least``: how long as long as none has failed.
    """

    least: float
    _failed_after: float | None = None

    @property
    def needed(self) -> float:
        """Seconds of running."""
        return self.least if self._failed_after is None else self._failed_after + MARGIN

    def failed(self, lasted: float) -> None:
        """Note that a run has failed after so many seconds."""
        self._failed_after = min(lasted, STEADY)


@dataclass(slots=True)
class Feeds:
    """The supervisor: runs each feed as its own task and restarts it with back-off."""

    feeds: list[Feed]
    store: Store
    clock: Clock
    subscriber: Subscriber
    zone: tzinfo
    _contexts: dict[str, FeedContext] = field(default_factory=dict)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def listen(self) -> None:
        """Register all processors. Call it before ``subscriber.start()``."""
        for feed in self.feeds:
            feed.listen(self._context(feed))

    def start(self) -> None:
        """Start every source, after ``subscriber.start()``."""
        self._tasks = [asyncio.create_task(self._supervise(feed), name=f"feed {feed.name}") for feed in self.feeds]

    async def stop(self) -> None:
        """Stop every source. Whatever they have stored stays and is processed after the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        with contextlib.suppress(StoreError):  # the store reports its own trouble
            for ctx in self._contexts.values():
                await ctx.health.rest()

    def is_well(self, name: str) -> bool:
        """Check whether the feed of that name runs, and is well."""
        ctx = self._contexts.get(f"feed.{name}")
        return bool(self._tasks) and ctx is not None and ctx.health.well_since_start

    def _context(self, feed: Feed) -> FeedContext:
        part = f"feed.{feed.name}"
        if part not in self._contexts:
            health = HealthReporter(self.store, self.clock, part)
            self._contexts[part] = FeedContext(self.store, self.clock, self.subscriber, health, self.zone)
        return self._contexts[part]

    async def _supervise(self, feed: Feed) -> None:
        ctx = self._context(feed)
        pause, told = FIRST_PAUSE, False
        while True:
            began = self.clock.monotonic()
            try:
                if not told:
                    await ctx.health.report("starting")
                    told = True
                await feed.run(ctx)
                await ctx.health.report("stopped", f"{feed.name} has ended on its own", "restart pepper to start it")
                return
            except Exception as failure:
                error = _one(failure)
                if isinstance(error, NoAnswerError):
                    await self._tell(ctx, str(error), error.remedy)
                    await asyncio.wait({error.over})
                    continue
                if self.clock.monotonic() - began >= STEADY:
                    pause = FIRST_PAUSE
                remedy = getattr(error, "remedy", "") or "it is tried again by itself; see pepper log"
                words = str(error) if isinstance(error, Foreseen) else f"{type(error).__name__}: {error}"
                await self._tell(ctx, words, str(remedy))
            await self.clock.sleep(pause * (0.75 + self.clock.jitter() / 2))
            pause = min(LONGEST_PAUSE, pause * 2)

    @staticmethod
    async def _tell(ctx: FeedContext, detail: str, remedy: str) -> None:
        try:
            await ctx.health.report("trouble", detail, remedy)
        except Exception:  # the store reports its own trouble; the feed must still try again
            return


def _one(error: Exception) -> Exception:
    """Return the single error inside nested task groups, if there is just one."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


async def store_signal(
    store: Store,
    signal: Signal,
    tags: Iterable[str] = (),
    dedupe_key: str = "",
    *,
    is_open: bool = False,
    metadata: Json | None = None,
) -> None:
    """Store ``signal`` in ``signals.<source>``: once per id, and once per ``dedupe_key`` within its window.

    ``is_open``: a model is to judge it first; until then it waits in ``judging.<source>``. ``metadata``: the context's
    own.
    """
    namespace = f"{Namespace.SIGNALS}.{signal.source}"
    if await store.get(signal.id, namespace=namespace) is None:
        await put_signal(store, signal, tags, dedupe_key, is_open=is_open, metadata=metadata)


async def put_signal(
    store: Store,
    signal: Signal,
    tags: Iterable[str] = (),
    dedupe_key: str = "",
    *,
    is_open: bool = False,
    metadata: Json | None = None,
) -> None:
    """Store a signal like ``store_signal``, when it is known not to exist yet."""
    metadata = metadata or {}
    if metadata.get(BY_PEPPER):
        signal.priority, signal.reason = Priority.LOG, "Pepper's own doing"
    held = signal.priority is Priority.LOG and signal.reason != BACKLOG
    namespace = f"{Namespace.SIGNALS}.{signal.source}"
    await store.put(
        signal,
        namespace=f"{OPEN}.{signal.source}" if is_open else namespace,
        type="signal",
        text="" if is_open else signal.content,
        tags={str(signal.priority), *tags, *([HELD_TAG] if held else [])},
        metadata={**metadata, **({"dedupe_key": dedupe_key} if is_open else {})},
        dedupe_key=dedupe_key or None,
    )
