"""The messages of the conversation in their order: each drawn once a width, and at which line each begins."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Final

from textual.strip import Strip

from pepper_tui.ui.screen.chat.message_lines import Page, message_lines
from pepper_tui.ui.shared.records import Message

EAGER: Final = 24
"""Messages wrapped at once after a change of width; older ones follow in chunks."""
CHUNK: Final = 1500
"""Characters of one chunk, each message counted as a hundred more."""


class DrawnMessages:
    """Messages one below the other. ``page``: what they are drawn on now."""

    def __init__(self, page: Callable[[], Page]) -> None:
        self._page = page
        self._drawn: dict[str, tuple[Message, int, list[Strip]]] = {}
        self.messages: dict[str, Message] = {}
        """All of them, by their ids."""
        self.ids: list[str] = []
        """The ids of those that are shown."""
        self.tops: list[int] = [0]
        """The line at which each begins, and where the last one ends: as they were last measured."""
        self.width = 0

    def put(self, messages: Sequence[Message], shown: list[str]) -> None:
        """Replace the messages; they are still to be measured."""
        self.messages = {message.id: message for message in messages}
        self.ids = shown
        for gone in self._drawn.keys() - self.messages.keys():
            del self._drawn[gone]

    def forget(self) -> None:
        """Draw all anew."""
        self._drawn.clear()

    def lines(self, key: str) -> list[Strip]:
        message, known = self.messages[key], self._drawn.get(key)
        if known is not None and known[0] == message and known[1] == self.width:
            return known[2]
        drawn = message_lines(message, self._page())
        self._drawn[key] = (message, self.width, drawn)
        return drawn

    def measure(self, wrap_from: int) -> int:
        """Wrap what had been wrapped before or stands from ``wrap_from`` on; returns the newest place that is left, or
        -1. The others take no lines yet: they come in above what is being read, a few at a time."""
        tops, total, newest_left = [0], 0, -1
        for place, key in enumerate(self.ids):
            if place >= wrap_from or key in self._drawn:
                total += len(self.lines(key))
            else:
                newest_left = place
            tops.append(total)
        self.tops = tops
        return newest_left

    def wrap_some(self, newest_left: int) -> int:
        """Wrap a few, from the place ``newest_left`` on towards the oldest; returns as ``measure`` does."""
        room = CHUNK
        for key in reversed(self.ids[: newest_left + 1]):  # a filter may have come meanwhile: then fewer
            self.lines(key)
            room -= 100 + len(self.messages[key].text)
            if room <= 0:
                break
        return self.measure(len(self.ids))

    def at(self, line: int) -> int:
        """The place of the message that holds ``line``, or of the last one; -1 where there is none."""
        return min(bisect_right(self.tops, line) - 1, len(self.ids) - 1)

    def begun_in(self, top: int, end: int) -> list[str]:
        """The messages that begin within these lines."""
        places = zip(self.ids, self.tops, self.tops[1:], strict=False)
        return [key for key, at, to in places if top <= at < end and to > at]
