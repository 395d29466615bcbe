"""Checks whether a rule holds for new input. All given conditions must hold; words are whole words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from pepper_tui.model import Facts, Rule
from pepper_tui.text import one_line
from pepper_tui.text.addresses import nobody_reads

READ: Final = 200_000  # characters that are searched for words: all that is read of a mail


class Searched:
    """The searchable text of some facts, casefolded once for all rules."""

    def __init__(self, facts: Facts) -> None:
        self._folded = f"{facts.subject}\n{facts.text[:READ]}".casefold()

    def holds(self, word: str) -> bool:
        """Check whether the text contains ``word`` as a whole word, ignoring case."""
        return bool(word.strip()) and _whole_word(word).search(self._folded) is not None


def holds(rule: Rule, facts: Facts, searched: Searched | None = None) -> bool:
    """Check whether ``rule`` holds. A timed rule, or one for a follow-up's end, holds for its own signals only.

    ``searched`` is the text of ``facts``, if several rules are checked against it.
    """
    if rule.timed:
        return facts.entry == rule.id
    if rule.after:
        return facts.after.casefold() == rule.after.casefold()
    if not rule.conditional or facts.after:
        return False  # a rule without a condition would hold for everything
    searched = searched or Searched(facts)
    return (
        (not rule.before or rule.before == facts.minutes)
        and (not rule.source or rule.source == facts.source)
        and (not rule.sender or is_one_of(facts.sender, rule.sender))
        and (not rule.words or any(searched.holds(word) for word in rule.words))
        and (not rule.thread or rule.thread.casefold() in facts.subject.casefold())
        and (not rule.label or rule.label.casefold() in (one.casefold() for one in facts.labels))
        and (not rule.known or facts.known)
        and (not rule.question or asks_personally(facts))
    )


def asks_personally(facts: Facts) -> bool:
    """Check whether a person asks something in a mail to the user alone; headers or address must show no machine."""
    machine = facts.automatic or facts.is_list or nobody_reads(facts.sender)
    return facts.question and facts.direct and not machine


def why(rule: Rule, facts: Facts) -> str:
    """Explain which of ``facts`` made ``rule`` hold."""
    said: list[str] = []
    if rule.sender:
        said.append(f"from {one_line(facts.sender, 80)}")
    if rule.words:
        searched = Searched(facts)
        said.append("says " + next((repr(word) for word in rule.words if searched.holds(word)), ""))
    if rule.thread:
        said.append(f"thread {rule.thread!r}")
    if rule.label:
        said.append(f"label {rule.label!r}")
    if rule.known:
        said.append("from somebody you know")
    if rule.question:
        said.append("asks you something")
    return f"your rule {rule.name!r}" + (f": {', '.join(said)}" if said else "")


@lru_cache(maxsize=4096)
def _whole_word(word: str) -> re.Pattern[str]:
    """Return a pattern that finds ``word`` (or words with any white space between) in casefolded text."""
    first, *others = (re.escape(part) for part in word.casefold().split())
    more = "".join(rf"\s+{part}" for part in others)
    # letters first, and the lookbehind after them: as fast as searching a plain string
    return re.compile(rf"{first}(?<!\w{first}){more}(?!\w)")


def is_one_of(address: str, wanted: Sequence[str]) -> bool:
    """Check whether ``address`` is one of ``wanted``: an address, or a domain written ``@example.com``."""
    address = address.lower()
    return bool(address) and any(
        address.endswith(one.lower()) if one.startswith("@") else address == one.lower() for one in wanted
    )
