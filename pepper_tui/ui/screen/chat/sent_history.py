"""What the user sent before, and a walk through it that keeps the draft."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pepper_tui.model import Written

_KEPT: Final = 500


class SentHistory:
    """Sent messages ``said``, oldest first, and the position of the walk: after the last if none is in progress."""

    def __init__(self) -> None:
        self.said: list[Written] = []
        self._place = 0
        self._draft = Written("")

    def remember(self, said: Sequence[Written]) -> None:
        """Make ``said`` (oldest first) the history."""
        self.said = [each for i, each in enumerate(said) if i == 0 or each != said[i - 1]][-_KEPT:]
        self._place = len(self.said)

    def add(self, written: Written) -> None:
        """Append what was just sent; the walk is over."""
        if not self.said or self.said[-1] != written:
            self.said.append(written)
        self._place, self._draft = len(self.said), Written("")

    def older(self, draft: Written) -> Written | None:
        """Step back; return None at the beginning. A walk begins with the ``draft``, and ends with it."""
        if not self._place:
            return None
        if self._place == len(self.said):
            self._draft = draft
        self._place -= 1
        return self.said[self._place]

    def newer(self) -> Written | None:
        """Step towards the draft; return None if no walk is in progress."""
        if self._place >= len(self.said):
            return None
        self._place += 1
        return self._draft if self._place == len(self.said) else self.said[self._place]
