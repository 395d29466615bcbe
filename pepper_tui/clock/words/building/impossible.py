"""Times that a grammar's rules allow, but no clock or calendar does."""

from __future__ import annotations


class Impossible(ValueError):
    """A rule matches the words, but there is no such time."""


def checked(ok: bool, words: str) -> None:
    """Raise ``Impossible`` with ``words`` unless ``ok``."""
    if not ok:
        raise Impossible(words)
