"""The unit of work: writes of one task that are handed to the writer together, or not at all.

The unit is found through a context variable, but belongs to the task that opened it: a task spawned inside copies the
variable and still writes on its own. Nothing of a unit can be read before its commit, and no transaction is open while
it collects. (``asyncio.wait_for`` and ``gather`` spawn tasks too: inside a unit, await ``store()`` directly.)
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
    """One update on its way to one subscription. ``attempts`` counts earlier failed attempts."""

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
    """A delivery's next state. ``counts``: the move is a failed attempt."""

    subscription: str
    seq: int
    to: DeliveryState
    due: float = 0.0
    error: str = ""
    counts: bool = True


Operation = Write | Delete | Move


@dataclass(slots=True)
class Unit:
    """Operations for the writer to commit together. ``done`` becomes their results, in order."""

    operations: list[Operation]
    done: asyncio.Future[list[Any]]

    @property
    def conditional(self) -> bool:
        """True if planning it can fail for a reason that is only found then."""
        return any(isinstance(op, Write | Delete) and op.expect_version is not None for op in self.operations)


@dataclass(slots=True, eq=False)
class UnitOfWork:
    """The open unit of a task."""

    store: object
    owner: asyncio.Task[Any] | None
    operations: list[Operation] = field(default_factory=list)
    closed: bool = False

    def ack(self, delivery: Delivery) -> None:
        """Finish the delivery when this unit is committed.

        If it is no longer open then, the whole unit fails with ``StaleDeliveryError``.
        """
        self._move(Move(delivery.subscription, delivery.seq, DeliveryState.DONE))

    def defer(self, delivery: Delivery, due: float, error: str = "") -> None:
        """Deliver it again at ``due`` (POSIX seconds); counts as an attempt."""
        self._move(Move(delivery.subscription, delivery.seq, DeliveryState.RETRYING, due, error))

    def bury(self, delivery: Delivery, error: str) -> None:
        """Mark the delivery as dead until it is redriven."""
        self._move(Move(delivery.subscription, delivery.seq, DeliveryState.DEAD, error=error))

    def writes(self, namespace: str, context_id: str) -> bool:
        """Check whether the unit will commit a write to this context."""
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
    """Return the unit that this task is inside of, or None."""
    unit = _current.get()
    if unit is None or unit.closed or unit.owner is not asyncio.current_task():
        return None
    return unit


def enter(unit: UnitOfWork) -> Any:
    return _current.set(unit)


def leave(token: Any) -> None:
    _current.reset(token)
