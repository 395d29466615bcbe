"""The rules that were made in Pepper, as rows: their versions, also of those that were removed, and all pauses."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.model import Context, Namespace, Rule, RuleState
from pepper_tui.rules.book import RuleBook
from pepper_tui.rules.configured import rule_id
from pepper_tui.rules.errors import RuleError
from pepper_tui.rules.toml_text import words_of
from pepper_tui.store import Store, VersionConflictError
from pepper_tui.text import one_line

_VERSIONS: Final = 200


class MadeRules:
    """Reads and writes the rows. What it writes joins the caller's unit of work."""

    def __init__(self, store: Store, clock: Clock, book: RuleBook) -> None:
        self._store, self._clock, self._book = store, clock, book

    async def get(self, ident: str) -> Context | None:
        return await self._store.get(ident, namespace=Namespace.RULE)

    async def is_paused(self, ident: str) -> bool:
        return await self._store.get(ident, namespace=Namespace.RULE_PAUSE) is not None

    async def versions(self, ident: str) -> list[Rule]:
        """Return the versions of a rule made in Pepper, the newest first, each once."""
        found: dict[str, Rule] = {}
        for update in await self._store.versions(ident, namespace=Namespace.RULE, limit=_VERSIONS):
            if not update.deleted:
                for rule in Rule.readable([update.context]):
                    found.setdefault(rule.version, rule)
        return list(found.values())

    async def earlier(self, ident: str, version: str) -> Rule:
        """Make an earlier version of a rule its next one, without storing it. Raises ``RuleError``."""
        versions = await self.versions(ident)
        wanted = next((rule for rule in versions if rule.version == version), None)
        if wanted is None:
            kept = ", ".join(rule.version for rule in reversed(versions))
            raise RuleError(
                f"there is no version {one_line(version, 20)} of it" + (f"; there are: {kept}" if kept else "")
            )
        stands = Rule.one(await self.get(ident))
        held = stands is not None and stands.state is not RuleState.REMOVED
        if stands is not None and held and words_of(wanted) == words_of(stands):
            raise RuleError(f"your rule {one_line(wanted.name, 60)!r} says this already")
        return replace(wanted, version=next_version(versions), state=RuleState.ACTIVE)

    async def removed(self, words: str) -> list[Rule]:
        """Return the removed rules of that id or name."""
        rule = Rule.one(await self.get(rule_id(words)))
        return [rule] if rule is not None and rule.state is RuleState.REMOVED else []

    async def free(self, name: str) -> tuple[str, Context | None]:
        """Return an id for a rule called ``name``, and the context of the removed rule that had it, if any."""
        base, number = rule_id(name), 1
        while True:
            ident = base if number == 1 else f"{base}-{number}"
            before = await self.get(ident)
            if self._book.rule(ident) is None and (
                before is None or before.data.get("state") == RuleState.REMOVED.value
            ):
                return ident, before
            number += 1

    async def put(self, rule: Rule, before: Context | None) -> None:
        """Store ``rule`` in place of ``before``. Raises ``RuleError`` where that has changed."""
        try:
            await self._store.put(
                rule,
                namespace=Namespace.RULE,
                text=rule.name,
                tags=[str(rule.state)],
                expect_version=before.version if before else 0,
            )
        except VersionConflictError as error:
            raise RuleError(f"the rule {one_line(rule.name, 60)!r} has changed meanwhile; look again") from error

    async def hold(self, ident: str) -> None:
        """End the pause of a rule, if there is one."""
        pause = await self._store.get(ident, namespace=Namespace.RULE_PAUSE)
        if pause is not None:
            await self._store.delete(ident, namespace=Namespace.RULE_PAUSE, expect_version=pause.version)

    async def rest(self, ident: str, name: str, by: str) -> None:
        """Note that a rule is paused, and by whom."""
        row = {"id": ident, "name": name, "at": self._clock.now(), "by": by}
        await self._store.store(row, namespace=Namespace.RULE_PAUSE, context_id=ident, expect_version=0)


def next_version(versions: list[Rule]) -> str:
    """Return the name of the version after all of ``versions``."""
    return str(max((int(rule.version) for rule in versions), default=0) + 1)
