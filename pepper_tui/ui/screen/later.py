"""A thing to be done after a while, unless it is put off or stopped.

Textual's timers hand their call to the message queue: one that is stopped may have done so already, and is called all
the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.message_pump import MessagePump
from textual.timer import Timer


class Later:
    """At most one call to come, on ``pump``."""

    def __init__(self, pump: MessagePump) -> None:
        self._pump = pump
        self._timer: Timer | None = None
        self._turn = 0

    @property
    def waits(self) -> bool:
        """Whether a call is to come."""
        return self._timer is not None

    def after(self, seconds: float, act: Callable[[], Any], *, last: bool = False) -> None:
        """Call ``act`` in so many seconds, in the place of what was to come; ``last``: behind all messages that have
        come by then."""
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
        """Let nothing come."""
        self._turn += 1
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
