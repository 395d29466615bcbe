"""Retention periods by namespace. The most specific pattern that matches a namespace is its rule.

``days`` counts from a context's last change; None keeps it. Of older versions, the newest ``versions`` stay; None keeps
all. A ``trace`` is what remains of a context that its source must still recognise (otherwise a mail that is still in
its folder would come in as new): its id and these keys of its data, hidden from queries and search.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from pepper_tui.model import Namespace
from pepper_tui.store.namespaces import matches

Forever = Literal["forever"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One retention rule. ``types``: if given, only contexts of these types are removed.

    ``goes_with``: a namespace; a context goes once that of the same id there is gone, or only a trace of it is left.
    """

    days: float | None = None
    versions: int | None = 100
    trace: tuple[str, ...] = ()
    types: frozenset[str] = frozenset()
    goes_with: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the config wants for a pattern; None leaves that part of the rule unchanged."""

    days: float | Forever | None = None
    versions: int | None = None


TRACE_KEYS: Final = ("id", "files")

KEPT: Final[Mapping[str, str]] = {
    Namespace.APPROVAL: "they are the record of who approved what",
    Namespace.PEOPLE: "they say whom you have written to",
    Namespace.SENT: "Pepper's own mail would come back as news",
    Namespace.WRITTEN: "they say whom you have written to",
    Namespace.ADDED: "Pepper's own events would come back as news",
    Namespace.MCP_SERVER: "it says what you have trusted",
    "feed.*": "feeds would start again",
    "follow": "follows would start again",
    Namespace.RULE: "they are your rules",
    Namespace.RULE_PAUSE: "they say which rules rest",
    Namespace.SUMMARY: "it is the memory of the conversation",
    Namespace.HEALTH: "it says what works now",
}
"""Patterns whose contexts are never removed, and why; the config can only limit their versions."""

RULES: Final[Mapping[str, Rule]] = {
    "*": Rule(),
    "raw.*": Rule(versions=2),
    "raw.mail": Rule(days=730, versions=2, trace=TRACE_KEYS),
    "mail.state": Rule(versions=5, goes_with="raw.mail"),
    # a calendar's entries stay as long as it has them; a note that one starts soon, or is due, is soon useless
    "raw.calendar": Rule(days=60, versions=2, types=frozenset({"starts_soon", "todo_due"})),
    "raw.clock": Rule(days=60, versions=1),
    f"{Namespace.SIGNALS}.*": Rule(days=365, versions=3),
    "judging.*": Rule(days=30, versions=1),  # by then each has become a signal
    Namespace.USER_MESSAGE: Rule(versions=3),
    Namespace.USER_ANSWER: Rule(versions=3),
    Namespace.ASSISTANT_MESSAGE: Rule(versions=3),
    Namespace.ASSISTANT_LOG: Rule(days=90, versions=1),
    Namespace.STEP: Rule(days=365, versions=1),
    Namespace.HISTORY: Rule(days=30, versions=1),
    Namespace.SUMMARY: Rule(versions=3),
    Namespace.TOOL_CALL: Rule(days=180, versions=None),
    Namespace.TOOL_RESULT: Rule(days=90, versions=2),
    Namespace.PROGRESS: Rule(days=8, versions=1),
    Namespace.APPROVAL: Rule(versions=None),
    Namespace.NOTIFICATION: Rule(days=365, versions=5),
    Namespace.REMINDER: Rule(days=365, versions=5),
    Namespace.RULE: Rule(versions=None),
    Namespace.RULE_PAUSE: Rule(versions=1),
    Namespace.RULE_MATCH: Rule(days=365, versions=1),
    Namespace.RULE_ACT: Rule(days=365, versions=3),
    Namespace.FOLLOW_UP: Rule(days=365, versions=3),
    Namespace.RUN: Rule(days=180, versions=1),  # each version holds the whole run so far
    Namespace.TOLD: Rule(days=180, versions=1),
    f"{Namespace.MEMORY}.*": Rule(versions=50),
    Namespace.USAGE: Rule(days=400, versions=1),
    "llm.allowance": Rule(days=8, versions=1),
    Namespace.HEALTH: Rule(versions=3),
    Namespace.UNJUDGED: Rule(days=60, versions=1),
    Namespace.PEOPLE: Rule(versions=1),
    Namespace.SENT: Rule(versions=1),
    Namespace.WRITTEN: Rule(versions=1),
    Namespace.ADDED: Rule(versions=1),
    "feed.*": Rule(versions=1),
    "follow": Rule(versions=50),
    "follow.calls": Rule(days=8, versions=1),
    Namespace.UNDO: Rule(days=60, versions=1),
    Namespace.FILED: Rule(days=60, versions=1),
}


class Rules:
    """The effective rules: the built-in ones, ``more`` and ``kept`` of connectors, and the config's wishes."""

    def __init__(
        self,
        wishes: Mapping[str, Wish] | None = None,
        more: Mapping[str, Rule] | None = None,
        kept: Mapping[str, str] | None = None,
    ) -> None:
        self._wishes = dict(wishes or {})
        self._rules = {**(more or {}), **RULES}
        self._kept = {**(kept or {}), **KEPT}

    def of(self, namespace: str) -> Rule:
        """Return the rule of one namespace."""
        rule = self._rules[_most_specific(self._rules, namespace)]
        wanted = _most_specific(self._wishes, namespace)
        if wanted:
            wish = self._wishes[wanted]
            if wish.days is not None:  # by the config, every context of a namespace goes
                rule = replace(rule, days=None if wish.days == "forever" else wish.days)
            if wish.versions is not None:
                rule = replace(rule, versions=wish.versions)
        return replace(rule, days=None) if self.kept(namespace) else rule

    def kept(self, namespace: str) -> str:
        """Return why no context of ``namespace`` may go, in words; empty if it may."""
        return next((why for pattern, why in self._kept.items() if matches((pattern,), namespace)), "")

    def followers(self, namespace: str) -> list[str]:
        """Return the namespaces whose contexts go with those of ``namespace``."""
        return [pattern for pattern, rule in self._rules.items() if rule.goes_with == namespace]

    @property
    def sign(self) -> str:
        """A text that stays the same as long as the bounds on versions do."""
        bounds = {pattern: rule.versions for pattern, rule in self._rules.items()}
        bounds.update({f"{pattern} by config": wish.versions for pattern, wish in self._wishes.items()})
        return repr(sorted((pattern, count) for pattern, count in bounds.items() if count is not None))


def _most_specific(patterns: Mapping[str, object], namespace: str) -> str:
    """Return the most specific pattern that matches ``namespace``; an empty string if none does."""
    picked = [pattern for pattern in patterns if matches((pattern,), namespace)]
    return max(picked, key=lambda pattern: ("*" not in pattern, len(pattern.replace("*", ""))), default="")
