"""Durable push: handlers that are called with each update, at least once, and acknowledged together with their writes.

A handler runs inside a unit of work that ends with the acknowledgement. It runs again after a crash before that commit,
and after an exception as its ``Retry`` says; finally (after ``GiveUpError`` immediately) its delivery is dead. A
handler that exceeds its timeout is cancelled, which is a failure like any other. Later deliveries pass a failing one,
unless they share its order key. While the store itself fails (a full disk), no update is blamed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from pepper_tui.clock import Clock
from pepper_tui.model import ContextUpdate
from pepper_tui.store.delivery.queue import DeliveryQueue
from pepper_tui.store.delivery.subscription import OrderKey, Start
from pepper_tui.store.errors import GiveUpError, StaleDeliveryError, StoreError, StoreUnavailableError
from pepper_tui.store.protocol import Store
from pepper_tui.store.unit import Delivery

log = logging.getLogger(__name__)
F = TypeVar("F", bound=Callable[..., Awaitable[Any]])
Wanted = Callable[[ContextUpdate], bool]
"""Whether an update is delivered at all; asked on the store's thread, while it is stored."""
BUFFER: Final = 64
ERROR_CHARS: Final = 2000
TIMEOUT: Final = 300.0  # seconds
STORE_PAUSE: Final = 5.0  # seconds until a retry after the store failed
STORE_FAULTS: Final = 60  # consecutive faults of the store that do not count against an update


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a failing handler is called for one update, and how long to wait in between.

    ``base`` seconds, doubled each time up to ``cap``, minus a random part of up to half.
    """

    attempts: int = 5
    base: float = 0.5
    cap: float = 300.0

    def delay(self, failures: int, chance: float) -> float:
        """Return the seconds to wait after the ``failures``-th failure; ``chance`` is in [0, 1)."""
        return min(self.cap, self.base * 2.0 ** min(failures - 1, 60)) * (1 - chance / 2)


@dataclass(slots=True)
class _Handling:
    """One handler and how to call it. ``size`` 0 means single updates instead of a list."""

    name: str
    function: Callable[..., Awaitable[Any]]
    namespaces: tuple[str, ...]
    tags: frozenset[str]
    retry: Retry
    start: Start
    order_key: OrderKey | None = None
    concurrency: int = 1
    size: int = 0
    longest_wait: float = 0.0
    timeout: float | None = TIMEOUT
    wanted: Wanted | None = None


@dataclass(slots=True, eq=False)
class _Worker:
    """Feeds one handler from its queue."""

    handling: _Handling
    store: Store
    clock: Clock
    stopping: bool = False
    running: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    store_faults: Counter[int] = field(default_factory=Counter)  # consecutive, by seq

    async def run(self, queue: DeliveryQueue) -> None:
        while True:
            try:
                await (self._batches(queue) if self.handling.size else self._singles(queue))
            except StoreError:
                if self.stopping or self.store.closed:
                    return
                log.exception("deliveries of %s could not be read: trying again", self.handling.name)
                await self.clock.sleep(1.0)

    async def _singles(self, queue: DeliveryQueue) -> None:
        free = asyncio.Semaphore(self.handling.concurrency)
        while True:
            found = await queue.peek(BUFFER, exclude=self.running.keys())
            if not found:
                await queue.wait()
                continue
            for delivery in found:
                if self.handling.concurrency == 1:
                    await self.attempt([delivery])
                    continue
                await free.acquire()
                task = asyncio.create_task(self.attempt([delivery]), name=f"handler-{self.handling.name}")
                self.running[delivery.seq] = task

                def ended(_: asyncio.Task[None], seq: int = delivery.seq) -> None:
                    self.running.pop(seq, None)
                    free.release()
                    queue.wake()  # while it ran no peek could see it: it may be open still, and due

                task.add_done_callback(ended)

    async def _batches(self, queue: DeliveryQueue) -> None:
        size = self.handling.size
        while True:
            found = await queue.peek(size)
            if not found:
                await queue.wait()
                continue
            if len(found) < size and self.handling.longest_wait > 0:
                await self.clock.sleep(self.handling.longest_wait)
                found = await queue.peek(size)
            if not await self._accepted(found):
                for delivery in found:  # so that only the failing one is retried
                    await self.attempt([delivery])

    async def _accepted(self, found: list[Delivery]) -> bool:
        if len(found) <= 1:
            return False
        try:
            await self._call(found)
        except (Exception, asyncio.CancelledError) as error:
            if self._is_ours(error):
                raise
            if await self._waited_out(found[0].seq, error):
                return True
            log.warning(
                "batch handler %s failed (%r): its %d updates one by one", self.handling.name, error, len(found)
            )
            return False
        return True

    async def attempt(self, found: list[Delivery]) -> None:
        """Call the handler once, and settle the delivery whatever the outcome."""
        seq = found[0].seq
        try:
            await self._call(found)
        except StaleDeliveryError:
            return  # settled elsewhere
        except (Exception, asyncio.CancelledError) as error:
            if self._is_ours(error):
                raise
            if isinstance(error, StoreError) and self.store.closed:
                return
            if not await self._waited_out(seq, error):
                await self._failed(found, error)
        else:
            self.store_faults.pop(seq, None)

    def _is_ours(self, error: BaseException) -> bool:
        """Check whether this task was cancelled, and not something that the handler awaited."""
        task = asyncio.current_task()
        return isinstance(error, asyncio.CancelledError) and (
            self.stopping or (task is not None and task.cancelling() > 0)
        )

    async def _waited_out(self, seq: int, error: BaseException) -> bool:
        """Check whether ``error`` is the store's own; if so, pause first to let it recover."""
        if not isinstance(error, StoreUnavailableError) or self.store_faults[seq] >= STORE_FAULTS:
            return False
        self.store_faults[seq] += 1
        log.warning("%s waits for the store: %s", self.handling.name, error)
        await self.clock.sleep(STORE_PAUSE)
        return True

    async def _call(self, found: list[Delivery]) -> None:
        handling = self.handling
        async with self.store.unit() as unit:
            async with asyncio.timeout(handling.timeout) as limit:
                if handling.size:
                    await handling.function([delivery.update for delivery in found])
                else:
                    await handling.function(found[0].update)
            if limit.expired():  # the handler swallowed its cancellation and returned
                raise TimeoutError
            for delivery in found:
                unit.ack(delivery)

    async def _failed(self, found: list[Delivery], error: BaseException) -> None:
        told = str(error) or (f"no end within {self.handling.timeout} s" if isinstance(error, TimeoutError) else "")
        words = f"{type(error).__name__}: {told}"[:ERROR_CHARS].encode("utf-8", "replace").decode()
        retry = self.handling.retry
        for delivery in found:
            failures = delivery.attempts + 1
            try:
                async with self.store.unit() as unit:
                    if failures >= retry.attempts or isinstance(error, GiveUpError):
                        log.error("%s gave up update %d: %s", self.handling.name, delivery.seq, words)
                        unit.bury(delivery, words)
                        await self.store.tell_dead(f"{self.handling.name} gave up an update: {words}")
                    else:
                        delay = retry.delay(failures, self.clock.jitter())
                        log.warning(
                            "%s failed on update %d: %s", self.handling.name, delivery.seq, words, exc_info=error
                        )
                        unit.defer(delivery, self.clock.now() + delay, words)
            except StaleDeliveryError:
                continue  # settled elsewhere
            except StoreError:
                if not self.store.closed:  # it stays due as it was: without a pause it would be tried without end
                    await self.clock.sleep(STORE_PAUSE)


