"""The unit of work: writes of one task that are handed to the writer whole, or not at all.

The unit is found through a context variable, but belongs to the task that opened it: a task spawned inside copies
the variable and still writes on its own. Nothing of a unit can be read before its commit, and no transaction is open
while it collects. (``asyncio.wait_for`` and ``gather`` spawn tasks too: await ``store()`` plainly inside a unit.)
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from pepper_tui.model import ContextUpdate, DeliveryState
from pepper_tui.store.log.content import Write


@dataclass(frozen=True, slots=True)
class Delivery:
    """One update on its way to one subscription. ``attempts`` counts those that failed before."""

    subscription: str
    seq: int
    rank: int
    attempts: int
    update: ContextUpdate


@dataclass(slots=True)
class Delete:
    """One accepted ``delete()``."""

    namespace: str
    context_id: str
    at: float
    expect_version: int | None = None


@dataclass(slots=True)
class Move:
    """A delivery's next state. ``counts`` where the move is a failed attempt."""

    subscription: str
    seq: int
    to: DeliveryState
    due: float = 0.0
    error: str = ""
    counts: bool = True


Operation = Write | Delete | Move


@dataclass(slots=True)
class Unit:
    """What the writer gets: operations that are committed together. ``done`` becomes their results, in order."""

    operations: list[Operation]
    done: asyncio.Future[list[Any]]

    @property
    def conditional(self) -> bool:
        """Whether its plan can fail for a reason found only while planning."""
        return any(isinstance(op, Write | Delete) and op.expect_version is not None for op in self.operations)


@dataclass(slots=True, eq=False)
class UnitOfWork:
    """The open unit of a task."""

    store: object
    owner: asyncio.Task[Any] | None
    operations: list[Operation] = field(default_factory=list)
    closed: bool = False

    def ack(self, delivery: Delivery) -> None:
        """The delivery is done when this unit is committed. If it is no longer open then, the unit fails whole with
        ``StaleDeliveryError``."""
        self._move(Move(delivery.subscription, delivery.seq, DeliveryState.DONE))

    def defer(self, delivery: Delivery, due: float, error: str = "") -> None:
        """The delivery comes again at ``due`` (POSIX seconds); counts as an attempt."""
        self._move(Move(delivery.subscription, delivery.seq, DeliveryState.RETRYING, due, error))

    def bury(self, delivery: Delivery, error: str) -> None:
        """The delivery is dead until it is re-driven."""
        self._move(Move(delivery.subscription, delivery.seq, DeliveryState.DEAD, error=error))

    def writes(self, namespace: str, context_id: str) -> bool:
        """Whether a write to this context is among what the unit will commit."""
        return any(
            isinstance(op, Write) and (op.namespace, op.context_id) == (namespace, context_id) for op in self.operations
        )

    @property
    def written(self) -> list[tuple[str, str]]:
        """Namespace and id of each context that the unit will write."""
        return [(op.namespace, op.context_id) for op in self.operations if isinstance(op, Write)]

    def _move(self, move: Move) -> None:
        for index, op in enumerate(self.operations):
            if isinstance(op, Move) and (op.subscription, op.seq) == (move.subscription, move.seq):
                self.operations[index] = move
                return
        self.operations.append(move)


_current: Final[ContextVar[UnitOfWork | None]] = ContextVar("pepper_unit_of_work", default=None)


def current_unit() -> UnitOfWork | None:
    """The unit that this task is inside of, or None."""
    unit = _current.get()
    if unit is None or unit.closed or unit.owner is not asyncio.current_task():
        return None
    return unit


def enter(unit: UnitOfWork) -> Any:
    return _current.set(unit)


def leave(token: Any) -> None:
    _current.reset(token)
