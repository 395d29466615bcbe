"""Reasoning that a model writes into its answer, between tags, because its server leaves it there.

It is no part of the reply and is removed while it streams. Tags count only at the start of an answer (or right after a
thought), so that an answer may mention them. If the chat template has swallowed the opening tag, the thought is known
only by its end: a closing tag alone on a line.
"""

from __future__ import annotations

import re
from typing import Final

_NAMES: Final = ("think", "thinking", "thought", "reasoning")
_OPENINGS: Final = tuple(f"<{name}>" for name in _NAMES)
_ORPHAN: Final = re.compile(rf"(?:\A|\n)[ \t]*</(?:{'|'.join(_NAMES)})>[ \t]*(?:\n|\Z)")


class ThoughtFilter:
    """Removes thoughts from a stream: ``take`` its pieces, then call ``rest``; both return the remaining text."""

    def __init__(self) -> None:
        self._lead: list[str] = []  # leading white space
        self._held = ""  # may still become a tag; never starts with white space
        self._closing = ""  # closing tag of the open thought
        self._thought = False  # whether there was one
        self._begun = False  # whether text was released, after which no tag counts

    def take(self, piece: str) -> str:
        if self._begun:
            return piece
        if not self._held and not self._closing:
            bare = piece.lstrip()
            self._lead.append(piece[: len(piece) - len(bare)])
            piece = bare
        self._held += piece
        while self._held:
            if self._closing:
                before, found, after = self._held.partition(self._closing)
                if not found:
                    self._held = before[-len(self._closing) + 1 :]
                    return ""
                self._held, self._closing, self._thought = after.lstrip(), "", True
                continue
            opening = next((each for each in _OPENINGS if self._held.startswith(each)), "")
            if opening:
                self._held, self._closing = self._held[len(opening) :], f"</{opening[1:]}"
            elif any(each.startswith(self._held) for each in _OPENINGS):
                return ""
            else:
                self._begun = True
                return self.rest()
        return ""

    def rest(self) -> str:
        """Return the text still held back, at the end of the stream, without an open thought."""
        held, lead = self._held, "".join(self._lead)
        self._held, self._lead = "", []
        if self._closing:
            return ""
        return held if self._thought else lead + held


def without_orphan(text: str) -> str:
    """Return ``text`` after a thought that only has its closing tag; all of it if there is none."""
    found = _ORPHAN.search(text)
    return text[found.end() :].lstrip() if found else text
