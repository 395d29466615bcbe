"""The text that is gathered from a document, up to its bounds."""

from __future__ import annotations

import time
from typing import Final

MAX_TEXT: Final = 200_000
"""Characters of one reading, as of a mail."""
ENOUGH: Final = 4.0
"""Seconds of processor time after which a reading ends by itself, with what it has; its process ends later."""


class Full(Exception):
    """A bound was met; ``why`` says which."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Gathered:
    """Pieces of text. ``until``: the processor time at which the reading ends."""

    def __init__(self, most: int = MAX_TEXT, seconds: float = ENOUGH) -> None:
        self._pieces: list[str] = []
        self._size, self._most = 0, most
        self._seconds, self._until = seconds, time.process_time() + seconds

    def add(self, text: str) -> None:
        """Take a piece. Raises ``Full`` once there are enough characters; the last piece is cut."""
        room = self._most - self._size
        self._pieces.append(text[:room])
        self._size += min(len(text), room)
        if len(text) > room:
            raise Full(f"there are more than {self._most:,} characters")

    def look_at_the_time(self) -> None:
        """Raise ``Full`` once the reading has taken its time."""
        if time.process_time() > self._until:
            raise Full(f"it takes more than {self._seconds:g} s of processor time")

    @property
    def text(self) -> str:
        return "".join(self._pieces)
