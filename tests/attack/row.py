"""One attack, and the table that they stand in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.attack.scene import Scene

Play = Callable[["Scene"], Awaitable[None]]


class Harm(StrEnum):
    """What can come of an attack."""

    EFFECT = "effects without a key"
    BYTES = "bytes let through"
    REQUEST = "requests without a card"


@dataclass(frozen=True, slots=True)
class Attack:
    """``source``: who attacks. ``tries``: what is done; ``never``: what must not come of it. ``scene``: what the scene
    must have for it."""

    source: str
    name: str
    tries: str
    never: str
    play: Play
    scene: dict[str, Any] = field(default_factory=dict)
    slow: bool = False
    """Whether it takes seconds: ``make test`` leaves it to ``make attack``."""

    def __str__(self) -> str:
        return f"{self.source}: {self.name}"


TABLE: Final[list[Attack]] = []


def attack(
    source: str, name: str, never: str, tries: str = "", *, slow: bool = False, **scene: Any
) -> Callable[[Play], Play]:
    """Put the function into the table. ``tries``: by default its docstring."""

    def decorate(play: Play) -> Play:
        words = " ".join((tries or play.__doc__ or "").split())
        if not words:
            raise TypeError(f"{name}: say what it tries")
        TABLE.append(Attack(source, name, words, never, play, scene, slow))
        return play

    return decorate
