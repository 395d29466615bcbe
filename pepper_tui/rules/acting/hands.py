"""What the rules room needs from other rooms, and the outcome of an act."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import tzinfo

from pepper_tui.clock.words import TimeReader
from pepper_tui.model import ActState, Context, Json, Notification, Signal
from pepper_tui.rules.acting.brief import Look


@dataclass(frozen=True, slots=True)
class Hands:
    """The runner's dependencies on other rooms.

    ``announce`` stores a notice, and returns ``None`` if the same was told before; ``times`` reads times in words and
    raises ``ValueError``; ``look`` calls a read tool; ``is_own`` recognises the user's addresses; ``first_mail`` finds
    the first mail with a Message-ID; ``by_a_machine`` recognises a machine's mail, ``is_absence`` an automatic answer;
    ``choices`` returns the answers that a notice of a signal offers, as in ``Notification``, made by code, and
    ``answer_by`` until when one makes sense. ``has_model`` says whether a model is available; ``me`` is the user's
    name.
    """

    announce: Callable[[Notification], Awaitable[Context | None]]
    times: TimeReader
    look: Look
    is_own: Callable[[str], bool]
    first_mail: Callable[[str], Awaitable[Context | None]]
    by_a_machine: Callable[[Json], bool]
    is_absence: Callable[[Json], bool]
    has_model: Callable[[], bool]
    zone: tzinfo
    zone_name: str
    me: str = ""
    choices: Callable[[Signal], list[Json]] = lambda _: []
    answer_by: Callable[[Signal], float | None] = lambda _: None


@dataclass(slots=True)
class Outcome:
    """The outcome of an act: its state, what it made (``namespace:id``), and why it is not done, in words."""

    state: ActState
    made: str = ""
    detail: str = ""
