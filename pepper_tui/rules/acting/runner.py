"""Carries out what matches order: each act of each match once, in code, before a model sees the signal.

A durable subscription on signals creates the act records and, in the same commit, does everything that is only a row in
the store: a notice, a reminder, a follow-up. Longer work is a call (``draft``, ``ask``), whose fate the act follows, or
a task beside the loop (``brief``). An act that can't be done is ``failed`` and reported; one that waits for room or for
a model is ``deferred`` and resumed later; one that is no longer wanted is ``withdrawn``; each says why in words.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.model import (
    ACT,
    OPEN_TAG,
    ActState,
    CallState,
    Context,
    ContextFilter,
    ContextUpdate,
    Match,
    Namespace,
    Priority,
    RuleAct,
    Signal,
    ToolCall,
    ToolResult,
    act_id,
    match_id,
    matches_of,
)
from pepper_tui.rules.acting.acts import CLOCK, Acts
from pepper_tui.rules.acting.hands import Hands, Outcome
from pepper_tui.rules.acting.ongoing import Ongoing
from pepper_tui.rules.book import RuleBook
from pepper_tui.rules.standing import may_stand, standing
from pepper_tui.store import Following, Store, StoreUnavailableError, Subscriber
from pepper_tui.text import one_line

log = logging.getLogger(__name__)

BATCH: Final = 50  # signals per commit
_SUBSCRIPTION: Final = "rules"
_GONE: Final = "what it was about is no longer kept"
_ALL: Final = 100_000


class RuleRunner:
    """Runs the acts. Call ``listen`` before the subscriber starts, then ``start``."""

    def __init__(self, store: Store, clock: Clock, book: RuleBook, hands: Hands) -> None:
        self._store, self._clock, self._book, self._hands = store, clock, book, hands
        self._ongoing = Ongoing(store)
        self._acts = Acts(store, clock, hands, self._ongoing)
        self._following = Following(
            store,
            [Namespace.RULE_ACT, Namespace.TOOL_CALL, Namespace.TOOL_RESULT],
            resume=self._resume,
            take=self._take,
            name="rules.runner",
        )
        self._briefing: dict[str, asyncio.Task[None]] = {}
        self._changing = asyncio.Lock()

    # ------------------------------------------------------------------------------------------------ life

    def listen(self, subscriber: Subscriber) -> None:
        """Register the handler of signals."""
        handle = subscriber.on_context_batch(
            namespaces=[f"{Namespace.SIGNALS}.*"],
            size=BATCH,
            longest_wait=0.0,
            name=_SUBSCRIPTION,
            start="now",
            wanted=_may_concern,
        )
        handle(self._carry_out)

    async def start(self) -> None:
        """Resume the open acts, and follow their calls."""
        await self._ongoing.load()
        await self._following.start()

    async def stop(self) -> None:
        await self._following.stop()
        briefing = [*self._briefing.values()]
        for task in briefing:
            task.cancel()
        await asyncio.gather(*briefing, return_exceptions=True)

    # ------------------------------------------------------------------------------------------------ asked by others

    async def settled(self, context: Context) -> bool:
        """Check whether the rules of a signal have been handled, so that a model may see it."""
        for signal in Signal.readable([context]):
            if not _concerns(signal) or (context.version > 1 and signal.matter_kind != "state"):
                continue
            if await self._store.get(match_id(context), namespace=Namespace.RULE_MATCH) is not None:
                continue
            # given-up deliveries, and those from before there were rules, are never handled: nothing may wait for them
            return not await self._store.undelivered(_SUBSCRIPTION, context.seq)
        return True

    async def words(self, context: Context) -> list[str]:
        """Return what code has done about a signal, one line per act."""
        match = await self._store.get(match_id(context), namespace=Namespace.RULE_MATCH)
        lines = []
        for ident in match.data["acts"] if match is not None else ():
            saved = await self._store.get(ident, namespace=Namespace.RULE_ACT)
            if (act := RuleAct.one(saved)) is not None:
                more = f": {act.detail}" if act.detail else ""
                lines.append(f"rule {act.name!r}, {act.act}: {act.state}{more}")
        return lines

    # ------------------------------------------------------------------------------------------------ the handler

    async def _carry_out(self, updates: list[ContextUpdate]) -> None:
        self._ongoing.begin_batch()
        for update in updates:
            for signal in [] if update.deleted else Signal.readable([update.context]):
                if update.context.version == 1 or signal.matter_kind == "state":  # otherwise it is nothing new
                    await self._signal(signal, update.context)

    def _matches(self, signal: Signal) -> list[Match]:
        """Return the matches of a signal: of the user's rules, and of the built-in ones."""
        ordered = [match for match in matches_of(signal.metadata) if match.acts]
        return ordered if signal.priority is Priority.LOG else [*ordered, *standing(signal, self._book.rule)]

    async def _signal(self, signal: Signal, context: Context) -> None:
        if not _concerns(signal):
            return
        matches = self._matches(signal)  # possibly none: a paused rule may hold again when a step asks
        ref, name = f"{context.namespace}:{context.context_id}", match_id(context)
        if await self._store.get(name, namespace=Namespace.RULE_MATCH) is not None:
            return  # delivered once more, by the user's redrive
        acts = []
        for match in matches:
            for kind in match.acts:
                act = RuleAct(
                    act_id(match.rule, match.version, name, kind),
                    match.rule,
                    match.version,
                    match.name,
                    ref,
                    kind,
                    self._clock.now(),
                    about=one_line(signal.content, 200),
                    matter=signal.matter,
                )
                await self._do(act, match, signal)
                acts.append(act.id)
        await self._store.store({"acts": acts}, namespace=Namespace.RULE_MATCH, context_id=name)

    async def _do(self, act: RuleAct, match: Match, signal: Signal) -> None:
        try:
            async with self._store.unit():  # a failing act leaves nothing behind
                outcome = await self._acts.perform(act, match, signal)
        except StoreUnavailableError:
            raise
        except Exception as error:
            if not isinstance(error, ValueError):
                log.exception("an act of the rule %s failed", act.rule)
            outcome = Outcome(ActState.FAILED, detail=one_line(str(error) or type(error).__name__, 300))
        await self._save(act, outcome)

    # ------------------------------------------------------------------------------------------------ what comes of it

    async def _resume(self) -> None:
        found = await self._store.query(
            ContextFilter(namespaces=[Namespace.RULE_ACT], tags=[OPEN_TAG], newest_first=False, limit=_ALL)
        )
        acts = RuleAct.readable(found)
        for act in acts:
            if act.made:
                await self._follow_call(act)
            elif act.act == "brief":
                self._begin_brief(act)
        await self._ask_late([act for act in acts if act.act == "ask" and not act.made])

    async def _take(self, updates: list[ContextUpdate]) -> None:
        for update in updates:
            context = update.context
            if update.deleted:
                continue
            if context.namespace == Namespace.RULE_ACT:
                for act in RuleAct.readable([context]):
                    if act.act == "brief" and act.state is ActState.PENDING:
                        self._begin_brief(act)
            elif str(context.data.get("origin", "")).startswith("act:"):
                ident = str(context.data["origin"]).removeprefix("act:")
                saved = await self._store.get(ident, namespace=Namespace.RULE_ACT)
                if (caller := RuleAct.one(saved)) is not None:
                    await self._follow_call(caller)

    async def _follow_call(self, act: RuleAct) -> None:
        """Update an open act from the state of its call."""
        async with self._changing:
            found = await self._open_act(act.id)
            namespace, _, ident = act.made.partition(":")
            saved = await self._store.get(ident, namespace=namespace) if ident else None
            if found is None or saved is None:
                return
            act, version = found
            call = ToolCall.of(saved)
            outcome = _fate(call)
            if outcome is None or (outcome.state is act.state and outcome.detail == act.detail):
                return
            async with self._store.unit():
                if act.act == "ask" and call.state is CallState.SUCCEEDED:
                    result = await self._store.get(call.id, namespace=Namespace.TOOL_RESULT)
                    if result is None:
                        return  # it comes in the same commit, which is followed too
                    outcome = await self._acts.answered(act, ToolResult.of(result))
                await self._save(act, outcome, version)

    async def _ask_late(self, acts: Sequence[RuleAct]) -> None:
        """Ask what waited for a model, now that there is one; of a timed rule only the newest."""
        if not self._hands.has_model():
            return
        newest: dict[str, RuleAct] = {}
        for act in sorted(acts, key=lambda each: each.created_at):
            key = act.rule if act.match.startswith(CLOCK) else act.id
            if (before := newest.get(key)) is not None:
                await self._move(before, Outcome(ActState.WITHDRAWN, detail="a later time of the rule took its place"))
            newest[key] = act
        for act in newest.values():
            signal = await self._signal_of(act)
            match = next((m for m in matches_of(signal.metadata) if m.rule == act.rule), None) if signal else None
            if signal is None or match is None:
                await self._move(act, Outcome(ActState.FAILED, detail=_GONE))
                continue
            async with self._changing, self._store.unit():
                if (found := await self._open_act(act.id)) is not None:
                    await self._save(found[0], await self._acts.ask(found[0], match, signal), found[1])

    def _begin_brief(self, act: RuleAct) -> None:
        if act.id not in self._briefing:
            task = asyncio.create_task(self._prepare(act), name=f"brief {act.id}")
            self._briefing[act.id] = task
            task.add_done_callback(lambda _: self._briefing.pop(act.id, None))

    async def _prepare(self, act: RuleAct) -> None:
        signal = await self._signal_of(act)
        if signal is None:
            await self._move(act, Outcome(ActState.FAILED, detail=_GONE))
            return
        notice = await self._acts.brief_on(act, signal)
        async with self._changing, self._store.unit():
            if (found := await self._open_act(act.id)) is not None:
                await self._save(found[0], await self._acts.announce(notice), found[1])

    # ------------------------------------------------------------------------------------------------ records

    async def _signal_of(self, act: RuleAct) -> Signal | None:
        namespace, _, ident = act.match.partition(":")
        saved = await self._store.get(ident, namespace=namespace)
        return Signal.one(saved)

    async def _open_act(self, ident: str) -> tuple[RuleAct, int] | None:
        saved = await self._store.get(ident, namespace=Namespace.RULE_ACT)
        act = RuleAct.one(saved)
        return (act, saved.version) if act is not None and saved is not None and act.open else None

    async def _move(self, act: RuleAct, outcome: Outcome) -> None:
        async with self._changing, self._store.unit():
            if (found := await self._open_act(act.id)) is not None:
                await self._save(found[0], outcome, found[1])

    async def _save(self, act: RuleAct, outcome: Outcome, version: int = 0) -> None:
        """Store the outcome of ``act`` over ``version`` (0: a new record), and report a failure."""
        if outcome.state is not act.state:
            act.state = ACT.move(act.state, outcome.state)
        act.made, act.detail = outcome.made or act.made, outcome.detail
        if not act.open:
            act.ended_at = self._clock.now()
        tags = [f"rule:{act.rule}", str(act.state), *([OPEN_TAG] if act.open else [])]
        await self._store.put(act, namespace=Namespace.RULE_ACT, type=act.act, tags=tags, expect_version=version)
        if act.state is ActState.FAILED:
            await self._acts.tell_failed(act)


def _concerns(signal: Signal) -> bool:
    """Check whether rules concern the signal, regardless of whether one holds: a pause may change that."""
    ordered = any(match.acts for match in matches_of(signal.metadata))
    return ordered or (signal.priority is not Priority.LOG and may_stand(signal))


def _may_concern(update: ContextUpdate) -> bool:
    """Check whether a signal may concern rules: most of a first import does not, and need not be delivered."""
    data = update.context.data
    return data.get("priority") != Priority.LOG or bool((data.get("metadata") or {}).get("rules"))


def _fate(call: ToolCall) -> Outcome | None:
    """Return the outcome of an act as far as its call has come, or ``None`` if that is still open.

    A draft is done once its card exists.
    """
    match call.state:
        case CallState.SCHEDULED:
            return Outcome(ActState.DEFERRED, detail=call.deferred) if call.deferred else None
        case CallState.WAITING_APPROVAL | CallState.ATTEMPTED | CallState.UNKNOWN | CallState.SUCCEEDED:
            return Outcome(ActState.DONE)
        case CallState.FAILED:
            return Outcome(ActState.FAILED, detail=one_line(call.error or "it failed", 300))
    return Outcome(ActState.WITHDRAWN, detail=one_line(call.error or "cancelled", 300))
