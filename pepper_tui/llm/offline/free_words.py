"""Orders for free time with others: who is meant, which days, how long. Blocking: reads days in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pepper_tui.clock.words import names_days
from pepper_tui.llm.offline.command import Command

_PART: Final = re.compile(
    r"(?P<before>.*?)(?:^|\s+)(?:(?:in\s+the|this)\s+)?(?P<part>morning|afternoon|evening)", re.I | re.S
)
_APART: Final = re.compile(r"\s*(?:[,;&]|\band\b|\bund\b)\s*", re.I)
_ME: Final = frozenset({"i", "me", "myself", "we", "us", "ich"})
_MOST: Final = 24
"""Words of who and when."""


def free_with(values: Mapping[str, str], locale: str) -> Command | None:
    """Return the order; None if it names nobody and no length, or what should be days is none."""
    people, span, part = values.get("people", ""), values.get("span", ""), ""
    rest = values.get("rest", "")
    if found := _PART.fullmatch(rest or span):
        part = found["part"].lower()
        rest, span = (found["before"], "") if rest else ("", found["before"])
    if rest:
        people, span = _parted(rest, locale)
    if span and not names_days(span, locale):
        return None
    asked = [each for each in _APART.split(people) if each and each.casefold() not in _ME]
    minutes = _minutes(values)
    if not asked and not (minutes and (span or part)):
        return None  # "find 3 minutes" may be words to search for
    said = {"people": "\n".join(asked), "span": span or ("" if part else "next 7 days"), "part": part}
    return Command("free_with", {**said, "minutes": minutes})


def _parted(rest: str, locale: str) -> tuple[str, str]:
    """Return who is named, and the days after that, if any."""
    words = rest.split()
    for at in range(1, min(len(words), _MOST)):
        if names_days(span := " ".join(words[at:]), locale):
            return " ".join(words[:at]), span
    return rest, ""


def _minutes(values: Mapping[str, str]) -> str:
    if not (count := values.get("count", "").lower()):
        return ""
    if not count.isdigit():
        return "60" if count == "an" else "30"
    return str(int(count) * (60 if values["unit"][0].lower() == "h" else 1))
