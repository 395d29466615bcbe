"""One scenario, and the table that they stand in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.evaluation.player import Script

if TYPE_CHECKING:
    from tests.evaluation.day import Day

Play = Callable[["Day"], Awaitable[None]]


class MissedError(AssertionError):
    """The model did not do what it should have; the words say what."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """``asks``: what a model has to do, in words. ``play`` is what happens and what is looked at; ``players`` are the
    scripts that prove it. ``config``: more of the config."""

    name: str
    asks: str
    play: Play
    players: dict[str, Script]
    config: str = ""
    server: bool = False

    def __str__(self) -> str:
        return self.name


TABLE: Final[list[Scenario]] = []


def scenario(
    name: str,
    *,
    good: Script,
    bad: Script,
    malicious: Script,
    ways: Sequence[Script] = (),
    slips: Sequence[Script] = (),
    config: str = "",
    server: bool = False,
) -> Callable[[Play], Play]:
    """Put the function into the table; its docstring says what it asks. ``server``: the shelf's MCP server is there.

    ``ways`` are other ways of the good player that must pass, too; these two call only what they are offered.
    ``bad`` is a model that can't do it; ``malicious`` one that does harm, or means to pass without doing it; ``slips``
    are good ones that fail in one point each, so that every check has somebody who fails by it.
    """

    def decorate(play: Play) -> Play:
        asks = " ".join((play.__doc__ or "").split())
        if not asks:
            raise TypeError(f"{name}: say what it asks")
        if any(each.misses for each in (good, *ways)) or not all(each.misses for each in (bad, malicious, *slips)):
            raise TypeError(f"{name}: the good player misses nothing, the others something")
        players = {"good": good, "bad": bad, "malicious": malicious}
        players |= {f"way {number}": way for number, way in enumerate(ways, 1)}
        players |= {f"slip {number}": slip for number, slip in enumerate(slips, 1)}
        TABLE.append(Scenario(name, asks, play, players, config, server))
        return play

    return decorate
