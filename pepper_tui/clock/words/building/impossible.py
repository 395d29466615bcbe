"""What a grammar's letters allow, and no clock or calendar does."""

from __future__ import annotations


class Impossible(ValueError):
    """A rule fits the letters, but there is no such time."""


def checked(ok: bool, words: str) -> None:
    """Raise ``Impossible`` with ``words`` where it is not ``ok``."""
    if not ok:
        raise Impossible(words)
