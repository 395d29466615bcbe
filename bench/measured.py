"""One line of the table, and percentiles."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measured:
    """One line of the table. ``goal`` is what ``value`` is held against, in words."""

    name: str
    value: float
    unit: str
    goal: str = ""


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
