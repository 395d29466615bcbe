"""Reasoning that a model writes into its answer, between tags, because its server leaves it there.

It is no reply: it is taken out as it streams. Tags count only where an answer (or what follows a thought) begins, so
an answer may speak of them. Where the chat template has swallowed the opening tag, the thought is known only by its
end: a closing tag alone on a line.
"""

from __future__ import annotations

import re
from typing import Final

_NAMES: Final = ("think", "thinking", "thought", "reasoning")
_OPENINGS: Final = tuple(f"<{name}>" for name in _NAMES)
_ORPHAN: Final = re.compile(rf"(?:\A|\n)[ \t]*</(?:{'|'.join(_NAMES)})>[ \t]*(?:\n|\Z)")


class ThoughtFilter:
    """``take`` the pieces of a text as they come, then ``rest``; what they return is the text without thoughts."""

    def __init__(self) -> None:
        self._lead: list[str] = []  # the white space before all else
        self._held = ""  # what may yet become a tag; it begins with no white space
        self._closing = ""  # of the thought that is open
        self._thought = False  # whether there was one
        self._begun = False  # whether text was let out, so that no tag counts any more

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
        """What is still held back, at the end of the text; an open thought is none of it."""
        held, lead = self._held, "".join(self._lead)
        self._held, self._lead = "", []
        if self._closing:
            return ""
        return held if self._thought else lead + held


def without_orphan(text: str) -> str:
    """``text`` behind the thought that only its closing tag tells of; all of it where there is none."""
    found = _ORPHAN.search(text)
    return text[found.end() :].lstrip() if found else text
