"""What a person calls the same request: texts that differ only in spacing, case, punctuation or what can't be seen.

Addresses, paths, numbers and other single words that hold digits or signs of an address count to the letter.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

from pepper_tui.text import visible

_TEXTS: Final = frozenset(
    {"body", "subject", "title", "notes", "description", "text", "message", "location", "content"}
)
"""Names of fields that hold words, even where it is one word only."""
_ALPHANUMERIC: Final = re.compile(r"[a-z0-9]+")
_EXACT: Final = re.compile(r"\S*[\d@/\\:]\S*")


def normalised(value: Any, name: str = "") -> Any:
    """``value`` (JSON) with each text in it as ``letters``."""
    if isinstance(value, str):
        plain = unicodedata.normalize("NFKC", visible(value))
        exact = plain.strip()
        return exact if _EXACT.fullmatch(exact) and name.lower() not in _TEXTS else _letters(plain)
    if isinstance(value, dict):
        return {key: normalised(each, str(key)) for key, each in value.items()}
    return [normalised(each, name) for each in value] if isinstance(value, list | tuple) else value


def letters(text: str) -> str:
    """The letters and digits of ``text``, whatever their case and form; where there are none, all of it."""
    return _letters(unicodedata.normalize("NFKC", visible(text)))


def _letters(plain: str) -> str:
    folded = unicodedata.normalize("NFKC", plain.casefold())
    if folded.isascii():
        return "".join(_ALPHANUMERIC.findall(folded)) or " ".join(folded.split())
    kept = "".join(each for each in folded if each.isalnum() or unicodedata.category(each)[0] == "M")
    return kept or " ".join(folded.split())
