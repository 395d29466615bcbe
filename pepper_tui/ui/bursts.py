"""Single keys against pastes. A terminal without bracketed paste sends a paste as plain keys, `y` among them.

Keys that come faster than a person types are text: none of them acts, and all go to the composer. So a key that acts
is held back for a moment that a person does not notice. The same key again and again is a key held down, not a paste.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from textual import events
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

GAP: Final = 0.02
"""Seconds between two different keys below which they are a paste."""
WAIT: Final = 0.05
"""Seconds for which a key that acts is held back, and after which a paste is over."""


class NoBursts(Widget):
    """A widget whose single keys don't act when they come as a burst. ``ACTING`` begins the actions that act."""

    ACTING: ClassVar[tuple[str, ...]] = ()
    _last: tuple[str, float] = ("", 0.0)
    _held: events.Key | None = None
    _passing: events.Key | None = None
    _burst: str = ""
    _timer: Timer | None = None

    class Burst(Message):
        """``text`` came faster than a person types."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def on_key(self, event: events.Key) -> None:
        if event is self._passing:
            return
        text = "\n" if event.key in ("enter", "ctrl+j") else (event.is_printable and event.character) or ""
        before, at = self._last
        self._last = (text, event.time)
        if not text:
            return
        fast = self._held is not None or event.time - at < GAP
        if self._burst or (before and text != before and fast):
            _drop(event)
            self._burst += text if self._burst else before + text
            self._held = None
            self._after(self._hand_over)
        elif self._acts(event.key):
            _drop(event)
            self._held = event
            self._after(self._let_through)

    def _acts(self, key: str) -> bool:
        bound = self.screen.active_bindings.get(key)  # as rebound by the config
        return bound is not None and bound.node is self and bound.binding.action.startswith(self.ACTING)

    def _after(self, act: Callable[[], None]) -> None:
        """Do ``act`` once no key has come for a moment, and none is on its way here."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(WAIT, lambda: self.app.call_later(self.call_later, act))

    def _let_through(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._passing = events.Key(held.key, held.character)
            self.post_message(self._passing)

    def _hand_over(self) -> None:
        text, self._burst = self._burst, ""
        if text:
            self.post_message(self.Burst(text))


def _drop(event: events.Key) -> None:
    event.stop()
    event.prevent_default()
