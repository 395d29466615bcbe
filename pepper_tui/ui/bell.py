"""The bell: for what is urgent or asks for a yes, while the user looks elsewhere; once each, not too often."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from pepper_tui.model import ApprovalState, Context, ContextUpdate, Namespace, NotificationState, Priority

GAP: Final = 10.0
"""Seconds between two rings."""
REMEMBERED: Final = 1000


class Bell:
    """Rings ``ring`` where it is ``wanted`` and the terminal is not looked at."""

    def __init__(self, ring: Callable[[], None], monotonic: Callable[[], float]) -> None:
        self._ring, self._monotonic = ring, monotonic
        self._told: deque[str] = deque(maxlen=REMEMBERED)
        self._last = -GAP
        self.wanted = True
        self.looked_at = True

    def hear(self, updates: Iterable[ContextUpdate]) -> None:
        for update in updates:
            context = update.context
            if update.deleted or not _calls_out(context) or context.context_id in self._told:
                continue
            self._told.append(context.context_id)
            if self.wanted and not self.looked_at and self._monotonic() - self._last >= GAP:
                self._last = self._monotonic()
                self._ring()


def _calls_out(context: Context) -> bool:
    state = context.data.get("state")
    if context.namespace == Namespace.NOTIFICATION:
        return context.data.get("priority") == Priority.URGENT and state == NotificationState.NEW
    return context.namespace == Namespace.APPROVAL and state == ApprovalState.PENDING
