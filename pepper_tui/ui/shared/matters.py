"""The inbox as items: one per matter, and one for each thing without a matter.

A matter's item holds all its open requests, the draft that waits for a yes, and what is planned about it. The most
trusted sender names it; a less trusted one can add a line, but never replace, hide or rename it. A key is always about
a single effect, so each further draft of a matter is a separate item, and so is what is being sent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pepper_tui.model import (
    FROM_SENDER,
    QUESTION,
    TRUST_ORDER,
    ActState,
    Approval,
    ApprovalState,
    CallState,
    Effect,
    FollowUp,
    FollowUpState,
    Namespace,
    Notification,
    NotificationState,
    Priority,
    Reminder,
    ReminderState,
    RuleAct,
    ToolCall,
    Trust,
    UnknownAnswer,
)

ANSWERS: Final[tuple[UnknownAnswer, ...]] = ("check", "happened", "did_not", "leave")
"""The acts of the keys 1 to 4: answers to an unknown outcome, or a question's choices in order."""
REQUESTS_SHOWN: Final = 8
"""Requests per level of trust that a card shows; the others are counted at its end."""
RECEIPT_STAYS: Final = 60.0
"""Seconds for which a receipt stays if no key moves."""
MORE: Final = "more"
"""The kind of the item that holds an origin's notices above the cap."""
NOTICES_SHOWN: Final = 5
"""Separate notice items that one origin may have; the others share one item that lists them."""
_NO_ANSWER: Final = f"{Namespace.SIGNALS}.follow_up:"
_PRIORITY: Final = {priority: place for place, priority in enumerate(Priority)}
_RANK: Final = {Priority.URGENT: 0, Priority.HIGH: 2, Priority.NORMAL: 3, Priority.LOW: 4, Priority.LOG: 5}
_TRUSTED: Final = frozenset({Trust.USER, Trust.VIP, Trust.WRITTEN_TO})
_NO_SENDER: Final = TRUST_ORDER[Trust.UNKNOWN] - 0.5
"""Items that nobody sent (a brief, a time) rank below people the user knows, and above strangers."""


@dataclass(frozen=True, slots=True)
class InboxItem:
    """One thing that waits for the user, or that is being sent.

    ``kind``: ``approval``, ``unknown``, a notification's kind, ``sending`` (approved, within its window) or ``sent`` (a
    receipt). ``record`` is what the keys act on, ``ref`` the engine's reference to it. ``requests`` are the
    notifications that the card shows, oldest first; ``folded`` counts the others by trust. ``seconds`` is how long a
    send still waits; None once it has begun.
    """

    ref: str
    kind: str
    priority: Priority
    at: float
    unread: bool
    record: Approval | Notification | ToolCall
    matter: str = ""
    requests: tuple[Notification, ...] = ()
    folded: tuple[tuple[str, int], ...] = ()
    follow_ups: tuple[FollowUp, ...] = ()
    reminders: tuple[Reminder, ...] = ()
    deferred: tuple[RuleAct, ...] = ()
    seconds: int | None = None

    @property
    def key(self) -> str:
        """The item's key in the list: the same while its matter is open."""
        if self.kind == MORE and isinstance(self.record, Notification):
            return f"{MORE}:{self.record.origin}"
        return f"matter:{self.matter}" if self.matter else self.ref

    @property
    def approval(self) -> Approval | None:
        """The card that needs a yes, if this is one."""
        return self.record if self.kind == "approval" and isinstance(self.record, Approval) else None

    @property
    def notices(self) -> tuple[Notification, ...]:
        """The notifications that the card shows, oldest first."""
        return self.requests or ((self.record,) if isinstance(self.record, Notification) else ())

    @property
    def notice_refs(self) -> tuple[str, ...]:
        return tuple(f"notification:{notice.id}" for notice in self.notices)

    @property
    def head(self) -> Notification | None:
        """The notification that names the item."""
        return min(self.notices, key=_head_rank, default=None)

    @property
    def question(self) -> Notification | None:
        """What it asks, if it is a question."""
        return self.head if self.kind == QUESTION else None

    @property
    def awaits(self) -> Notification | None:
        """The notice that somebody has not answered, if it shows one."""
        return next((each for each in self.notices if each.source.startswith(_NO_ANSWER)), None)

    @property
    def inert(self) -> bool:
        """Whether it only informs, so that no key acts on it."""
        return self.kind in ("sending", "sent")

    def names(self, ref: str) -> bool:
        """Check whether ``ref`` is this item, or something that its card shows."""
        return ref in (self.key, self.ref) or ref in self.notice_refs


