"""Numbers and ordinals."""

from __future__ import annotations

from typing import Any

from pepper_tui.clock.words.building.impossible import checked


class Numbers:
    def number(self, said: int | str) -> int:
        return int(said)

    def compound_number(self, tens: int, ones: int) -> int:
        checked(ones < 10, "no such number")
        return tens + ones

    def ordinal(self, said: int | str) -> int:
        number = int("".join(c for c in said if c.isdigit())) if isinstance(said, str) else said
        checked(number >= 1, "there is no zeroth")
        return number

    def last_one(self) -> int:
        return -1

    def last_but_one(self) -> int:
        return -2

    def decimal(self, said: str) -> float:
        return float(said.replace(",", "."))

    def fraction(self, said: str) -> float:
        above, below = said.split("/")
        return int(above) / int(below)

    def one(self, *_: Any) -> int:
        return 1

    def two(self, *_: Any) -> int:
        return 2

    def three(self, *_: Any) -> int:
        return 3
