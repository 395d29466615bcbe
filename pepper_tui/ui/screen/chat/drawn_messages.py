"""The conversation's messages in order: each drawn once per width, and the line at which each begins."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Final

from textual.strip import Strip

from pepper_tui.ui.screen.chat.message_lines import Page, message_lines
from pepper_tui.ui.shared.records import Message

EAGER: Final = 24
"""Messages wrapped immediately after a change of width; older ones follow in chunks."""
CHUNK: Final = 1500
"""Characters per chunk; each message counts as a hundred more."""


class DrawnMessages:
    """Messages one below the other. ``page``: what they are drawn on now."""

    def __init__(self, page: Callable[[], Page]) -> None:
        self._page = page
        self._drawn: dict[str, tuple[Message, int, list[Strip]]] = {}
        self.messages: dict[str, Message] = {}
        """All of them, by id."""
        self.ids: list[str] = []
        """The ids of those that are shown."""
        self.tops: list[int] = [0]
        """The first line of each, and the end of the last one, as last measured."""
        self.width = 0

    def put(self, messages: Sequence[Message], shown: list[str]) -> None:
        """Replace the messages; they still have to be measured."""
        self.messages = {message.id: message for message in messages}
        self.ids = shown
        for gone in self._drawn.keys() - self.messages.keys():
            del self._drawn[gone]

    def forget(self) -> None:
        """Redraw everything."""
        self._drawn.clear()

    def lines(self, key: str) -> list[Strip]:
        message, known = self.messages[key], self._drawn.get(key)
        if known is not None and known[0] == message and known[1] == self.width:
            return known[2]
        drawn = message_lines(message, self._page())
        self._drawn[key] = (message, self.width, drawn)
        return drawn

    def measure(self, wrap_from: int) -> int:
        """Wrap what was wrapped before and what stands from ``wrap_from`` on.

        Returns the newest place left to wrap, or -1. Unwrapped messages take no lines yet: they are added a few at a
        time, above what is being read.
        """
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
        """Wrap a few messages, from place ``newest_left`` towards the oldest; return the newest place left, or -1."""
        room = CHUNK
        for key in reversed(self.ids[: newest_left + 1]):  # a filter may have been set meanwhile: then there are fewer
            self.lines(key)
            room -= 100 + len(self.messages[key].text)
            if room <= 0:
                break
        return self.measure(len(self.ids))

    def at(self, line: int) -> int:
        """Return the place of the message that holds ``line``, or of the last one; -1 if there is none."""
        return min(bisect_right(self.tops, line) - 1, len(self.ids) - 1)

    def begun_in(self, top: int, end: int) -> list[str]:
        """Return the messages that begin within these lines."""
        places = zip(self.ids, self.tops, self.tops[1:], strict=False)
        return [key for key, at, to in places if top <= at < end and to > at]
