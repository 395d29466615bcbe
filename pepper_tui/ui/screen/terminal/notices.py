"""Alerts for a user who looks elsewhere: the bell, and if configured a terminal or desktop notification.

Only for what is urgent or needs a yes, once each and not too often. The words came from outside: they are cleaned, cut,
and contain nothing that a terminal or a notification's markup would obey.
"""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from pepper_tui.model import ApprovalState, Context, ContextUpdate, Namespace, NotificationState, Priority
from pepper_tui.text import one_line

GAP: Final = 10.0
"""Seconds between two alerts."""
REMEMBERED: Final = 1000
LONGEST: Final = 120
"""Characters of a notification."""
PATIENCE: Final = 5.0
"""Seconds that the desktop has to accept a notification."""


class Notices:
    """Sends alerts.

    ``ring`` is the bell, ``write`` sends a sequence to the terminal, ``desktop`` gets title and words.
    """

    def __init__(
        self,
        ring: Callable[[], None],
        write: Callable[[str], None],
        desktop: Callable[[str, str], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._ring, self._write, self._desktop, self._monotonic = ring, write, desktop, monotonic
        self._told: deque[str] = deque(maxlen=REMEMBERED)
        self._waiting: list[str] = []
        self._last = -GAP
        self.bell = True
        self.kind = ""
        """The kind of notification besides the bell, as in ``[ui] notice``."""
        self.looked_at = True

    def hear(self, updates: Iterable[ContextUpdate]) -> None:
        """Alert the user to what is new among ``updates``, if they are not looking."""
        for update in updates:
            context = update.context
            if update.deleted or not _calls_out(context) or context.context_id in self._told:
                continue
            self._told.append(context.context_id)
            if not self.looked_at:
                self._waiting.append(_words(context))
        if self.looked_at:
            self._waiting.clear()
        elif self._waiting and self._monotonic() - self._last >= GAP:
            self._last = self._monotonic()
            first, more = self._waiting[0], len(self._waiting) - 1
            self._waiting.clear()
            self._call(f"{first} (and {more} more)" if more else first)

    def _call(self, words: str) -> None:
        if self.bell:
            self._ring()
        if self.kind == "desktop":
            self._desktop("Pepper", words)
        elif self.kind:
            self._write(sequence(self.kind, words))


def sequence(kind: str, words: str) -> str:
    """Return the terminal notification of a ``kind``.

    ``osc9`` (iTerm2, WezTerm), ``osc777`` (urxvt, foot, Ghostty), ``osc99`` (Kitty).
    """
    plain = one_line(words, LONGEST).replace(";", ",")
    if kind == "osc9":
        return f"\x1b]9;Pepper: {plain}\x07"
    if kind == "osc777":
        return f"\x1b]777;notify;Pepper;{plain}\x07"
    payload = base64.b64encode(plain.encode()).decode("ascii")
    return f"\x1b]99;i=pepper:d=0;Pepper\x1b\\\x1b]99;i=pepper:d=1:p=body:e=1;{payload}\x1b\\"


def notify_desktop(title: str, words: str) -> str:
    """Send a notification with `notify-send`. Blocking. Returns what went wrong; an empty string if nothing did."""
    import html  # neither is needed before the first notification
    import subprocess

    body = html.escape(one_line(words, LONGEST), quote=False)
    command = ["notify-send", "--app-name=Pepper", "--urgency=critical", "--", one_line(title, LONGEST), body]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except FileNotFoundError:
        return "notify-send is not there"
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"notify-send: {one_line(str(error), LONGEST)}"
    return "" if done.returncode == 0 else f"notify-send: {one_line(done.stderr or 'it failed', LONGEST)}"


def _calls_out(context: Context) -> bool:
    state = context.data.get("state")
    if context.namespace == Namespace.NOTIFICATION:
        return context.data.get("priority") == Priority.URGENT and state == NotificationState.NEW
    return context.namespace == Namespace.APPROVAL and state == ApprovalState.PENDING


def _words(context: Context) -> str:
    if context.namespace == Namespace.NOTIFICATION:
        return one_line(str(context.data.get("title", "")), LONGEST)
    effect = context.data.get("effect")
    summary = effect.get("summary", "") if isinstance(effect, dict) else ""
    return one_line(f"needs your yes: {summary}", LONGEST)
