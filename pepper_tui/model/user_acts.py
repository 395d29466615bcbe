"""Records of what the user did at the screen, from which it can be undone and redone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from pepper_tui.model.contexts import Json
from pepper_tui.model.record import Record
from pepper_tui.model.states import StateTable
from pepper_tui.text.errors import PepperError


class UserActState(StrEnum):
    DONE = "done"
    UNDONE = "undone"
    SETTLED = "settled"
    """It can no longer be undone or redone."""


USER_ACT: Final = StateTable(
    "act of the user",
    UserActState.DONE,
    {
        UserActState.DONE: frozenset({UserActState.UNDONE, UserActState.SETTLED}),
        UserActState.UNDONE: frozenset({UserActState.DONE, UserActState.SETTLED}),
        UserActState.SETTLED: frozenset(),
    },
)


@dataclass(slots=True)
class Moved(Record):
    """One record that an act moved: ``id`` in ``namespace`` became ``to``, one of its states.

    ``detail`` is what it takes to redo the move: a time, a note, the fields of an edit.
    """

    namespace: str
    id: str
    to: str
    detail: Json = field(default_factory=dict)


Acted = tuple[str, list[Moved]]
"""What was done, in words, and what it moved."""


@dataclass(slots=True)
class UserAct(Record):
    """One act and everything it moved, stored in the same commit (``undo``).

    Without ``moved`` it is final. ``decided_by`` as in ``Approval``.
    """

    id: str
    words: str
    created_at: float
    moved: list[Moved] = field(default_factory=list)
    state: UserActState = UserActState.DONE
    decided_by: str = ""

    def __post_init__(self) -> None:
        self.state = UserActState(self.state)
        self.moved = [one if isinstance(one, Moved) else Moved.of(one) for one in self.moved]


class SettledError(PepperError):
    """A move that can no longer be undone or redone; the message tells the user why."""


_THROUGH: ContextVar[str] = ContextVar("through", default="")


@contextmanager
def acting_through(front: str) -> Iterator[None]:
    """Record that what the user does inside comes through ``front``."""
    before = _THROUGH.set(front)
    try:
        yield
    finally:
        _THROUGH.reset(before)


def acted_through() -> str:
    """Return the front through which the user acts; empty for that of this process."""
    return _THROUGH.get()
