"""The states that things pass through, each with its table of moves. No room changes a state except by its table."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Generic, TypeVar

S = TypeVar("S", bound=StrEnum)


class IllegalMoveError(ValueError):
    """A move that the state's table does not allow."""

    def __init__(self, table: str, now: str, to: str) -> None:
        super().__init__(f"{table}: {now} cannot become {to}")
        self.table, self.now, self.to = table, now, to


class StateTable(Generic[S]):
    """The allowed moves of one kind of thing. The table is the law: every room changes state through ``move``."""

    def __init__(self, name: str, initial: S, moves: Mapping[S, frozenset[S]]) -> None:
        self.name = name
        self.initial = initial
        self.moves = moves
        self.open: frozenset[S] = frozenset(state for state in moves if moves[state])

    def allows(self, now: S, to: S) -> bool:
        return to in self.moves[now]

    def move(self, now: S, to: S) -> S:
        """Return ``to`` if the table allows the move. Raises ``IllegalMoveError``."""
        if not self.allows(now, to):
            raise IllegalMoveError(self.name, now, to)
        return to


class DeliveryState(StrEnum):
    PENDING = "pending"
    RETRYING = "retrying"
    DONE = "done"
    DEAD = "dead"


DELIVERY: Final = StateTable(
    "delivery",
    DeliveryState.PENDING,
    {
        DeliveryState.PENDING: frozenset({DeliveryState.DONE, DeliveryState.RETRYING, DeliveryState.DEAD}),
        DeliveryState.RETRYING: frozenset({DeliveryState.DONE, DeliveryState.RETRYING, DeliveryState.DEAD}),
        DeliveryState.DEAD: frozenset({DeliveryState.PENDING}),  # re-driven
        DeliveryState.DONE: frozenset(),
    },
)


class CallState(StrEnum):
    SCHEDULED = "scheduled"
    WAITING_APPROVAL = "waiting_approval"
    ATTEMPTED = "attempted"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


TOOL_CALL: Final = StateTable(
    "tool call",
    CallState.SCHEDULED,
    {
        # read, local and delegate calls end directly from `scheduled`: they have no attempt that could be in doubt.
        CallState.SCHEDULED: frozenset(
            {CallState.WAITING_APPROVAL, CallState.SUCCEEDED, CallState.FAILED, CallState.CANCELLED}
        ),
        # A local act that asks has no attempt that could be in doubt: it ends directly from `waiting_approval`, in the
        # unit that holds what it writes.
        CallState.WAITING_APPROVAL: frozenset(
            {CallState.ATTEMPTED, CallState.SUCCEEDED, CallState.FAILED, CallState.CANCELLED}
        ),
        CallState.ATTEMPTED: frozenset({CallState.SUCCEEDED, CallState.FAILED, CallState.UNKNOWN}),
        CallState.UNKNOWN: frozenset({CallState.SUCCEEDED, CallState.FAILED}),  # by the user's answer or the probe
        CallState.CANCELLED: frozenset({CallState.WAITING_APPROVAL}),  # only by undoing a rejection
        CallState.SUCCEEDED: frozenset(),
        CallState.FAILED: frozenset(),
    },
)
CALL_UNDER_WAY: Final = frozenset({CallState.SCHEDULED, CallState.ATTEMPTED})
CALL_OPEN: Final = CALL_UNDER_WAY | {CallState.WAITING_APPROVAL}


class ApprovalState(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    EDITED = "edited"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


APPROVAL: Final = StateTable(
    "approval",
    ApprovalState.PENDING,
    {
        ApprovalState.PENDING: frozenset(
            {
                ApprovalState.APPROVED,
                ApprovalState.EDITED,
                ApprovalState.REJECTED,
                ApprovalState.WITHDRAWN,
                ApprovalState.EXPIRED,
            }
        ),
        ApprovalState.APPROVED: frozenset({ApprovalState.PENDING}),  # undo, until the call is attempted
        ApprovalState.REJECTED: frozenset({ApprovalState.PENDING}),  # undo
        ApprovalState.EDITED: frozenset(),
        ApprovalState.WITHDRAWN: frozenset(),
        ApprovalState.EXPIRED: frozenset(),
    },
)


class NotificationState(StrEnum):
    NEW = "new"
    SEEN = "seen"
    DONE = "done"
    DISMISSED = "dismissed"
    SNOOZED = "snoozed"


NOTIFICATION: Final = StateTable(
    "notification",
    NotificationState.NEW,
    {
        NotificationState.NEW: frozenset(
            {NotificationState.SEEN, NotificationState.DONE, NotificationState.DISMISSED, NotificationState.SNOOZED}
        ),
        NotificationState.SEEN: frozenset(
            {NotificationState.DONE, NotificationState.DISMISSED, NotificationState.SNOOZED}
        ),
        NotificationState.SNOOZED: frozenset(
            {NotificationState.NEW, NotificationState.DONE, NotificationState.DISMISSED}
        ),
        NotificationState.DONE: frozenset({NotificationState.NEW}),  # undo
        NotificationState.DISMISSED: frozenset({NotificationState.NEW}),  # undo
    },
)


class ReminderState(StrEnum):
    WAITING = "waiting"
    FIRED = "fired"
    OFFERED = "offered"
    CANCELLED = "cancelled"


REMINDER: Final = StateTable(
    "reminder",
    ReminderState.WAITING,
    {
        # A repeating reminder keeps waiting after it fires; one that was missed by too much is offered.
        ReminderState.WAITING: frozenset(
            {ReminderState.WAITING, ReminderState.FIRED, ReminderState.OFFERED, ReminderState.CANCELLED}
        ),
        ReminderState.OFFERED: frozenset({ReminderState.FIRED, ReminderState.CANCELLED}),
        ReminderState.FIRED: frozenset({ReminderState.OFFERED}),  # undo of the answer to an offer
        ReminderState.CANCELLED: frozenset({ReminderState.WAITING, ReminderState.OFFERED}),  # undo
    },
)


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    WAITING_APPROVAL = "waiting_approval"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


WORKER_RUN: Final = StateTable(
    "worker run",
    RunState.QUEUED,
    {
        RunState.QUEUED: frozenset({RunState.RUNNING, RunState.CANCELLED, RunState.FAILED}),
        RunState.RUNNING: frozenset(
            {RunState.WAITING_APPROVAL, RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED}
        ),
        RunState.WAITING_APPROVAL: frozenset({RunState.RUNNING, RunState.FAILED, RunState.CANCELLED}),
        RunState.SUCCEEDED: frozenset(),
        RunState.FAILED: frozenset(),
        RunState.CANCELLED: frozenset(),
    },
)