def inbox_items(
    approvals: Mapping[str, Approval],
    notifications: Iterable[Notification],
    calls: Mapping[str, ToolCall],
    follow_ups: Iterable[FollowUp],
    reminders: Iterable[Reminder],
    acts: Iterable[RuleAct],
    now: float,
    receipts_read: float = 0.0,
) -> list[InboxItem]:
    """Return what waits for the user and is not snoozed, most pressing first.

    Receipts of what ended by ``receipts_read`` are left out.
    """
    pending = sorted(
        (a for a in approvals.values() if a.state is ApprovalState.PENDING and (a.snoozed_until or 0.0) <= now),
        key=lambda a: _asked_at(a, calls),  # the sort keeps equal ones in the store's order
    )
    told = [n for n in notifications if n.state in (NotificationState.NEW, NotificationState.SEEN)]
    drafts: dict[str, Approval] = {}
    ranked: list[tuple[int, InboxItem]] = []
    for approval in pending:
        if approval.matter and approval.matter not in drafts:
            drafts[approval.matter] = approval
        else:
            ranked.append((1, _lone(approval)))
    by_matter: dict[str, list[Notification]] = {}
    for notice in told:
        if notice.matter:
            by_matter.setdefault(notice.matter, []).append(notice)
        else:
            unread = notice.state is NotificationState.NEW
            ref = f"notification:{notice.id}"
            item = InboxItem(ref, notice.kind, notice.priority, notice.created_at, unread, notice)
            ranked.append((_RANK[notice.priority], item))
    matters = [*dict.fromkeys([*by_matter, *drafts])]
    plans = _Plans(matters, follow_ups, reminders, acts)
    for matter in matters:
        ranked += _group(matter, by_matter.get(matter, []), drafts.get(matter), plans)
    asked = {f"approval:{a.id}": _asked_at(a, calls) for a in pending}
    ranked += [(0, _unknown(c)) for c in calls.values() if c.state is CallState.UNKNOWN and not c.acknowledged]
    ranked += [(1, item) for item in _on_their_way(approvals, calls, now, receipts_read)]
    ranked.sort(key=lambda each: (each[0], min(each[1].at, asked.get(each[1].ref, each[1].at))))
    return _capped([item for _, item in ranked])


def _capped(items: list[InboxItem]) -> list[InboxItem]:
    """Return ``items`` with each origin capped; its remaining items come last, as one item."""
    kept: list[InboxItem] = []
    told: dict[str, list[InboxItem]] = {}
    for item in items:
        origin = _origin(item)
        if origin:
            told.setdefault(origin, []).append(item)
        if not origin or len(told[origin]) <= NOTICES_SHOWN:
            kept.append(item)
    for of_one in told.values():
        if rest := of_one[NOTICES_SHOWN:]:
            notices = tuple(notice for item in rest for notice in item.notices)
            first = rest[0]
            unread = any(item.unread for item in rest)
            record = notices[0]
            kept.append(
                InboxItem(f"notification:{record.id}", MORE, first.priority, first.at, unread, record, requests=notices)
            )
    return kept


def _origin(item: InboxItem) -> str:
    """Return whose notices ``item`` counts among; empty for items that are never folded.

    Those are cards, and mail from people the user has written to.
    """
    head = item.head
    if item.approval is not None or head is None:
        return ""
    return "" if head.origin.startswith(FROM_SENDER) and head.trust in _TRUSTED else head.origin


