"""Reciprocal rank fusion: one ranking out of several whose scores can't be compared.

An item's score is the sum of ``1 / (60 + rank)`` over the rankings that hold it; half of that where it holds only some
of the words, often the small ones. What is first in both is first; what is in none never appears; among equals the
words decide, then the later place in the log.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, Literal

Found = Literal["text", "meaning", "both"]
"""How a hit was found: by its words, by what it means, or by both."""

_RANKS: Final = 60


def fuse(
    text: Sequence[int], meaning: Sequence[int], limit: int, loose: Collection[int] = ()
) -> list[tuple[int, float, Found]]:
    """The best ``limit`` of two rankings of seqs, best first: seq, score, and how it was found. ``loose``: those at the
    end of ``text`` that hold only some of the words."""
    by_text = {seq: rank for rank, seq in enumerate(dict.fromkeys(text), 1)}
    by_meaning = {seq: rank for rank, seq in enumerate(dict.fromkeys(meaning), 1)}
    fused: list[tuple[int, float, Found]] = []
    for seq in by_text | by_meaning:
        by_words = (0.5 if seq in loose else 1.0) / (_RANKS + by_text[seq]) if seq in by_text else 0.0
        score = by_words + (1.0 / (_RANKS + by_meaning[seq]) if seq in by_meaning else 0.0)
        found: Found = "text" if seq not in by_meaning else "meaning" if seq not in by_text else "both"
        fused.append((seq, score, found))
    last = len(by_text) + 1
    fused.sort(key=lambda item: (-item[1], by_text.get(item[0], last), -item[0]))
    return fused[: max(0, limit)]


def how(found: Found) -> str:
    """``found`` in words, for a line that shows a hit; nothing for what its own words explain."""
    return {"text": "", "meaning": " (found by meaning)", "both": " (found by words and meaning)"}[found]
