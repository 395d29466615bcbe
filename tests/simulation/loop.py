"""The event loop of a simulation: time is a number, nothing blocks, no thread exists, and a seed picks what runs next.

Time moves only when nothing is ready, and then straight to the next timer. In the order ``fifo`` ready callbacks run as
asyncio promises; in ``shuffled`` the seed picks among them, as if each had come from an outside event of its own.
A loop can be ``abandoned`` like a killed process: what was under way never runs on.
"""

from __future__ import annotations

import asyncio
import heapq
import random
import sys
from asyncio import events
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn


class StuckError(Exception):
    """Nothing is ready, no timer is set, and what is waited for has not come."""


class Ended(BaseException):
    """The process is killed in the midst of a blocking call."""


class SimulatedTask(asyncio.Task[Any]):
    """A task whose hash does not depend on where it lies in memory, so that sets of tasks have one order."""

    def __init__(self, coro: Coroutine[Any, Any, Any], *, loop: SimulatedLoop, **rest: Any) -> None:
        self._serial = loop.next_serial()
        super().__init__(coro, loop=loop, **rest)

    def __hash__(self) -> int:
        return self._serial


class SimulatedLoop(asyncio.BaseEventLoop):
    """``run_until`` a condition holds or a time is reached. ``after_each`` is called after each callback."""

    def __init__(self, start: float, chance: random.Random, *, shuffled: bool) -> None:
        super().__init__()
        self._virtual = start
        self._chance, self._shuffled = chance, shuffled
        self._serials = 0
        self.abandoned = False
        self.steps = 0
        self.lag = 0.0  # seconds that the blocking call under way takes
        self.sockets: dict[int, Callable[[], bool]] = {}  # by descriptor: whether there is something to read
        self._readers: dict[int, Callable[[], object]] = {}
        self.tasks: dict[int, SimulatedTask] = {}
        self.after_each: Callable[[], None] = lambda: None
        self.set_task_factory(self._make_task)
        self.set_exception_handler(self._on_trouble)
        self.troubles: list[str] = []

    def next_serial(self) -> int:
        self._serials += 1
        return self._serials

    def _make_task(self, loop: Any, coro: Any, **rest: Any) -> SimulatedTask:
        task = SimulatedTask(coro, loop=self, **rest)
        self.tasks[task._serial] = task
        task.add_done_callback(lambda done: self.tasks.pop(done._serial, None))
        return task

    def _on_trouble(self, loop: Any, context: dict[str, Any]) -> None:
        if not self.abandoned:
            self.troubles.append(f"{context.get('message')}: {context.get('exception')!r}")

    # ------------------------------------------------------------------------------------------- what asyncio asks for

    def time(self) -> float:
        return self._virtual

    def _check_closed(self) -> None:
        return  # what the closing of an abandoned coroutine asks for is taken and never run

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> Any:
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        """Run ``func`` here, a little later, as a thread would; what it says that it waited, its result waits."""
        done = self.create_future()

        def ended(set_it: Callable[[Any], None], value: Any) -> None:
            if not done.done():
                set_it(value)

        def work() -> None:
            self.lag = 0.0
            try:
                result = func(*args)
            except Ended:
                return
            except Exception as error:
                told = (done.set_exception, error)
            else:
                told = (done.set_result, result)
            if self.lag:
                self.call_later(self.lag, ended, *told)
            else:
                ended(*told)

        self.call_later(self._chance.choice((0.0, 0.0, 0.002, 0.03)), work)
        return done

    def add_reader(self, fd: Any, callback: Callable[..., Any], *args: Any) -> None:
        self._readers[fd] = lambda: self.call_soon(callback, *args)
        self.readable(fd)

    def remove_reader(self, fd: Any) -> bool:
        return self._readers.pop(fd, None) is not None

    def readable(self, fd: int) -> None:
        """Tell who waits for a descriptor that there is something to read, if there is."""
        if fd in self._readers and self.sockets[fd]():
            self._readers[fd]()

    def _write_to_self(self) -> None:
        pass

    def _process_events(self, event_list: Any) -> NoReturn:
        raise AssertionError("a simulation has no files to select")

    # ------------------------------------------------------------------------------------------- running

    def run_until(self, condition: Callable[[], bool], until: float = float("inf")) -> bool:
        """Whether ``condition`` came to hold before the time ``until``. Raises ``StuckError``."""
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(firstiter=self._asyncgen_firstiter_hook, finalizer=self._asyncgen_finalizer_hook)
        events._set_running_loop(self)
        try:
            while not condition():
                if not self._one(until):
                    return False
            return True
        finally:
            events._set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)

    def _one(self, until: float) -> bool:
        ready: Any = self._ready  # type: ignore[attr-defined]
        scheduled: Any = self._scheduled  # type: ignore[attr-defined]
        while scheduled and (scheduled[0]._cancelled or scheduled[0]._when <= self._virtual):
            timer = heapq.heappop(scheduled)
            timer._scheduled = False
            if not timer._cancelled:
                ready.append(timer)
        if not ready:
            if not scheduled:
                if until == float("inf"):
                    raise StuckError("nothing is left to run")
                self._virtual = max(self._virtual, until)
                return False
            due = scheduled[0]._when
            if due > until:
                self._virtual = max(self._virtual, until)
                return False
            self._virtual = due
            return True
        if self._shuffled and len(ready) > 1:
            place = int(self._chance.random() * len(ready))
            ready.rotate(-place)
            handle = ready.popleft()
            ready.rotate(place)
        else:
            handle = ready.popleft()
        if not handle._cancelled:
            self.steps += 1
            handle._run()
            self.after_each()
        return True

    def abandon(self) -> None:
        """End everything as a kill does: no callback runs any more; what closing a coroutine does reaches nothing."""
        self.abandoned = True
        ready: Any = self._ready  # type: ignore[attr-defined]
        ready.clear()
        self._scheduled.clear()  # type: ignore[attr-defined]
        tasks = [*self.tasks.values()]
        self.close()
        for task in tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            try:
                task.get_coro().close()  # type: ignore[union-attr]
            except BaseException:  # a `finally` that awaits or spawns: the process is gone, nobody hears it
                continue
        self.tasks.clear()
