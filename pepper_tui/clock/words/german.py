"""The vocabulary of German phrases of time."""

from __future__ import annotations

from typing import Any, Final

WORDS: Final[dict[str, dict[str, Any]]] = {"TODAY": {"heute": 0}}
