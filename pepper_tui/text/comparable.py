"""Text in the form used for comparison: without characters that are never drawn, reduced to its letters.

Each character is judged by itself, once per process, so that long hostile text costs one look-up per character. Text to
be shown goes through ``safe``, which also weighs the surrounding characters.
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
"""How many characters are cached."""
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
    """Return ``text`` in compatibility form (NFKC), without controls and characters that are never drawn."""
    text = without_controls(text)
    return text if text.isascii() else unicodedata.normalize("NFKC", text.translate(_DRAWN))


def letters(text: str) -> str:
    """Return the letters and digits of ``text``, with case and form folded; all of it if there are none."""
    folded = comparable(text).casefold()
    if not folded.isascii():
        folded = unicodedata.normalize("NFKC", folded)
        kept = "".join(each for each in folded if each.isalnum() or unicodedata.category(each)[0] == "M")
        kept = _marks().sub(r"\1", kept)
    else:
        kept = "".join(_ALPHANUMERIC.findall(folded))
    return kept or " ".join(folded.split())
