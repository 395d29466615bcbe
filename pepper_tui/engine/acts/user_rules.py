"""The user's rules, and everything needed to see and change them: book, changes, rehearsal and reports.

Calls here are the user's own acts; models go through the tools and their cards.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from pepper_tui.clock import Clock
from pepper_tui.config import Config
from pepper_tui.domains.calendar.parts import Agenda
from pepper_tui.domains.mail.intake.signals import mail_facts
from pepper_tui.model import Context, Facts, Rule, RuleAct, RuleReport
from pepper_tui.rules import (
    Rehearsal,
    RuleBook,
    RuleChanges,
    RuleError,
    Senders,
    acts_of,
    as_toml,
    reports,
    sentence,
)
from pepper_tui.rules.condition import is_one_of
from pepper_tui.rules.tools import RuleParts
from pepper_tui.store import ContextStore
from pepper_tui.text import one_line


class UserRules:
    """Reads and changes the user's rules. Methods raise ``RuleError`` (a ``ValueError``) with words.

    ``book`` is started and stopped by its owner.
    """

    def __init__(
        self,
        store: ContextStore,
        clock: Clock,
        config: Config,
        zone: tzinfo,
        book: RuleBook,
        agenda: Agenda | None,
        *,
        offline: bool,
    ) -> None:
        self._store, self._offline = store, offline
        self._own = frozenset(one.lower() for one in config.own_addresses)
        vips = list(config.user.vips)
        self.book = book
        self.changes = RuleChanges(store, clock, book)
        self._senders = Senders(store)
        self._rehearsal = Rehearsal(
            store,
            clock,
            zone,
            facts_of=self._facts,
            is_vip=lambda address: is_one_of(address, vips),
            events=agenda.between if agenda is not None else None,
        )

    def parts(self) -> RuleParts:
        """Return the dependencies of the rule tools."""
        return RuleParts(
            book=self.book,
            changes=self.changes,
            words=lambda rule: (sentence(rule), as_toml(rule)),
            rehearse=self._rehearsal.words,
            senders=self._senders.named,
            reports=self._reports,
            offline=self._offline,
        )

    def _facts(self, context: Context) -> Facts | None:
        facts = mail_facts(context.data, self._own)
        return None if facts.sender in self._own else facts

    async def _reports(self, rules: Sequence[Rule]) -> list[RuleReport]:
        return await reports(self._store, rules, offline=self._offline)

    # ------------------------------------------------------------------------------------------------ the user's acts

    async def all(self) -> list[RuleReport]:
        """Return each rule with its results, the config's first."""
        return await self._reports(self.book.rules)

    async def report(self, words: str) -> RuleReport:
        [report] = await self._reports([self._one(words)])
        return report

    async def acts(self, rule_id: str, limit: int = 50) -> list[RuleAct]:
        """Return the acts of a rule, newest first."""
        return await acts_of(self._store, rule_id, limit)

    async def pause(self, words: str) -> str:
        return (await self.changes.pause(self._exactly(words).id))[0]

    async def resume(self, words: str) -> str:
        return (await self.changes.resume(self._exactly(words).id))[0]

    async def remove(self, words: str) -> str:
        return (await self.changes.remove(self._exactly(words).id))[0]

    async def stands(self, words: str) -> Rule:
        """Return the rule with that id or exact name, as currently stored."""
        return await self.changes.stands(self._exactly(words).id)

    async def versions(self, words: str) -> list[Rule]:
        """Return the versions of a rule, newest first; works for removed rules, too."""
        rule = await self._one_or_removed(words)
        return await self.changes.versions(rule.id) or [rule]

    async def restore(self, words: str, version: str) -> str:
        removed = [] if self.book.named(words) else await self.changes.removed(words)
        return await self.changes.restore((removed[0] if removed else self._exactly(words)).id, version)

    # ------------------------------------------------------------------------------------------------ inside

    def _one(self, words: str) -> Rule:
        found = self.book.named(words)
        if len(found) == 1:
            return found[0]
        listed = ", ".join(one_line(rule.name, 60) for rule in (found or self.book.rules)[:20])
        if found:
            raise RuleError(f"several rules may be meant by {one_line(words, 60)!r}: {listed}")
        there = f"there are: {listed}" if listed else "there are none yet"
        raise RuleError(f"there is no rule {one_line(words, 60)!r}; {there}")

    def _exactly(self, words: str) -> Rule:
        """Return the rule with that id or exact name; a change never accepts part of a name."""
        wanted = " ".join(words.casefold().split())
        exact = [rule for rule in self.book.rules if wanted in (rule.id, rule.name.casefold())]
        near = self.book.named(words)
        if len(exact) == 1:
            return exact[0]
        if len(exact) > 1 or not near:
            return self._one(words)
        listed = " or ".join(repr(one_line(rule.name, 60)) for rule in near[:20])
        raise RuleError(f"there is no rule {one_line(words, 60)!r}; did you mean {listed}?")

    async def _one_or_removed(self, words: str) -> Rule:
        if not self.book.named(words):
            for rule in await self.changes.removed(words):
                return rule
        return self._one(words)
