"""What counts as the same request: texts that differ only in spacing, case, punctuation or invisible characters.

Addresses, paths, numbers and other single words with digits or address signs must match literally.
"""

from __future__ import annotations

import re
from typing import Any, Final

from pepper_tui.text.comparable import comparable, letters

_TEXTS: Final = frozenset(
    {"body", "subject", "title", "notes", "description", "text", "message", "location", "content"}
)
"""Names of fields that hold prose, even if it is only one word."""
_EXACT: Final = re.compile(r"\S*[\d@/\\:]\S*")


def normalised(value: Any, name: str = "") -> Any:
    """Return ``value`` (JSON) with each text in it normalised by ``letters``."""
    if isinstance(value, str):
        plain = comparable(value)
        exact = plain.strip()
        return exact if _EXACT.fullmatch(exact) and name.lower() not in _TEXTS else letters(plain)
    if isinstance(value, dict):
        return {key: normalised(each, str(key)) for key, each in value.items()}
    return [normalised(each, name) for each in value] if isinstance(value, list | tuple) else value