class Subscriber:
    """Collects handlers by decorator, and runs them between ``start`` and ``stop``."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._handlings: dict[str, _Handling] = {}
        self._workers: dict[str, tuple[_Worker, asyncio.Task[None]]] = {}
        self._started = False
        self._late: set[asyncio.Task[None]] = set()

    def on_context_update(
        self,
        *,
        namespaces: Sequence[str] = (),
        tags: Iterable[str] = (),
        retry: Retry | None = None,
        name: str | None = None,
        start: Start = "now",
        order_key: OrderKey | None = None,
        concurrency: int = 1,
        timeout: float | None = TIMEOUT,
    ) -> Callable[[F], F]:
        """Call the decorated coroutine function with each ``ContextUpdate`` in the namespaces that has all the tags.

        ``name`` is the durable subscription's (default: module and qualified name); keep it when the code moves.
        ``order_key`` returns the key within which an update's order holds; ``concurrency`` is how many run at the same
        time. After ``timeout`` seconds a call counts as failed; None means no limit, so that it can block its
        subscription.
        """

        def decorate(function: F) -> F:
            self._add(
                _Handling(
                    name or _name_of(function),
                    function,
                    tuple(namespaces),
                    frozenset(tags),
                    retry or Retry(),
                    start,
                    order_key,
                    max(1, concurrency),
                    timeout=timeout,
                )
            )
            return function

        return decorate

    def on_context_batch(
        self,
        *,
        namespaces: Sequence[str] = (),
        tags: Iterable[str] = (),
        size: int = 100,
        longest_wait: float = 0.05,
        retry: Retry | None = None,
        name: str | None = None,
        start: Start = "now",
        order_key: OrderKey | None = None,
        timeout: float | None = TIMEOUT,
        wanted: Wanted | None = None,
    ) -> Callable[[F], F]:
        """Call the decorated coroutine function with lists of at most ``size`` updates.

        The first of them has waited at most ``longest_wait`` seconds. A batch that fails (or exceeds ``timeout``
        seconds) is delivered again one by one. ``wanted``: which updates are delivered; without it, all are.
        """

        def decorate(function: F) -> F:
            self._add(
                _Handling(
                    name or _name_of(function),
                    function,
                    tuple(namespaces),
                    frozenset(tags),
                    retry or Retry(),
                    start,
                    order_key,
                    size=max(1, size),
                    longest_wait=longest_wait,
                    timeout=timeout,
                    wanted=wanted,
                )
            )
            return function

        return decorate

    async def start(self) -> None:
        """Register the subscriptions and begin to deliver."""
        self._started = True
        for handling in self._handlings.values():
            await self._run(handling)

    async def stop(self) -> None:
        """Stop the handlers. A running one is cancelled, and its update is delivered again at the next start."""
        self._started = False
        tasks = [*self._late]
        for worker, task in self._workers.values():
            worker.stopping = True
            tasks += [task, *worker.running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._workers.clear()

    def _add(self, handling: _Handling) -> None:
        if handling.name in self._handlings:
            raise ValueError(f"two handlers are called {handling.name}: give one a name=")
        self._handlings[handling.name] = handling
        if self._started:
            task = asyncio.create_task(self._run(handling))
            self._late.add(task)
            task.add_done_callback(self._late.discard)

    async def _run(self, handling: _Handling) -> None:
        if handling.name in self._workers:
            return
        wanted = handling.wanted
        queue = await self._store.queue(
            handling.name,
            handling.namespaces,
            tags=handling.tags,
            rank=None if wanted is None else lambda update: 0 if wanted(update) else None,
            order_key=handling.order_key,
            start=handling.start,
        )
        worker = _Worker(handling, self._store, self._store.clock)
        task = asyncio.create_task(worker.run(queue), name=f"subscriber-{handling.name}")
        self._workers[handling.name] = (worker, task)


def _name_of(function: Callable[..., Any]) -> str:
    target = getattr(function, "__func__", function)
    qualified = getattr(target, "__qualname__", type(function).__qualname__)
    return f"{getattr(target, '__module__', type(function).__module__)}.{qualified}"
