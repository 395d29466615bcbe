"""A server's ``instructions`` on how to use it: a stranger's text that no user has written.

They are trusted like definitions: as first seen, and later differences only after the user's approval. A model reads
them cleaned, escaped and bounded, beside the tools of that server, marked as its words (``model.instructions``).
"""

from __future__ import annotations

import hashlib
from typing import Final

from pepper_tui.connectors.mcp.offer.definition import SIZE_LIMIT, changed_lines, visible_lines
from pepper_tui.text import begun, clean, escape

READ_LIMIT: Final = 4000
"""Characters that a model reads; it is told how many more there are."""


def hash_of(instructions: str) -> str:
    return hashlib.sha256(instructions.encode("utf-8", "surrogatepass")).hexdigest()


def problem_of(instructions: str) -> str:
    """Explain why they are not used; empty if they can be."""
    size = len(instructions)
    return f"they have {size} characters; {SIZE_LIMIT} are read at most" if size > SIZE_LIMIT else ""


def as_read(instructions: str) -> str:
    """Return them as a model reads them."""
    return escape(begun(clean(instructions).strip(), READ_LIMIT))


def difference(before: str, after: str) -> str:
    """Return what a person must read to trust ``after``, with hidden characters spelt out."""
    return changed_lines(visible_lines(before) if before else None, visible_lines(after))
