"""What a person calls the same request: texts that differ only in spacing, case, punctuation or what can't be seen.

Addresses, paths, numbers and other single words that hold digits or signs of an address count to the letter.
"""

from __future__ import annotations

import re
from typing import Any, Final

from pepper_tui.text.comparable import comparable, letters

_TEXTS: Final = frozenset(
    {"body", "subject", "title", "notes", "description", "text", "message", "location", "content"}
)
"""Names of fields that hold words, even where it is one word only."""
_EXACT: Final = re.compile(r"\S*[\d@/\\:]\S*")


def normalised(value: Any, name: str = "") -> Any:
    """``value`` (JSON) with each text in it as ``letters``."""
    if isinstance(value, str):
        exact = comparable(value).strip()
        return exact if _EXACT.fullmatch(exact) and name.lower() not in _TEXTS else letters(value)
    if isinstance(value, dict):
        return {key: normalised(each, str(key)) for key, each in value.items()}
    return [normalised(each, name) for each in value] if isinstance(value, list | tuple) else value