def _asked_at(approval: Approval, calls: Mapping[str, ToolCall]) -> float:
    """Return when the draft was requested: several are prepared in parallel, and finish in any order."""
    call = calls.get(approval.call)
    return min(approval.created_at, call.created_at) if call else approval.created_at


def deferred_words(acts: Iterable[RuleAct], calls: Iterable[ToolCall]) -> str:
    """Count what rules and tools have deferred, in words: "7 more drafts wait for room"; an empty string if nothing."""
    return ", ".join(_counted(act, count) for act, count in sorted(_deferred(acts, calls).items()))


def deferred_count(acts: Iterable[RuleAct], calls: Iterable[ToolCall]) -> int:
    """Count what rules and tools have deferred."""
    return sum(_deferred(acts, calls).values())


def _deferred(acts: Iterable[RuleAct], calls: Iterable[ToolCall]) -> dict[str, int]:
    counts: dict[str, int] = {}
    known: set[str] = set()
    for act in acts:
        if act.state is ActState.DEFERRED:
            known.add(f"act:{act.id}")
            counts[act.act] = counts.get(act.act, 0) + 1
    for call in calls:
        if call.deferred and call.state is CallState.SCHEDULED and call.origin not in known:
            what = "draft" if call.effect is Effect.SEND else "other"
            counts[what] = counts.get(what, 0) + 1
    return counts


_NOUNS: Final = {
    "draft": ("draft", "for room"),
    "ask": ("question", "for a model"),
    "notify": ("notice", ""),
    "remind": ("reminder", ""),
    "follow_up": ("follow-up", ""),
    "brief": ("brief", ""),
    "other": ("", "for room"),
}


def _counted(act: str, count: int) -> str:
    noun, what = _NOUNS.get(act, ("act", ""))
    plural, verb = ("", "waits") if count == 1 else ("s", "wait")
    named = f" {noun}{plural}" if noun else ""
    return f"{count} more{named} {verb} {what}".rstrip()


def takes_words(question: Notification) -> bool:
    """Check whether a question accepts other words than its choices."""
    return question.awaited or any(choice.get("field") for choice in question.choices)


def sending(approval: Approval, calls: Mapping[str, ToolCall]) -> bool:
    """Check whether an approved effect is still to happen, or happening."""
    call = calls.get(approval.call)
    if approval.state is not ApprovalState.APPROVED or approval.acts_at is None or call is None:
        return False
    mine = call.approval in ("", approval.id)
    return mine and call.state in (CallState.SCHEDULED, CallState.WAITING_APPROVAL, CallState.ATTEMPTED)


COUNTED: Final = 90
"""Seconds before an approved effect from which they are counted down."""
LATER: Final = -1
"""In place of the seconds: it has a time of its own, which is not near yet."""


def is_receipt(call: ToolCall) -> bool:
    """Check whether a call has done what the user approved, outside."""
    outside = call.effect in (Effect.SEND, Effect.WRITE)
    return call.state is CallState.SUCCEEDED and outside and bool(call.approval)


def trust_rank(trust: str) -> float:
    """Return a rank, lowest for the most trusted; an unknown level counts as a stranger."""
    if not trust:
        return _NO_SENDER
    return TRUST_ORDER.get(Trust(trust), len(TRUST_ORDER)) if trust in set(Trust) else len(TRUST_ORDER)


def _head_rank(notice: Notification) -> tuple[float, int, float, str]:
    return trust_rank(notice.trust), _PRIORITY[notice.priority], -notice.created_at, notice.id


def _lone(approval: Approval) -> InboxItem:
    return InboxItem(f"approval:{approval.id}", "approval", Priority.HIGH, approval.created_at, True, approval)


def _unknown(call: ToolCall) -> InboxItem:
    return InboxItem(f"call:{call.id}", "unknown", Priority.URGENT, call.created_at, True, call)


