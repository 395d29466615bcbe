"""Making, changing, pausing and removing rules. Whoever calls this has the user's word for it: a key, or a typed order.

A rule made in Pepper is a context (``rule``) with a version for each change of what it says. Removing it keeps the
context, so that an earlier version can be brought back. A rule of the config is changed there; a pause is a row
(``rule.pause``) for either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from croniter import croniter

from pepper_tui.clock import Clock
from pepper_tui.model import RULE, Acted, Context, Json, Moved, Namespace, Rule, RuleState, SettledError
from pepper_tui.rules.book import RuleBook
from pepper_tui.rules.configured import rule_id
from pepper_tui.rules.toml_text import checked, words_of
from pepper_tui.store import ContextStore, VersionConflictError
from pepper_tui.text import one_line

SHORTEST: Final = 60.0  # seconds between two times of a rule
_VERSIONS: Final = 200


class RuleError(ValueError):
    """It can't be done; the message says why, and the way out."""


class RuleChanges:
    """All methods that change something return words; they join the caller's unit of work."""

    def __init__(self, store: ContextStore, clock: Clock, book: RuleBook) -> None:
        self._store, self._clock, self._book = store, clock, book

    # ------------------------------------------------------------------------------------------------ what it would be

    def drafted(self, given: Json) -> Rule:
        """The new rule that ``given`` (the config's keys) says, stored nowhere. Raises ``RuleError``."""
        rule = self._sound(given)
        same = [one for one in self._book.rules if _says(one) == _says(rule)]
        if same:
            raise RuleError(f"your rule {one_line(same[0].name, 60)!r} says exactly this already")
        taken = {one.name.casefold() for one in self._book.rules}
        name, number = rule.name, 1
        while rule.name.casefold() in taken:
            number += 1
            rule.name = f"{name[:56]} {number}"
        rule.created_at = self._clock.now()
        return rule

    def redrafted(self, of: Rule, given: Json) -> Rule:
        """``of`` with the keys of ``given``, as its next version, stored nowhere. Raises ``RuleError``."""
        self._must_be_made(of)
        rule = self._sound({**words_of(of), **given})
        if words_of(rule) == words_of(of):
            raise RuleError(f"your rule {one_line(of.name, 60)!r} says this already")
        if any(one.id != of.id and one.name.casefold() == rule.name.casefold() for one in self._book.rules):
            raise RuleError(f"another rule is called {one_line(rule.name, 60)!r}")
        return replace(rule, id=of.id, version=str(int(of.version) + 1), created_at=of.created_at)

    async def versions(self, ident: str) -> list[Rule]:
        """What a rule made in Pepper has said, the newest first, each version once."""
        found: dict[str, Rule] = {}
        for update in await self._store.versions(ident, namespace=Namespace.RULE, limit=_VERSIONS):
            if not update.deleted:
                for rule in Rule.readable([update.context]):
                    found.setdefault(rule.version, rule)
        return list(found.values())

    async def earlier(self, ident: str, version: str) -> Rule:
        """An earlier version of a rule as its next one, stored nowhere. Raises ``RuleError``."""
        versions = await self.versions(ident)
        wanted = next((rule for rule in versions if rule.version == version), None)
        if wanted is None:
            kept = ", ".join(rule.version for rule in reversed(versions))
            raise RuleError(
                f"there is no version {one_line(version, 20)} of it" + (f"; there are: {kept}" if kept else "")
            )
        stands = Rule.one(await self._store.get(ident, namespace=Namespace.RULE))
        held = stands is not None and stands.state is not RuleState.REMOVED
        if stands is not None and held and words_of(wanted) == words_of(stands):
            raise RuleError(f"your rule {one_line(wanted.name, 60)!r} says this already")
        return replace(wanted, version=_next(versions), state=RuleState.ACTIVE)

    async def removed(self, words: str) -> list[Rule]:
        """The removed rules of that id or name."""
        rule = Rule.one(await self._store.get(rule_id(words), namespace=Namespace.RULE))
        return [rule] if rule is not None and rule.state is RuleState.REMOVED else []

    async def stands(self, ident: str) -> Rule:
        """The rule as the log has it this moment; the book hears of a change a moment later. Raises ``RuleError``."""
        rule = self._book.rule(ident)
        if rule is None or rule.origin == "made":
            rule = Rule.one(await self._store.get(ident, namespace=Namespace.RULE))
        if rule is None or rule.state is RuleState.REMOVED:
            raise RuleError(f"there is no rule {one_line(ident, 60)!r}; `rules` lists them")
        paused = await self._store.get(rule.id, namespace=Namespace.RULE_PAUSE) is not None
        return replace(rule, state=RuleState.PAUSED if paused else RuleState.ACTIVE)

    # ------------------------------------------------------------------------------------------------ doing it

    async def make(self, rule: Rule) -> str:
        """Keep a new rule. An id that a removed rule had is taken up again, as its next version."""
        ident, before = await self._free(rule.name)
        version = "1"
        if before is not None:
            RULE.move(Rule.of(before).state, RuleState.ACTIVE)
            version = _next(await self.versions(ident))
        await self._put(replace(rule, id=ident, version=version, origin="made", state=RuleState.ACTIVE), before)
        return f"Your rule {one_line(rule.name, 60)!r} holds from now on."

    async def change(self, rule: Rule) -> str:
        """Keep ``rule`` as the next version of its id, also where that was removed. Raises ``RuleError``."""
        before = await self._store.get(rule.id, namespace=Namespace.RULE)
        if before is None or _next(await self.versions(rule.id)) != rule.version:
            raise RuleError(f"the rule {one_line(rule.name, 60)!r} has changed meanwhile; look again")
        await self._put(replace(rule, state=RuleState.ACTIVE), before)
        return f"Your rule {one_line(rule.name, 60)!r} is version {rule.version} now."

    async def pause(self, ident: str, by: str = "user") -> Acted:
        rule, name = await self._named(ident)
        if rule.state is RuleState.PAUSED:
            return f"The rule {name!r} is paused already.", []
        moved = _moved(rule, RuleState.PAUSED)
        await self._rest(rule.id, rule.name, by)
        return f"Paused the rule {name!r}. Say “resume rule {name}” to go on.", [moved]

    async def resume(self, ident: str) -> Acted:
        rule, name = await self._named(ident)
        if rule.state is RuleState.ACTIVE:
            return f"The rule {name!r} is not paused.", []
        moved = _moved(rule, RuleState.ACTIVE)
        await self._hold(rule.id)
        return f"The rule {name!r} holds again.", [moved]

    async def remove(self, ident: str) -> Acted:
        """Remove a rule made in Pepper; what it said is kept. Raises ``RuleError``."""
        rule, name = await self._named(ident)
        self._must_be_made(rule)
        before = await self._store.get(rule.id, namespace=Namespace.RULE)
        moved = _moved(rule, RuleState.REMOVED)
        await self._put(replace(rule, state=RuleState.REMOVED), before)
        if rule.state is RuleState.PAUSED:  # brought back, it holds
            await self._hold(rule.id)
        back = f"pepper rules restore {rule.id} {rule.version}"
        return f"Removed the rule {name!r}. `{back}` brings it back.", [moved]

    async def restore(self, ident: str, version: str) -> str:
        """Bring back what a rule said in ``version``, also where it was removed. Raises ``RuleError``."""
        return await self.change(await self.earlier(ident, version))

    # ------------------------------------------------------------------------------------------------ taken back

    async def back(self, moved: Sequence[Moved]) -> str:
        """Take back that the user paused, resumed or removed a rule. Raises ``SettledError``."""
        return await self._turn(moved[0], back=True)

    async def again(self, moved: Sequence[Moved]) -> str:
        """Do again what ``back`` took back. Raises ``SettledError``."""
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
                await self._rest(ident, str(moved.detail["name"]), "user")
            return words
        except RuleError as error:
            raise SettledError(str(error)) from error

    async def _state(self, ident: str) -> RuleState:
        try:
            return (await self.stands(ident)).state
        except RuleError:
            return RuleState.REMOVED

    # ------------------------------------------------------------------------------------------------ inside

    def _sound(self, given: Json) -> Rule:
        try:
            rule = Rule(id="", **checked(given))
        except ValueError as error:
            raise RuleError(str(error)) from error
        if rule.cron and (len(rule.cron.split()) not in (1, 5) or not croniter.is_valid(rule.cron)):  # no seconds
            raise RuleError(
                f"{one_line(rule.cron, 60)!r} is not a cron line; for weekdays at 8 it is '0 8 * * mon-fri'"
            )
        if rule.every and rule.every < SHORTEST:
            raise RuleError(f"a rule comes at most every {SHORTEST:g} seconds")
        for name in (rule.draft, rule.nudge):
            if name and name not in self._book.templates:
                there = ", ".join(sorted(self._book.templates)) or "none"
                raise RuleError(f"[mail.templates] in config.toml has no {one_line(name, 40)!r}; there are: {there}")
        if not rule.acts:
            raise RuleError("say what it should do: notify, draft or reply, remind, follow_up, brief or ask")
        if rule.timed and any(act in ("draft", "follow_up") for act in rule.acts):
            raise RuleError("at a time there is no mail to answer or follow; a time can notify, remind, brief or ask")
        return rule

    async def _named(self, ident: str) -> tuple[Rule, str]:
        rule = await self.stands(ident)
        return rule, one_line(rule.name, 60)

    async def _hold(self, ident: str) -> None:
        pause = await self._store.get(ident, namespace=Namespace.RULE_PAUSE)
        if pause is not None:
            await self._store.delete(ident, namespace=Namespace.RULE_PAUSE, expect_version=pause.version)

    async def _rest(self, ident: str, name: str, by: str) -> None:
        row = {"id": ident, "name": name, "at": self._clock.now(), "by": by}
        await self._store.store(row, namespace=Namespace.RULE_PAUSE, context_id=ident, expect_version=0)

    @staticmethod
    def stays(rule: Rule) -> str:
        """Why a built-in rule can't be changed or removed, and where what it tells of comes from."""
        of = {
            "vip": "it holds for the addresses in vips of [user] in config.toml, so take them out there",
            "begins-soon": "it tells of your calendar",
            "conflicts": "it tells of your calendar",
        }.get(rule.id, "it stands for all that comes")
        return f"the rule {one_line(rule.name, 60)!r} is built in: {of}; pausing it works here"

    @staticmethod
    def _must_be_made(rule: Rule) -> None:
        if rule.origin == "built in":
            raise RuleError(RuleChanges.stays(rule))
        if rule.origin != "made":
            raise RuleError(
                f"the rule {one_line(rule.name, 60)!r} stands in config.toml: change it there; pausing it works here"
            )

    async def _free(self, name: str) -> tuple[str, Context | None]:
        """An id for a rule called ``name``, and the removed rule's context whose id it was, if any."""
        base, number = rule_id(name), 1
        while True:
            ident = base if number == 1 else f"{base}-{number}"
            before = await self._store.get(ident, namespace=Namespace.RULE)
            if self._book.rule(ident) is None and (
                before is None or before.data.get("state") == RuleState.REMOVED.value
            ):
                return ident, before
            number += 1

    async def _put(self, rule: Rule, before: Context | None) -> None:
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


def _next(versions: list[Rule]) -> str:
    return str(max((int(rule.version) for rule in versions), default=0) + 1)


def _says(rule: Rule) -> Json:
    """What a rule says, whatever it is called."""
    return {key: value for key, value in words_of(rule).items() if key != "name"}


def _moved(rule: Rule, to: RuleState) -> Moved:
    detail = {"before": str(rule.state), "name": rule.name, "version": rule.version}
    return Moved(Namespace.RULE, rule.id, str(RULE.move(rule.state, to)), detail)
