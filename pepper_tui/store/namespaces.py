"""Namespaces: dotted names, and globs over them.

``*`` stands for one or more characters, dots included: ``signals.*`` picks every namespace below ``signals`` at any
depth, but not ``signals`` itself; ``*`` alone picks all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache


@lru_cache(maxsize=512)
def _pattern(globs: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(".+".join(re.escape(part) for part in re.split(r"\*+", glob)) for glob in globs), re.S)


def matches(globs: Iterable[str], namespace: str) -> bool:
    """Check whether any of ``globs`` picks ``namespace``; no globs at all pick every namespace."""
    return _matches(tuple(globs), namespace)


@lru_cache(maxsize=4096)
def _matches(patterns: tuple[str, ...], namespace: str) -> bool:
    return not patterns or namespace in patterns or _pattern(patterns).fullmatch(namespace) is not None


def resolve(globs: Iterable[str], known: Mapping[str, int]) -> list[int]:
    """Return the ids of the known namespaces that ``globs`` pick; all of them if there are no globs."""
    patterns = tuple(globs)
    if not patterns or "*" in patterns:
        return list(known.values())
    if not any("*" in glob for glob in patterns):
        return [known[name] for name in dict.fromkeys(patterns) if name in known]
    return [ident for name, ident in known.items() if matches(patterns, name)]
