"""Refusals of the parts, converted to the one error that the screen shows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pepper_tui.model import EngineError
from pepper_tui.store import StoreError
from pepper_tui.text.errors import PepperError


@contextlib.contextmanager
def in_words() -> Iterator[None]:
    """Convert the parts' own refusals to ``EngineError``. A ``StoreError`` passes unchanged."""
    try:
        yield
    except (EngineError, StoreError):
        raise
    except PepperError as error:
        raise EngineError(error.words, error.remedy) from error
