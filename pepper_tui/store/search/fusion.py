"""Reciprocal rank fusion: merges rankings whose scores can't be compared.

An item's score is the sum of ``1 / (60 + rank)`` over the rankings that contain it; half of that if it has only some of
the words, often the small ones. An item that is first in both is first; one in neither never appears. Among equals, the
rank by words decides, then the later place in the log.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, Literal

Found = Literal["text", "meaning", "both"]
"""How a hit was found: by its words, by its meaning, or by both."""

_RANKS: Final = 60


def fuse(
    text: Sequence[int], meaning: Sequence[int], limit: int, loose: Collection[int] = ()
) -> list[tuple[int, float, Found]]:
    """Return the best ``limit`` items of two rankings of seqs, best first: seq, score, and how each was found.

    ``loose``: items at the end of ``text`` that have only some of the words.
    """
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
    """Return the words shown for ``found``; an empty string if the hit's own words explain it."""
    return {"text": "", "meaning": " (found by meaning)", "both": " (found by words and meaning)"}[found]
