"""Built-in rules: what is told of VIPs, and of what can't wait.

They are rules like the others: listed as built in, and can be paused. ``text`` says when each holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pepper_tui.model import Match, Priority, Rule, Signal, matches_of

_KINDS: Final = {
    "vip": "vip",
    "soon": "begins-soon",
    "conflict": "conflicts",
    "fact": "facts",
    **dict.fromkeys(
        ("invitation", "moved", "cancelled", "declined", "counter", "doubted", "asked again", "called off"), "meetings"
    ),
}
_WITH_OTHERS: Final = frozenset({"moved", "cancelled"})
"""Kinds that are told of only if somebody else has made the event."""
_TOLD: Final = frozenset({Priority.URGENT, Priority.HIGH, Priority.NORMAL})

_TELLS: Final = frozenset({"notify", "brief"})

BUILT_IN: Final = (
    Rule(id="vip", name="VIPs", version="1", origin="built in", text="When one of your VIPs writes", notify=True),
    Rule(
        id="begins-soon",
        name="begins soon",
        version="1",
        origin="built in",
        text="When an event in your calendar begins soon",
        notify=True,
    ),
    Rule(
        id="conflicts",
        name="conflicts",
        version="1",
        origin="built in",
        text="When two events in your calendar overlap",
        notify=True,
    ),
    Rule(
        id="meetings",
        name="meetings",
        version="1",
        origin="built in",
        text="When somebody invites you, moves or cancels a meeting, declines yours, or proposes another time",
        notify=True,
    ),
    Rule(
        id="facts",
        name="facts",
        version="1",
        origin="built in",
        text="When a fact of a mail says that it matters",
        notify=True,
    ),
    Rule(
        id="urgent",
        name="urgent",
        version="1",
        origin="built in",
        text="When anything comes that is urgent",
        priority=Priority.URGENT,
        notify=True,
    ),
)


def may_stand(signal: Signal) -> bool:
    """Check whether a built-in rule may hold for ``signal``, whatever is currently paused."""
    named = bool(_kind(signal)) and signal.priority in _TOLD
    return named or signal.priority is Priority.URGENT


def standing(signal: Signal, rule_of: Callable[[str], Rule | None]) -> list[Match]:
    """Return the built-in rule that holds for ``signal``, unless it is paused or a rule of the user already tells.

    ``rule_of`` returns the current rule with an id.
    """
    if any(_TELLS.intersection(match.acts) for match in matches_of(signal.metadata)):
        return []
    kind = _kind(signal)
    if not (kind and signal.priority in _TOLD):
        kind = "urgent" if signal.priority is Priority.URGENT else ""
    rule = rule_of(kind) if kind else None
    if rule is None or rule.state != "active":
        return []
    return [Match(rule=rule.id, version=rule.version, name=rule.name, acts=["notify"])]


def _kind(signal: Signal) -> str:
    """Return the id of the built-in rule that the kind of ``signal`` belongs to; empty if there is none."""
    kind = str(signal.metadata.get("kind"))
    if kind == "changed":  # what somebody is still asked to must be known as it is
        return "meetings" if signal.metadata.get("asks") else ""
    return "" if kind in _WITH_OTHERS and not signal.metadata.get("with_others") else _KINDS.get(kind, "")
