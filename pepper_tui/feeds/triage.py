"""Triage turns facts into a priority, a reason, and the matching rules of the user. It never guesses.

In order: a function of the user; what needs nobody's attention (sent by the user, junk, dealt with already); the
user's rules; lists and automatic mail; VIPs; addressed to me. Every verdict has a reason in plain words. All matching
rules count: the most urgent priority wins, and the reason names each rule. Their acts are carried out elsewhere
(``rules``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from pepper_tui.clock import local_locale
from pepper_tui.config import Config
from pepper_tui.model import Facts, Json, Priority
from pepper_tui.model import Rule as Ordered
from pepper_tui.text import one_line

_URGENCY: Final = list(Priority)  # the most urgent first


class Verdict(NamedTuple):
    """The result of triage. ``rules``: matching rules that order an act, in a signal's form (each a ``Match``)."""

    priority: Priority
    reason: str
    rules: Sequence[Json] = ()


SIGNAL_TEXT: Final = 1_500
"""Characters of a text that its signal keeps."""

Rule = Callable[[Facts], Verdict | None]


class Book(Protocol):
    """The user's rules, as triage queries them."""

    def matching(self, facts: Facts, /) -> list[Ordered]: ...
    def matches(self, rules: Sequence[Ordered], facts: Facts, /) -> list[Json]: ...
    def why(self, rules: Sequence[Ordered], facts: Facts, /) -> str: ...
    def minutes_before(self, facts: Facts, /) -> set[int]: ...
    def longest_before(self) -> int: ...
    def timed(self) -> list[Ordered]: ...


class NoRules:
    """A book without any rule."""

    def matching(self, facts: Facts, /) -> list[Ordered]:
        return []

    def matches(self, rules: Sequence[Ordered], facts: Facts, /) -> list[Json]:
        return []

    def why(self, rules: Sequence[Ordered], facts: Facts, /) -> str:
        return ""

    def minutes_before(self, facts: Facts, /) -> set[int]:
        return set()

    def longest_before(self) -> int:
        return 0

    def timed(self) -> list[Ordered]:
        return []


class Triage:
    """Judges by the user's rules (``book``), then by facts.

    The functions in ``rules`` are asked first; the first verdict wins.
    """

    def __init__(
        self, config: Config, book: Book | None = None, rules: Sequence[Rule] = (), *, judged: bool = False
    ) -> None:
        """Set up triage. ``judged``: a model is available for what the rules leave open."""
        self._config, self._judged = config, judged
        self.book: Book = book or NoRules()
        self._rules = rules
        self._own = {address.lower() for address in config.own_addresses}

    def judge(self, facts: Facts) -> Verdict:
        for rule in self._rules:
            if (verdict := rule(facts)) is not None:
                return verdict
        if facts.source == "mail" and self.is_own(facts.sender):
            return Verdict(Priority.LOG, "you sent it")
        who = one_line(facts.name or facts.sender or "an unknown sender", 60)
        if facts.silent:
            return Verdict(Priority.LOG, facts.silent)
        if ordered := self.book.matching(facts):
            priority = min((rule.priority for rule in ordered), key=_URGENCY.index)
            return Verdict(priority, self.book.why(ordered, facts), self.book.matches(ordered, facts))
        if facts.source == "mail":
            return self._mail(facts, who)
        if self.is_vip(facts.sender):
            return Verdict(Priority.HIGH, f"from {who}, a VIP")
        return Verdict(facts.priority, facts.reason or f"new in {facts.source}")

    def leaves_open(self, facts: Facts) -> bool:
        """Check whether the verdict on ``facts`` rests on its address lines alone, and a model can judge the rest."""
        if not self._judged or facts.source != "mail" or facts.automatic or self.is_own(facts.sender):
            return False
        settled = self.is_vip(facts.sender) or bool(self.book.matching(facts))
        return not settled and self.judge(facts).priority in (Priority.NORMAL, Priority.LOW)

    @property
    def locale(self) -> str:
        """The locale in which times in words are read."""
        return self._config.user.locale or local_locale()

    @property
    def own(self) -> set[str]:
        """The user's own addresses, in lower case."""
        return self._own

    def is_own(self, address: str) -> bool:
        """Check whether ``address`` is one of the user's own."""
        return address in self._own

    def is_vip(self, address: str) -> bool:
        """Check whether the user has listed ``address``, or its domain, as a VIP."""
        return bool(address) and is_one_of(address, self._config.user.vips)

    def _mail(self, facts: Facts, who: str) -> Verdict:
        if facts.automatic:
            return Verdict(Priority.LOG, "an automatic mail")
        if self.is_vip(facts.sender):
            return Verdict(Priority.HIGH, f"from {who}, a VIP")
        if facts.is_list:
            return Verdict(Priority.LOW, "from a mailing list")
        if self._own.intersection(facts.to):
            return Verdict(Priority.NORMAL, "addressed to you")
        if self._own.intersection(facts.cc):
            return Verdict(Priority.LOW, "you are in Cc")
        return Verdict(Priority.LOW, "not addressed to you directly" if self._own else "no address of yours is set")


def is_one_of(address: str, wanted: Sequence[str]) -> bool:
    """Check whether ``address`` is one of ``wanted``: an address, or a domain written ``@example.com``."""
    address = address.lower()
    return bool(address) and any(
        address.endswith(one.lower()) if one.startswith("@") else address == one.lower() for one in wanted
    )
