"""Which part of a domain somebody has registered: the rest is a public suffix, below which anybody may register.

The list of public suffixes is shipped with its library, and never fetched. It is loaded at the first question (0.06 s).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


@lru_cache(maxsize=10_000)
def organisation(domain: str) -> str:
    """Return the registered part of a domain, as in ``example.co.uk``; empty for a public suffix, as ``co.uk`` is."""
    name = domain.strip().rstrip(".").lower()
    return str(_suffixes().privatesuffix(name) or "") if name and len(name) <= _LONGEST else ""


def own_label(domain: str) -> str:
    """Return the one label that somebody has chosen: ``example`` of ``mail.example.co.uk``."""
    return organisation(domain).partition(".")[0]


def same_organisation(one: str, other: str) -> bool:
    """Check whether both domains belong to whoever registered one of them."""
    return bool(registered := organisation(one)) and registered == organisation(other)


_LONGEST = 253  # characters of a domain


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
