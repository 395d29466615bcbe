"""Chains of updates: what is written because of an update is one link longer, across all feeds; after eight it stops.

So a handler that writes where it listens, or two feeds that feed each other, come to an end. The count is kept in the
context's metadata, where no user file can set it. Whatever results from Pepper's own actions is marked there too: no
signal made of it starts a step, since thinking would lead to more thinking.
"""

from __future__ import annotations

from typing import Final

from pepper_tui.feeds.feed import BY_PEPPER, FeedError
from pepper_tui.model import PEPPERS_DOING, ContextUpdate, Json
from pepper_tui.store import GiveUpError
from pepper_tui.store.namespaces import matches

LONGEST: Final = 8
CHAIN: Final = "chain"
MARKS: Final = frozenset({CHAIN, BY_PEPPER})
"""The keys of a context's metadata that only this module sets."""


class ChainEndedError(FeedError, GiveUpError):
    """The next write would be one link too many."""


def link(cause: ContextUpdate | None) -> Json:
    """Return the metadata for a write caused by ``cause``; empty if nothing caused it.

    Raises ``ChainEndedError``.
    """
    if cause is None:
        return {}
    before = cause.context.metadata
    length = before.get(CHAIN, 0)
    length = length + 1 if isinstance(length, int) else 1
    if length > LONGEST:
        raise ChainEndedError(
            f"a chain of {LONGEST} updates, each the cause of the next, ends at "
            f"{cause.namespace}:{cause.context.context_id}: what follows is not written",
            "look for a handler whose writes make it run again, and restart pepper",
        )
    return {CHAIN: length, **({BY_PEPPER: True} if by_pepper(cause) else {})}


def by_pepper(cause: ContextUpdate) -> bool:
    """Return True if ``cause`` is, or results from, something that Pepper itself did."""
    return bool(cause.context.metadata.get(BY_PEPPER)) or matches(PEPPERS_DOING, cause.namespace)
