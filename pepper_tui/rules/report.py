"""Reports on rules: matches, acts by state, cost, how many notices were dismissed, and what a rule waits for.

An act's context has the tags ``rule:<id>`` and its state, and its kind as type, so that the index can count the acts of
a rule that has many.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

from pepper_tui.model import (
    ACTS,
    ActState,
    ContextFilter,
    Namespace,
    Notification,
    NotificationState,
    Rule,
    RuleAct,
    RuleReport,
    ToolCall,
    WorkerRun,
)
from pepper_tui.rules.pages import Newest
from pepper_tui.rules.sentence import sentence
from pepper_tui.rules.toml_text import as_toml
from pepper_tui.store import Store

_READ: Final = 200  # newest acts of a rule that are read individually; more are counted by their tags
_RUNS: Final = 1000  # newest runs whose cost is read
_NOTICES: Final = 2000  # newest notices of a rule that are read


async def reports(store: Store, rules: Sequence[Rule], *, offline: bool = False) -> list[RuleReport]:
    """Return one report per rule, in the order of ``rules``. ``offline``: no model is available for an ``ask``."""
    if not rules:
        return []
    cost = await _cost(store)
    return [await _report(store, rule, cost, offline=offline) for rule in rules]


async def acts_of(store: Store, rule: str, limit: int = 50) -> list[RuleAct]:
    """Return the acts of a rule, the newest first."""
    found = await store.query(ContextFilter(namespaces=[Namespace.RULE_ACT], tags=[f"rule:{rule}"], limit=limit))
    return RuleAct.readable(found)


async def _report(store: Store, rule: Rule, cost: dict[str, float], *, offline: bool) -> RuleReport:
    acts = await acts_of(store, rule.id, _READ)
    if len(acts) < _READ:
        states = Counter(str(act.state) for act in acts)
        matches = len({act.match for act in acts})
    else:
        states = Counter({str(state): await _count(store, rule, tags=[str(state)]) for state in ActState})
        matches = max([await _count(store, rule, types=[kind]) for kind in rule.acts or ACTS])
    return RuleReport(
        rule.data(),
        sentence(rule),
        as_toml(rule),
        matches=matches,
        acts={state: count for state, count in states.items() if count},
        cost=cost.get(rule.id, 0.0),
        dismissed=await _dismissed(store, rule),
        last=max((act.created_at for act in acts), default=None),
        waits=_waits(rule, acts, offline=offline),
    )


async def _count(store: Store, rule: Rule, tags: Sequence[str] = (), types: Sequence[str] = ()) -> int:
    tags = [f"rule:{rule.id}", *tags]
    return await store.count(ContextFilter(namespaces=[Namespace.RULE_ACT], tags=tags, types=types))


def _waits(rule: Rule, acts: Sequence[RuleAct], *, offline: bool) -> str:
    said = []
    deferred = Counter(act.act for act in acts if act.state is ActState.DEFERRED)
    if rule.ask and offline:
        said.append("waits for a model")
    elif asks := deferred["ask"]:
        said.append(f"{asks} {'question waits' if asks == 1 else 'questions wait'} for the model")
    if drafts := deferred["draft"]:
        said.append(f"{drafts} {'draft waits' if drafts == 1 else 'drafts wait'} for room")
    if rest := sum(count for kind, count in deferred.items() if kind not in ("ask", "draft")):
        said.append(f"{rest} {'act is' if rest == 1 else 'acts are'} deferred")
    return ", ".join(said)


async def _cost(store: Store) -> dict[str, float]:
    """Return what the runs started by acts have spent, by rule."""
    spent: dict[str, float] = defaultdict(float)
    async for context in Newest(store, ContextFilter(namespaces=[Namespace.RUN]), _RUNS).each():
        for run in WorkerRun.readable([context]):
            if not run.spent:
                continue
            found = await store.get(run.call, namespace=Namespace.TOOL_CALL)
            if (call := ToolCall.one(found)) is not None and call.origin.startswith("act:"):
                spent[call.origin.removeprefix("act:").partition("|")[0]] += run.spent
    return spent


async def _dismissed(store: Store, rule: Rule) -> int:
    """Count the notices of the rule that the user dismissed."""
    wanted = ContextFilter(
        namespaces=[Namespace.RULE_ACT], tags=[f"rule:{rule.id}"], types=["notify", "brief"], limit=_NOTICES
    )
    prefix = f"{Namespace.NOTIFICATION}:"
    made = {act.made.removeprefix(prefix) for act in RuleAct.readable(await store.query(wanted))
            if act.made.startswith(prefix)}  # fmt: skip
    if not made:
        return 0
    found = await store.query(
        ContextFilter(namespaces=[Namespace.NOTIFICATION], context_ids=sorted(made), limit=len(made))
    )
    return sum(notice.state is NotificationState.DISMISSED for notice in Notification.readable(found))
