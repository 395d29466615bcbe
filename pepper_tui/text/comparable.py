"""Text as it is compared: without what is never drawn, and down to its letters.

Each character is judged by itself, and once in a process, so that long hostile text costs no more than a look-up each.
What is shown goes through ``safe``, which also weighs what stands around a character.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from functools import cache
from typing import Final

from pepper_tui.text import drawn
from pepper_tui.text.safe import MARKS_IN_A_RUN, without_controls

_ALPHANUMERIC: Final = re.compile(r"[a-z0-9]+")
_KNOWN: Final = 60_000
"""Characters that are remembered."""
_RANGES: Final = sorted(
    (int(first, 16), int(last or first, 16))
    for ranges in (drawn.BASES, drawn.MARKS, drawn.PICTOGRAPHS)
    for first, _, last in (part.partition("-") for part in ranges.split())
)
_FIRST: Final = [first for first, _ in _RANGES]


class _Drawn(dict[int, str | None]):
    """A table for ``str.translate`` that drops what is never drawn."""

    def __missing__(self, code: int) -> str | None:
        if len(self) >= _KNOWN:
            self.clear()
        character = chr(code)
        drawn_so = character.isspace() or code <= _RANGES[bisect_right(_FIRST, code) - 1][1]
        return self.setdefault(code, character if drawn_so else None)


_DRAWN: Final = _Drawn()


@cache
def _marks() -> re.Pattern[str]:
    ranges = (part.partition("-") for part in drawn.MARKS.split())
    marks = "".join(rf"\U{int(first, 16):08X}-\U{int(last or first, 16):08X}" for first, _, last in ranges)
    return re.compile(rf"([{marks}]{{{MARKS_IN_A_RUN}}})[{marks}]+")


def comparable(text: str) -> str:
    """``text`` in the compatible form (NFKC), without controls and what is never drawn."""
    text = without_controls(text)
    return text if text.isascii() else unicodedata.normalize("NFKC", text.translate(_DRAWN))


def letters(text: str) -> str:
    """The letters and digits of ``text``, whatever their case and form; where there are none, all of it."""
    folded = comparable(text).casefold()
    if not folded.isascii():
        folded = unicodedata.normalize("NFKC", folded)
        kept = "".join(each for each in folded if each.isalnum() or unicodedata.category(each)[0] == "M")
        kept = _marks().sub(r"\1", kept)
    else:
        kept = "".join(_ALPHANUMERIC.findall(folded))
    return kept or " ".join(folded.split())
