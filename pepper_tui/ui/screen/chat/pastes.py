"""A paste is text, whatever it contains; and a key's sequence is one key, however slowly it arrives.

Textual's parser keeps reading escape sequences inside a bracketed paste, and emits what it can't parse as keys: pasted
text with an ESC would press some. A terminal should not let one through, but not all comply.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import Final

from textual._time import get_time
from textual._xterm_parser import XTermParser
from textual.message import Message

ESCAPE: Final = "\x1b"
START: Final = "\x1b[200~"
END: Final = "\x1b[201~"
SLOW: Final = 2.0
"""Seconds for which the rest of a sequence may still arrive."""
_BEGUN: Final = re.compile(r"\x1b(?:O|\[[0-?]{0,40})?")


class PasteParser(XTermParser):
    """Textual's parser, except that ESCs between the marks of a paste are removed before it sees them."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._pasting = False
        self._recent = ""  # the last characters outside a paste: its mark may arrive in pieces
        self._held = ""  # possibly the start of the end mark
        self._open = ""  # the beginning of a key's sequence
        self._open_until = 0.0

    def feed(self, data: str) -> Iterable[Message]:
        kept = "".join(map(self._kept, data))
        if kept or not data:  # an empty text would mean the end of all input
            yield from super().feed(kept)

    def tick(self) -> Iterable[Message]:
        """Give up an unfinished sequence.

        A lone Esc is given up soon; a longer start only once a slow line can't be the cause, since its rest would be
        read as letters.
        """
        if not (len(self._open) > 1 and get_time() < self._open_until):
            yield from super().tick()

    def _kept(self, character: str) -> str:
        if not self._pasting:
            begun = ESCAPE if character == ESCAPE else self._open + character
            self._open = begun if _BEGUN.fullmatch(begun) else ""
            self._open_until = get_time() + SLOW
            self._recent = (self._recent + character)[-len(START) :]
            self._pasting = self._recent == START
            return character
        before = self._held
        if character == ESCAPE:
            self._held = ESCAPE
            return before[1:]
        if not before:
            return character
        self._held = before + character
        if self._held == END:
            self._pasting, self._held, self._recent = False, "", ""
            return END
        if END.startswith(self._held):
            return ""
        self._held = ""
        return before[1:] + character


def keep_pastes_text() -> None:
    """Make Textual's drivers read with ``PasteParser``."""
    if sys.platform == "win32":
        return  # the console delivers keys as keys, not as bytes
    from textual.drivers import linux_driver

    linux_driver.XTermParser = PasteParser  # type: ignore[attr-defined]
