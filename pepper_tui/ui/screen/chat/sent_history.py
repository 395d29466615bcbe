"""What the user sent before, and a walk through it that the draft survives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pepper_tui.model import Written

_KEPT: Final = 500


class SentHistory:
    """What was ``said``, the oldest first, and the place of the walk: behind the last where none is under way."""

    def __init__(self) -> None:
        self.said: list[Written] = []
        self._place = 0
        self._draft = Written("")

    def remember(self, said: Sequence[Written]) -> None:
        """Make what was ``said`` (oldest first) the history."""
        self.said = [each for i, each in enumerate(said) if i == 0 or each != said[i - 1]][-_KEPT:]
        self._place = len(self.said)

    def add(self, written: Written) -> None:
        """Put what was sent just now at the end; the walk is over."""
        if not self.said or self.said[-1] != written:
            self.said.append(written)
        self._place, self._draft = len(self.said), Written("")

    def older(self, draft: Written) -> Written | None:
        """A step back; None at the beginning. A walk begins with the ``draft``, which it ends with."""
        if not self._place:
            return None
        if self._place == len(self.said):
            self._draft = draft
        self._place -= 1
        return self.said[self._place]

    def newer(self) -> Written | None:
        """A step towards the draft; None where no walk is under way."""
        if self._place >= len(self.said):
            return None
        self._place += 1
        return self._draft if self._place == len(self.said) else self.said[self._place]