def _on_their_way(
    approvals: Mapping[str, Approval], calls: Mapping[str, ToolCall], now: float, read: float
) -> Iterable[InboxItem]:
    """Yield approved effects in their window, and receipts, each in its card's place."""
    for approval in approvals.values():
        if sending(approval, calls):
            begun = calls[approval.call].state is CallState.ATTEMPTED
            left = None if begun else max(0, math.ceil((approval.acts_at or 0.0) - now))
            left = left if left is None or left <= COUNTED else LATER
            ref = f"approval:{approval.id}"
            yield InboxItem(ref, "sending", Priority.NORMAL, approval.created_at, False, approval, seconds=left)
    for call in calls.values():
        ended = call.ended_at or 0.0
        if is_receipt(call) and ended > read and ended + RECEIPT_STAYS > now:
            card = approvals.get(call.approval)
            at = card.created_at if card else call.created_at
            yield InboxItem(f"call:{call.id}", "sent", Priority.NORMAL, at, False, call)


class _Plans:
    """The plans about some matters."""

    def __init__(
        self,
        matters: Iterable[str],
        follow_ups: Iterable[FollowUp],
        reminders: Iterable[Reminder],
        acts: Iterable[RuleAct],
    ) -> None:
        wanted = set(matters)
        self.follow_ups: dict[str, list[FollowUp]] = {}
        self.reminders: dict[str, list[Reminder]] = {}
        self.deferred: dict[str, list[RuleAct]] = {}
        for follow_up in follow_ups:
            if follow_up.matter in wanted and follow_up.state is FollowUpState.OPEN:
                self.follow_ups.setdefault(follow_up.matter, []).append(follow_up)
        for reminder in reminders:
            if reminder.matter in wanted and reminder.state is ReminderState.WAITING:
                self.reminders.setdefault(reminder.matter, []).append(reminder)
        for act in acts:
            if act.matter in wanted and act.state is ActState.DEFERRED:
                self.deferred.setdefault(act.matter, []).append(act)


def _group(
    matter: str, notices: list[Notification], draft: Approval | None, plans: _Plans
) -> Iterable[tuple[int, InboxItem]]:
    """Yield a matter as one item, with its rank."""
    head = min(notices, key=_head_rank, default=None)
    record = draft or head
    if record is None:
        return
    shown, folded = _fold(notices, head)
    trusted = [n.created_at for n in notices if head and trust_rank(n.trust) == trust_rank(head.trust)]
    item = InboxItem(
        ref=f"{'approval' if draft else 'notification'}:{record.id}",
        kind="approval" if draft or head is None else head.kind,
        priority=head.priority if head else Priority.HIGH,
        at=min([*trusted, *([draft.created_at] if draft else [])]),
        unread=draft is not None or any(n.state is NotificationState.NEW for n in shown),
        record=record,
        matter=matter,
        requests=shown,
        folded=folded,
        follow_ups=tuple(sorted(plans.follow_ups.get(matter, ()), key=lambda f: (f.due, f.id))),
        reminders=tuple(sorted(plans.reminders.get(matter, ()), key=lambda r: (r.due, r.id))),
        deferred=tuple(sorted(plans.deferred.get(matter, ()), key=lambda a: (a.created_at, a.id))),
    )
    yield min(1 if draft else 5, _RANK[head.priority] if head else 5), item


def _fold(
    notices: list[Notification], head: Notification | None
) -> tuple[tuple[Notification, ...], tuple[tuple[str, int], ...]]:
    """Return the requests to show, oldest first, and how many more there are by trust.

    The limit applies per level of trust: many strangers can't push out anybody else.
    """
    levels: dict[str, list[Notification]] = {}
    for notice in sorted(notices, key=lambda n: (n.created_at, n.id)):
        levels.setdefault(notice.trust, []).append(notice)
    shown: list[Notification] = []
    folded: list[tuple[str, int]] = []
    for trust, level in sorted(levels.items(), key=lambda each: trust_rank(each[0])):
        some = level[:REQUESTS_SHOWN]
        if head is not None and head in level and head not in some:
            some[-1] = head
        shown += some
        if len(level) > len(some):
            folded.append((trust, len(level) - len(some)))
    return tuple(sorted(shown, key=lambda n: (n.created_at, n.id))), tuple(folded)
