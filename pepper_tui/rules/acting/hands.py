"""What the rules room is lent by others, and what an act comes to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import tzinfo

from pepper_tui.clock.words import TimeReader
from pepper_tui.model import ActState, Context, Json, Notification
from pepper_tui.rules.acting.brief import Look


@dataclass(frozen=True, slots=True)
class Hands:
    """What the runner needs of other rooms.

    ``announce`` stores a notice and returns ``None`` where the same was told before; ``times`` reads times in words
    and raises ``ValueError``; ``look`` asks a read tool; ``is_own`` knows the user's addresses; ``first_mail`` finds
    the mail that came first with a Message-ID; ``by_a_machine`` knows a machine's mail; ``has_model`` says whether a
    model can be asked; ``me`` is the user's name.
    """

    announce: Callable[[Notification], Awaitable[Context | None]]
    times: TimeReader
    look: Look
    is_own: Callable[[str], bool]
    first_mail: Callable[[str], Awaitable[Context | None]]
    by_a_machine: Callable[[Json], bool]
    has_model: Callable[[], bool]
    zone: tzinfo
    zone_name: str
    me: str = ""


@dataclass(slots=True)
class Outcome:
    """What an act has come to: its state, what it made (``namespace:id``), and why it is not done, in words."""

    state: ActState
    made: str = ""
    detail: str = ""
