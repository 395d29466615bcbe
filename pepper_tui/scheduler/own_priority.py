"""``[scheduler] priority``: the user's own ``determine_priority(event_data)`` influences the order of signals.

It returns 1 (highest) to 4, a priority's name, or ``None`` to leave the signal as it is. It is called once per signal,
when that is queued, on the writer thread. It can't lower what one of the user's rules raised, nor bring in what is
``log``. An error or an invalid answer leaves the signal as it is; the last one is reported as health until the next
start.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

from pepper_tui.boundary.user_files import line_of, run_file
from pepper_tui.clock import Clock
from pepper_tui.model import Context, Health, Json, Namespace, Priority
from pepper_tui.store import Store, StoreError
from pepper_tui.text import one_line

log = logging.getLogger(__name__)

PART: Final = "priority"
SLOW: Final = 0.25  # seconds after which an answer is reported as slow: it blocks all writes
_ORDER: Final = [Priority.URGENT, Priority.HIGH, Priority.NORMAL, Priority.LOW]
_ANSWERS: Final = "1 (highest) to 4, urgent, high, normal or low"


class OwnPriority:
    """The function from one file. ``load`` it first; ``tell`` reports what goes wrong with it."""

    def __init__(self, file: Path, timer: Callable[[], float] = time.perf_counter) -> None:
        self._file, self._timer = file, timer
        self._function: Callable[[Json], Any] | None = None
        self.words = ""
        """What went wrong last; empty if nothing did."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()

    def load(self) -> None:
        """Run the file. Never raises: errors are reported as health. Blocking."""
        try:
            found = getattr(run_file(self._file, "pepper_own_priority"), "determine_priority", None)
            if not callable(found) or asyncio.iscoroutinefunction(found):
                raise ValueError("it has no `def determine_priority(event_data)`")
            self._function = found
        except (Exception, SystemExit) as error:
            self.words = f"{line_of(error, self._file)}: {type(error).__name__}: {error}"

    def of(self, signal: Context, given: Priority) -> Priority:
        """Return the priority that the user's function gives ``signal``, whose priority is ``given``.

        May be called on any thread.
        """
        if self._function is None or given is Priority.LOG:
            return given
        began = self._timer()
        try:
            answer = _read(self._function(_event(signal.data)))
        except (Exception, SystemExit) as error:
            self._say(f"{line_of(error, self._file)}: {type(error).__name__}: {error}")
            return given
        took = self._timer() - began
        if took > SLOW:
            self._say(f"{self._file}: an answer took {took:.1f} s; Pepper stores nothing meanwhile")
        if answer is None:
            return given
        metadata = signal.data.get("metadata")
        by_rule = isinstance(metadata, dict) and bool(metadata.get("rules"))
        return min(answer, given, key=_ORDER.index) if by_rule else answer

    async def tell(self, store: Store, clock: Clock) -> None:
        """Report the function's health, and each change of it, until cancelled."""
        self._loop = asyncio.get_running_loop()
        said: str | None = None
        while True:
            self._changed.clear()
            words = one_line(self.words, 500)
            if words != said:
                remedy = f"fix {self._file} and restart pepper; until then signals keep their own priority"
                state: Literal["ok", "trouble"] = "trouble" if words else "ok"
                health = Health(PART, state, words or str(self._file), remedy if words else "", clock.now())
                try:
                    await store.put(health, namespace=Namespace.HEALTH, context_id=PART, type="health")
                except StoreError:
                    log.exception("the health of determine_priority could not be told")
                said = words
            await self._changed.wait()

    def _say(self, words: str) -> None:
        if words == self.words:
            return
        self.words = words
        log.warning("determine_priority: %s", words)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._changed.set)


def _event(data: Json) -> Json:
    """Return a copy of the signal's data for the user's function, with the source named by its feed."""
    event = copy.deepcopy(data)
    named = event.get("metadata", {}).get("source") if isinstance(event.get("metadata"), dict) else None
    return {**event, "source": named} if isinstance(named, str) and named else event


def _read(answer: object) -> Priority | None:
    """Return the answer as a priority. Raises ``ValueError`` for an invalid one."""
    if answer is None:
        return None
    if isinstance(answer, int) and not isinstance(answer, bool) and 1 <= answer <= 4:
        return _ORDER[answer - 1]
    if isinstance(answer, str) and answer in _ORDER:
        return Priority(answer)
    raise ValueError(f"determine_priority answered {answer!r}; it may answer {_ANSWERS}")
