"""What a text says, as far as code can tell: a number, a time, a language. Never how well it says it."""

from __future__ import annotations

import re
from typing import Final

_GERMAN: Final = (
    r"der|die|das|den|dem|ein|eine|einen|ist|sind|hast|hat|du|dein|deine|deinen|am|um|uhr|und|nicht|mit|für|von|zu|im|"
    r"auf|ich|wir|es|dich|dir|bei|habe|bin|gerne|passt|freue|mich|dann|bis"
)
_ENGLISH: Final = (
    r"the|a|an|is|are|has|have|you|your|at|on|and|not|with|for|of|to|in|it|i|we|am|will|be|that|this|from|see"
)


def amount(number: int, cents: int | None = None) -> str:
    """A pattern of ``number`` as people write it: 8500, 8,500, 8.500 or 8 500; with ``cents`` behind it."""
    digits = str(number)
    groups: list[str] = []
    while digits:
        groups.insert(0, digits[-3:])
        digits = digits[:-3]
    whole = r"[.,’' \u00a0\u202f]?".join(groups)
    end = rf"[.,]{cents:02d}(?!\d)" if cents is not None else r"(?![.,]?\d)"
    return rf"(?<![\d])(?<!\d[.,]){whole}{end}"


def time_of_day(hour: int, minute: int = 0) -> str:
    """A pattern of a time of day: 14:30, 14.30, 2:30 pm; of a full hour also "3 pm", "15 Uhr"."""
    half, other = (hour - 1) % 12 + 1, r"(?!\s?p\.?m)" if hour < 12 else r"(?!\s?a\.?m)"
    noon = r"\s?p\.?m\b" if hour >= 12 else r"\s?a\.?m\b"
    forms = [rf"(?<!\d)0?{hour}[:.h]{minute:02d}(?!\d){other}", rf"(?<!\d)0?{half}[:.]{minute:02d}{noon}"]
    if minute == 0:
        forms += [rf"(?<!\d)0?{hour}\s?(?:uhr|o'clock|h\b)", rf"(?<!\d){half}{noon}"]
    return "|".join(f"(?:{form})" for form in forms)


def date(number: int, month: int) -> str:
    """A pattern of a date: 3 December, December 3rd, 3. Dezember, 3 Dec, 2026-12-03, 3.12., 03/12."""
    names = ["jan", "feb", "m[aä]r", "apr", "ma[iy]", "jun", "jul", "aug", "sep", "o[ck]t", "nov", "de[cz]"]
    name, one = names[month - 1] + r"\w*\.?", rf"(?<![\d.:,])0?{number}(?:st|nd|rd|th|\.)?"
    forms = [
        rf"{one}\s(?:of\s)?{name}",
        rf"\b{name}\s{one}(?!\d)",
        rf"-{month:02d}-{number:02d}(?!\d)",
        rf"(?<!\d)0?{number}[./]0?{month}(?!\d)",
    ]
    return "|".join(f"(?:{form})" for form in forms)


def holds(text: str, pattern: str) -> bool:
    """Whether ``pattern`` is in ``text``, in upper or lower case."""
    return re.search(pattern, text, re.I) is not None


def says_no(text: str) -> bool:
    """Whether something is said not to be so, or to have failed."""
    return holds(
        text,
        r"\b(?:no|not|nothing|none|never|nobody|n't|didn.t|couldn.t|can.t|cannot|wasn.t|isn.t|doesn.t|hasn.t|haven.t|"
        r"won.t|failed|fails|failure|unable|refused|rejected|error|locked|impossible|unsuccessful|without success)\b",
    )


def is_german(text: str) -> bool:
    """Whether more of its small words are German than English."""
    german, english = (len(re.findall(rf"\b(?:{words})\b", text, re.I)) for words in (_GERMAN, _ENGLISH))
    return german > english
