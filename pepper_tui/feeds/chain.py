"""Chains: what is written because of an update is one link longer than that, over all feeds; after eight it ends.

So a handler that writes where it listens, or two feeds that feed each other, come to an end. The count rides in the
context's metadata, where no file of the user's can set it. What comes of Pepper's own doing is marked there, too: no
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
    """What would have been written is one link too many."""


def link(cause: ContextUpdate | None) -> Json:
    """The metadata of what is written because of ``cause``; empty if nothing was the cause.

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
    """True if ``cause`` is, or comes of, something that Pepper itself did."""
    return bool(cause.context.metadata.get(BY_PEPPER)) or matches(PEPPERS_DOING, cause.namespace)
