"""Amounts by time, for the sums of a day."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

_KEPT: Final = 2000
_BUCKET: Final = 900.0  # divides the offset of every zone, so local midnight never falls into one


@dataclass(slots=True)
class Tally:
    """Amounts by time, each counted once; bounded: older ones are kept as sums of quarter hours, for two days."""

    recent: OrderedDict[str, tuple[float, float, int]] = field(default_factory=OrderedDict)
    sums: dict[float, float] = field(default_factory=dict)
    folded: int = 0

    def add(self, key: str, seq: int, at: float, amount: float) -> None:
        """Count ``amount`` at ``at``. The same ``key`` counts once, with its newest amount."""
        if key not in self.recent and 0 < seq <= self.folded:
            return
        self.recent[key] = (at, amount, seq)
        if len(self.recent) <= _KEPT:
            return
        for _ in range(_KEPT // 4):
            _key, (then, gone, number) = self.recent.popitem(last=False)
            bucket = then // _BUCKET * _BUCKET
            self.sums[bucket] = self.sums.get(bucket, 0.0) + gone
            self.folded = max(self.folded, number)
        for bucket in [b for b in self.sums if b < max(self.sums) - 2 * 86_400]:
            del self.sums[bucket]

    def begin(self, at: float, amount: float, seq: int) -> None:
        """Start anew with ``amount`` at ``at``: all that was counted up to ``seq`` of the log."""
        self.recent.clear()
        self.sums, self.folded = {at: amount}, seq

    def since(self, start: float) -> float:
        """Return the sum of what was counted at or after ``start``."""
        recent = sum(amount for at, amount, _seq in self.recent.values() if at >= start)
        return recent + sum(amount for at, amount in self.sums.items() if at >= start)
