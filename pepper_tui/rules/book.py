"""The rule book: all rules, and which of them hold for new input.

Rules of the config are read-only here. Rules made in Pepper are contexts (``rule``), versioned by the store; a pause,
of either kind, is a row (``rule.pause``). The book follows both namespaces, and feeds ask it while they make a signal,
so it answers from memory. The config's names win: a rule made in Pepper gets an id that no rule of the config has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from pepper_tui.model import (
    ActKind,
    ContextFilter,
    ContextUpdate,
    Facts,
    Json,
    Match,
    Namespace,
    Rule,
    RuleState,
)
from pepper_tui.rules.condition import Searched, holds, why
from pepper_tui.rules.meant import meant
from pepper_tui.rules.standing import BUILT_IN
from pepper_tui.store import Following, Store

_ALL: Final = 100_000


class RuleBook:
    """All rules. ``start`` it before feeds run; ``changed`` is called whenever a rule or its pause changes."""

    def __init__(self, store: Store, configured: Sequence[Rule], templates: Mapping[str, str]) -> None:
        self._store, self._templates = store, dict(templates)
        self._configured = {rule.id: rule for rule in (*configured, *map(replace, BUILT_IN))}
        self._made: dict[str, Rule] = {}
        self._paused: set[str] = set()
        self._following = Following(
            store, [Namespace.RULE, Namespace.RULE_PAUSE], resume=self._resume, take=self._take, name="rules.book"
        )
        self._rules: list[Rule] | None = None  # cached until something changes
        self.changed: list[Callable[[], None]] = []

    async def start(self) -> None:
        await self._following.start()

    async def stop(self) -> None:
        await self._following.stop()

    # ------------------------------------------------------------------------------------------------ reading

    @property
    def rules(self) -> list[Rule]:
        """All rules that are not removed, the config's first; each with its state."""
        if self._rules is None:
            made = [rule for rule in self._made.values() if rule.id not in self._configured]
            there = [rule for rule in (*self._configured.values(), *made) if rule.state is not RuleState.REMOVED]
            for rule in there:
                rule.state = RuleState.PAUSED if rule.id in self._paused else RuleState.ACTIVE
            self._rules = there
        return self._rules

    def rule(self, rule_id: str) -> Rule | None:
        """Return the rule with that id, unless it is removed."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)

    def named(self, words: str) -> list[Rule]:
        """Return the rules that ``words`` may mean.

        By id or name, else by part of a name, else by what they look for.
        """
        return meant(self.rules, words)

    @property
    def templates(self) -> Mapping[str, str]:
        """The texts for drafts, by name."""
        return self._templates

    @property
    def active(self) -> list[Rule]:
        """The rules that are not paused."""
        return [rule for rule in self.rules if rule.state is RuleState.ACTIVE]

    def matching(self, facts: Facts) -> list[Rule]:
        """Return the active rules that hold for ``facts``, in the order of the book."""
        searched = Searched(facts)
        return [rule for rule in self.active if holds(rule, facts, searched)]

    def why(self, rules: Sequence[Rule], facts: Facts) -> str:
        """Explain what made ``rules`` hold for ``facts``."""
        return "; ".join(why(rule, facts) for rule in rules)

    def matches(self, rules: Sequence[Rule], facts: Facts) -> list[Json]:
        """Return what a signal carries for ``rules``: each with its acts and their parameters.

        All of ``rules`` must hold for ``facts``.  A rule that only sets a priority has no acts. A brief before an event
        is ordered only by the signal that comes that many minutes before it.
        """
        found = []
        for rule in rules:
            acts = [act for act in rule.acts if act != "brief" or rule.timed or facts.minutes == rule.brief]
            found.append(self._match(rule, acts).data())
        return found

    def _match(self, rule: Rule, acts: list[ActKind]) -> Match:
        return Match(
            rule=rule.id,
            version=rule.version,
            name=rule.name,
            acts=acts,
            draft=rule.draft,
            template=self._templates.get(rule.draft, "") if rule.draft else rule.reply,
            remind=rule.remind,
            follow_up=rule.follow_up,
            nudge=rule.nudge,
            nudge_template=self._templates.get(rule.nudge, ""),
            brief=rule.brief,
            ask=rule.ask,
        )

    def timed(self) -> list[Rule]:
        """Return the timed rules, paused ones included."""
        return [rule for rule in self.rules if rule.timed]

    def minutes_before(self, facts: Facts) -> set[int]:
        """Return how many minutes before the event of ``facts`` rules want a signal."""
        briefs = {rule.brief for rule in self.matching(facts) if rule.brief and not rule.before}
        exact = [rule for rule in self.active if rule.before and holds(rule, replace(facts, minutes=rule.before))]
        return briefs | {rule.before for rule in exact}

    def longest_before(self) -> int:
        """Return the most minutes before an event that any rule asks for."""
        return max((max(rule.before, 0 if rule.timed else rule.brief) for rule in self.active), default=0)

    # ------------------------------------------------------------------------------------------------ following

    async def _resume(self) -> None:
        made = await self._store.query(ContextFilter(namespaces=[Namespace.RULE], newest_first=False, limit=_ALL))
        paused = await self._store.query(ContextFilter(namespaces=[Namespace.RULE_PAUSE], limit=_ALL))
        self._made = {rule.id: rule for rule in Rule.readable(made)}
        self._paused = {context.context_id for context in paused}
        self._tell()

    async def _take(self, updates: list[ContextUpdate]) -> None:
        for update in updates:
            context = update.context
            if context.namespace == Namespace.RULE_PAUSE:
                (self._paused.discard if update.deleted else self._paused.add)(context.context_id)
            elif context.namespace == Namespace.RULE and update.deleted:
                self._made.pop(context.context_id, None)
            elif context.namespace == Namespace.RULE:
                for rule in Rule.readable([context]):
                    self._made[rule.id] = rule
        self._tell()

    def _tell(self) -> None:
        self._rules = None
        for each in self.changed:
            each()
