"""Making, changing, pausing and removing rules. Callers act on the user's word: a key, or a typed order.

A rule made in Pepper is a context (``rule``) with a version for each change of what it says. Removing it keeps the
context, so that an earlier version can be brought back. A rule of the config is changed there; a pause is a row
(``rule.pause``) for either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pepper_tui.clock import Clock
from pepper_tui.model import RULE, Acted, Json, Moved, Namespace, Rule, RuleState, SettledError
from pepper_tui.rules.book import RuleBook
from pepper_tui.rules.drafting import drafted, must_be_made, redrafted
from pepper_tui.rules.errors import RuleError
from pepper_tui.rules.made import MadeRules, next_version
from pepper_tui.store import Store
from pepper_tui.text import one_line


class RuleChanges:
    """Changes of rules. All methods that change something return words, and join the caller's unit of work."""

    def __init__(self, store: Store, clock: Clock, book: RuleBook) -> None:
        self._clock, self._book = clock, book
        self._made = MadeRules(store, clock, book)

    # ------------------------------------------------------------------------------------------------ what it would be

    def drafted(self, given: Json) -> Rule:
        """Return the new rule that ``given`` (the config's keys) describes, not stored. Raises ``RuleError``."""
        return drafted(self._book, given, self._clock.now())

    def redrafted(self, of: Rule, given: Json) -> Rule:
        """Return ``of`` with the keys of ``given``, as its next version, not stored. Raises ``RuleError``."""
        return redrafted(self._book, of, given)

    async def versions(self, ident: str) -> list[Rule]:
        """Return what a rule made in Pepper has said, the newest first, each version once."""
        return await self._made.versions(ident)

    async def earlier(self, ident: str, version: str) -> Rule:
        """Return an earlier version of a rule as its next one, not stored. Raises ``RuleError``."""
        return await self._made.earlier(ident, version)

    async def removed(self, words: str) -> list[Rule]:
        """Return the removed rules with that id or name."""
        return await self._made.removed(words)

    async def stands(self, ident: str) -> Rule:
        """Return the rule as the log has it now; the book learns of a change a moment later. Raises ``RuleError``."""
        rule = self._book.rule(ident)
        if rule is None or rule.origin == "made":
            rule = Rule.one(await self._made.get(ident))
        if rule is None or rule.state is RuleState.REMOVED:
            raise RuleError(f"there is no rule {one_line(ident, 60)!r}; `rules` lists them")
        paused = await self._made.is_paused(rule.id)
        return replace(rule, state=RuleState.PAUSED if paused else RuleState.ACTIVE)

    # ------------------------------------------------------------------------------------------------ doing it

    async def make(self, rule: Rule) -> str:
        """Store a new rule. If a removed rule had its id, that one continues, with this as its next version."""
        ident, before = await self._made.free(rule.name)
        version = "1"
        if before is not None:
            RULE.move(Rule.of(before).state, RuleState.ACTIVE)
            version = next_version(await self.versions(ident))
        await self._made.put(replace(rule, id=ident, version=version, origin="made", state=RuleState.ACTIVE), before)
        return f"Your rule {one_line(rule.name, 60)!r} holds from now on."

    async def change(self, rule: Rule) -> str:
        """Store ``rule`` as the next version of its id, even if that was removed. Raises ``RuleError``."""
        before = await self._made.get(rule.id)
        if before is None or next_version(await self.versions(rule.id)) != rule.version:
            raise RuleError(f"the rule {one_line(rule.name, 60)!r} has changed meanwhile; look again")
        await self._made.put(replace(rule, state=RuleState.ACTIVE), before)
        return f"Your rule {one_line(rule.name, 60)!r} is version {rule.version} now."

    async def pause(self, ident: str, by: str = "user") -> Acted:
        rule, name = await self._named(ident)
        if rule.state is RuleState.PAUSED:
            return f"The rule {name!r} is paused already.", []
        moved = _moved(rule, RuleState.PAUSED)
        await self._made.rest(rule.id, rule.name, by)
        return f"Paused the rule {name!r}. Say “resume rule {name}” to go on.", [moved]

    async def resume(self, ident: str) -> Acted:
        rule, name = await self._named(ident)
        if rule.state is RuleState.ACTIVE:
            return f"The rule {name!r} is not paused.", []
        moved = _moved(rule, RuleState.ACTIVE)
        await self._made.hold(rule.id)
        return f"The rule {name!r} holds again.", [moved]

    async def remove(self, ident: str) -> Acted:
        """Remove a rule made in Pepper; what it said is kept. Raises ``RuleError``."""
        rule, name = await self._named(ident)
        must_be_made(rule)
        before = await self._made.get(rule.id)
        moved = _moved(rule, RuleState.REMOVED)
        await self._made.put(replace(rule, state=RuleState.REMOVED), before)
        if rule.state is RuleState.PAUSED:  # if brought back, it is active
            await self._made.hold(rule.id)
        back = f"pepper rules restore {rule.id} {rule.version}"
        return f"Removed the rule {name!r}. `{back}` brings it back.", [moved]

    async def restore(self, ident: str, version: str) -> str:
        """Bring back what a rule said in ``version``, even if it was removed. Raises ``RuleError``."""
        return await self.change(await self.earlier(ident, version))

    # ------------------------------------------------------------------------------------------------ taken back

    async def back(self, moved: Sequence[Moved]) -> str:
        """Undo a pause, a resumption or a removal by the user. Raises ``SettledError``."""
        return await self._turn(moved[0], back=True)

    async def again(self, moved: Sequence[Moved]) -> str:
        """Redo what ``back`` has undone. Raises ``SettledError``."""
        return await self._turn(moved[0], back=False)

    async def _turn(self, moved: Moved, *, back: bool) -> str:
        ident, before = moved.id, RuleState(moved.detail["before"])
        now, to = (RuleState(moved.to), before) if back else (before, RuleState(moved.to))
        if await self._state(ident) is not now:
            raise SettledError(f"the rule {one_line(str(moved.detail['name']), 60)!r} has changed meanwhile")
        try:
            match to:
                case RuleState.REMOVED:
                    return (await self.remove(ident))[0]
                case RuleState.PAUSED if now is RuleState.ACTIVE:
                    return (await self.pause(ident))[0]
                case RuleState.ACTIVE if now is RuleState.PAUSED:
                    return (await self.resume(ident))[0]
            words = await self.restore(ident, str(moved.detail["version"]))
            if to is RuleState.PAUSED:
                await self._made.rest(ident, str(moved.detail["name"]), "user")
            return words
        except RuleError as error:
            raise SettledError(str(error)) from error

    async def _state(self, ident: str) -> RuleState:
        try:
            return (await self.stands(ident)).state
        except RuleError:
            return RuleState.REMOVED

    # ------------------------------------------------------------------------------------------------ inside

    async def _named(self, ident: str) -> tuple[Rule, str]:
        rule = await self.stands(ident)
        return rule, one_line(rule.name, 60)


def _moved(rule: Rule, to: RuleState) -> Moved:
    detail = {"before": str(rule.state), "name": rule.name, "version": rule.version}
    return Moved(Namespace.RULE, rule.id, str(RULE.move(rule.state, to)), detail)
