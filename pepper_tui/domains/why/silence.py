"""What was held back in the last days: the count of each rank, the last ones with the reason, what was not said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pepper_tui.model import BACKLOG, ActState, Context, ContextFilter, Effect, Namespace, Priority, RuleAct
from pepper_tui.store import Store
from pepper_tui.text import one_line

COUNTED: Final = 10_000  # items of each kind that are examined
THOUGHTS: Final = 1000
LISTED: Final = 8  # last items of each kind that are listed
SILENCE_DAYS: Final = 7.0
_NOT_DONE: Final = {
    ActState.DEFERRED: "wait",
    ActState.PENDING: "are under way",
    ActState.FAILED: "did not work",
    ActState.WITHDRAWN: "were not needed",
}


@dataclass(frozen=True, slots=True)
class _Lately:
    """What happened in those days.

    ``acted``: the matters that led to something; ``taken``: the signals that a step has taken; ``unjudged``: those that
    wait for a model.
    """

    signals: list[Context]
    notices: list[Context]
    thoughts: list[Context]
    acts: list[RuleAct]
    acted: set[str]
    taken: set[str]
    unjudged: set[str]

    @property
    def more(self) -> bool:
        """Whether there is more than was examined."""
        return max(len(self.signals), len(self.notices), len(self.acts)) >= COUNTED or len(self.thoughts) >= THOUGHTS


@dataclass(slots=True)
class _Sorted:
    """The signals that nobody was told of: how many are from the first look or wait, which are held back, and why."""

    first_look: int = 0
    waiting: int = 0
    held: tuple[tuple[Context, str], ...] = ()


async def silence(store: Store, now: float, at: Callable[[float], str]) -> list[str]:
    """Return what was held back, in lines. ``at`` puts a time in words."""
    lately = await _lately(store, now - SILENCE_DAYS * 86_400)
    found = _sorted_out(lately)
    counts = Counter(str(signal.data.get("priority")) for signal, _ in found.held)
    named = ", ".join(f"{counts[p]} {p}" for p in Priority if counts[p]) or "no"
    unsaid = len(lately.thoughts)
    lines = [f"Held back in the last {SILENCE_DAYS:.0f} days: {named} signals; {unsaid} thoughts not said."]
    if lately.more:
        lines.append("There is more than was looked at: only the newest are counted.")
    if found.waiting:
        lines.append(f"{found.waiting} signals wait for a step and are not held back.")
    if found.first_look:
        lines.append(f"{found.first_look} signals were there when Pepper first looked and do not count.")
    if lately.unjudged:
        lines.append(f"{len(lately.unjudged)} signals are not judged: a model judges the newest when there is one.")
    lines += _acts_not_done(lately.acts)
    lines += _withdrawn([notice for notice in lately.notices if notice.metadata.get("withdrawn")])
    lines += _held(found.held, at)
    lines += _thoughts(lately.thoughts, at)
    return lines


async def _lately(store: Store, since: float) -> _Lately:
    async def all_of(namespace: str, limit: int = COUNTED, expired: bool = True) -> list[Context]:
        return await store.query(
            ContextFilter(namespaces=[namespace], since=since, limit=limit, include_expired=expired)
        )

    signals = await all_of("signals.*")  # first: what comes of one meanwhile counts, but no signal that comes meanwhile
    notices = await all_of(Namespace.NOTIFICATION)
    calls = [call.data for call in await all_of(Namespace.TOOL_CALL)]
    # a card, a reminder, a note or a task: a signal that led to one was not held back
    did = [call for call in calls if call.get("effect") != Effect.READ or call.get("name") == "delegate"]
    acted = {str(call.get("matter", "")) for call in did} | {notice.data.get("matter", "") for notice in notices}
    steps = await all_of(Namespace.STEP, expired=False)
    return _Lately(
        signals=signals,
        notices=notices,
        thoughts=await all_of(Namespace.ASSISTANT_LOG, THOUGHTS),
        acts=RuleAct.readable(await all_of(Namespace.RULE_ACT, expired=False)),
        acted=acted - {""},
        taken={str(name) for step in steps for name in step.data.get("inputs", [])},
        unjudged={mark.context_id for mark in await all_of(Namespace.UNJUDGED, expired=False)},
    )


def _sorted_out(lately: _Lately) -> _Sorted:
    told = {notice.data.get("source", "") for notice in lately.notices}
    ordered = {act.match for act in lately.acts if act.state in (ActState.DONE, ActState.DEFERRED, ActState.PENDING)}
    found = _Sorted()
    held: list[tuple[Context, str]] = []
    for signal in lately.signals:
        name = f"{signal.namespace}:{signal.context_id}"
        if signal.data.get("reason") == BACKLOG:
            found.first_look += 1
        elif name in told or name in ordered or signal.data.get("matter") in lately.acted:
            continue
        elif signal.data.get("priority") == Priority.LOG:
            held.append((signal, "priority log: only logged"))
        elif name in lately.unjudged:
            held.append((signal, "no rule of yours tells of it, and there was no model to judge it"))
        elif name not in lately.taken:
            found.waiting += 1
        else:
            held.append((signal, "a step took it and chose silence"))
    found.held = tuple(held)
    return found


def _acts_not_done(acts: Sequence[RuleAct]) -> Iterator[str]:
    """Yield the acts that the user's rules order and that are not done, or not yet, with count and reason."""
    for state, said in _NOT_DONE.items():
        counts = Counter((act.name, act.act, act.detail) for act in acts if act.state is state)
        if counts:
            yield f"{counts.total()} acts of your rules {said}:"
        for (name, kind, detail), count in counts.most_common(LISTED):
            words = f"{count} × {kind.replace('_', ' ')} of {one_line(name, 60)!r}"
            yield f"  {words}" + (f": {one_line(detail, 100)}" if detail else "")


def _withdrawn(notices: Sequence[Context]) -> Iterator[str]:
    if notices:
        yield f"{len(notices)} notices were withdrawn:"
    for notice in notices[:LISTED]:
        title, why = str(notice.data.get("title")), str(notice.metadata["withdrawn"])
        yield f"  {one_line(title, 70)}: {one_line(why, 70)}"
    yield from _more(notices)


def _held(held: Sequence[tuple[Context, str]], at: Callable[[float], str]) -> Iterator[str]:
    if held:
        yield "Last signals without a notice:"
    for signal, rule in held[:LISTED]:
        content, reason = str(signal.data.get("content")), str(signal.data.get("reason"))
        yield (
            f"  {at(signal.created_at)} [{signal.data.get('priority')}] {one_line(content, 70)}"
            f" ({one_line(reason, 70)}; {rule})"
        )
    yield from _more(held)


def _thoughts(thoughts: Sequence[Context], at: Callable[[float], str]) -> Iterator[str]:
    if thoughts:
        yield "Last thoughts kept to the log:"
    for entry in thoughts[:LISTED]:
        yield f"  {at(entry.created_at)} {one_line(str(entry.data.get('text', '')), 120)}"
    yield from _more(thoughts)


def _more(items: Sequence[object]) -> Iterator[str]:
    if len(items) > LISTED:
        yield f"  and {len(items) - LISTED} more"
