"""A delayed call that can be postponed or cancelled.

Textual's timers post their call to the message queue: a stopped timer may already have done so, and its callback is
called all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.message_pump import MessagePump
from textual.timer import Timer


class Later:
    """At most one pending call, on ``pump``."""

    def __init__(self, pump: MessagePump) -> None:
        self._pump = pump
        self._timer: Timer | None = None
        self._turn = 0

    @property
    def waits(self) -> bool:
        """True while a call is pending."""
        return self._timer is not None

    def after(self, seconds: float, act: Callable[[], Any], *, last: bool = False) -> None:
        """Call ``act`` in so many seconds, replacing the pending call; ``last``: after all messages then queued."""
        self.stop()
        turn = self._turn

        def due() -> Any:
            if turn != self._turn:
                return None
            self._timer = None
            return act()

        wait = (lambda: self._pump.call_later(due)) if last else due
        self._timer = self._pump.set_timer(seconds, wait)

    def stop(self) -> None:
        """Cancel the pending call."""
        self._turn += 1
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
