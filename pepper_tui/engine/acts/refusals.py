"""Refusals of the rooms, as the one error that the screen shows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pepper_tui.model import EngineError
from pepper_tui.store import StoreError
from pepper_tui.text.errors import PepperError


@contextlib.contextmanager
def in_words() -> Iterator[None]:
    """Raise ``EngineError`` in place of each room's own refusal. What the store can't do is told as its own error."""
    try:
        yield
    except (EngineError, StoreError):
        raise
    except PepperError as error:
        raise EngineError(error.words, error.remedy) from error
