"""An account of a world, of whichever kind: what happens at its server, and what lies there."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from tests.simulation.mail.road import Road

IDENT: Final = "work"
ADDRESS: Final = "me@work.example"


class Lying(NamedTuple):
    """One copy of a mail: the name of its place as Pepper calls it, its folder, its marks."""

    place: str
    folder: str
    marks: frozenset[str]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an account has of its world. ``elapsed`` is virtual time, ``now`` the server's wall clock. ``kill`` ends
    Pepper; ``sent`` is called with each mail that leaves by the account itself: recipients and text."""

    chance: random.Random
    now: Callable[[], float]
    elapsed: Callable[[], float]
    kill: Callable[[], None]
    sent: Callable[[Sequence[str], bytes], None]


class Account(Protocol):
    """``config`` are its keys; ``folders``: where a mail lies after an act; ``watched``: the folders that are read."""

    road: Road
    config: Mapping[str, Any]
    folders: Mapping[str, str]
    acts: Sequence[str]
    watched: frozenset[str]

    def deliver(self, source: bytes) -> None: ...

    def passes_on(self, source: bytes) -> None:
        """See a mail leave by the SMTP server that goes with the account; it may keep a copy by itself."""
        ...

    def elsewhere(self, message_id: str, deed: str) -> bool:
        """Let the user's other program do this to a mail in the inbox; false where it is not there."""
        ...

    def counts_anew(self) -> None:
        """Let the server forget by what Pepper knows how far it has read."""
        ...

    def loses_sign_in(self) -> float:
        """Let the sign-in be good no more; return for how long, 0 where it can be renewed at once."""
        ...

    def storm(self) -> None:
        """Let the server refuse much for a while, as it is asked too much."""
        ...

    def lying(self) -> dict[str, list[Lying]]:
        """Return all copies of each mail, by Message-ID, but for what Pepper has sent."""
        ...

    def copies(self) -> dict[str, int] | None:
        """Return how often each Message-ID lies among the sent mail; None where Pepper puts none there."""
        ...

    def calm(self) -> None: ...

    def problems(self) -> list[str]:
        """Return what is wrong there at the end."""
        ...
