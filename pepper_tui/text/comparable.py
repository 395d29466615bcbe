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


@cache
def _drawn() -> tuple[list[int], list[int]]:
    """Return the first and the last code point of each range of what is drawn, in order."""
    ranges = sorted(span for each in (drawn.BASES, drawn.MARKS, drawn.PICTOGRAPHS) for span in drawn.spans(each))
    return [first for first, _ in ranges], [last for _, last in ranges]


class _Drawn(dict[int, str | None]):
    """A table for ``str.translate`` that drops what is never drawn."""

    def __missing__(self, code: int) -> str | None:
        if len(self) >= _KNOWN:
            self.clear()
        character, (firsts, lasts) = chr(code), _drawn()
        is_drawn = character.isspace() or code <= lasts[bisect_right(firsts, code) - 1]
        return self.setdefault(code, character if is_drawn else None)


_DRAWN: Final = _Drawn()


@cache
def _marks() -> re.Pattern[str]:
    marks = drawn.among(drawn.MARKS)
    return re.compile(rf"([{marks}]{{{MARKS_IN_A_RUN}}})[{marks}]+")


def comparable(text: str) -> str:
    """Return ``text`` in compatibility form (NFKC), without controls and characters that are never drawn."""
    text = without_controls(text)
    return text if text.isascii() else unicodedata.normalize("NFKC", text.translate(_DRAWN))


def letters(plain: str) -> str:
    """Return the letters and digits of a ``comparable`` text, case and form folded; all of it if there are none."""
    folded = plain.casefold()
    if not folded.isascii():
        folded = unicodedata.normalize("NFKC", folded)
        kept = "".join(each for each in folded if each.isalnum() or unicodedata.category(each)[0] == "M")
        kept = _marks().sub(r"\1", kept)
    else:
        kept = "".join(_ALPHANUMERIC.findall(folded))
    return kept or " ".join(folded.split())
