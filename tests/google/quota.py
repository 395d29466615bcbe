"""Units a minute and user, as Gmail counts them since May 2026: 6,000, and each command has its price."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from tests.google.errors import too_fast

UNITS = {
    "gmail.users.getProfile": 1,
    "gmail.users.drafts.create": 10,
    "gmail.users.drafts.delete": 10,
    "gmail.users.drafts.get": 5,
    "gmail.users.drafts.list": 5,
    "gmail.users.drafts.send": 100,
    "gmail.users.drafts.update": 15,
    "gmail.users.history.list": 2,
    "gmail.users.labels.create": 5,
    "gmail.users.labels.get": 1,
    "gmail.users.labels.list": 1,
    "gmail.users.messages.attachments.get": 5,
    "gmail.users.messages.batchModify": 50,
    "gmail.users.messages.delete": 10,
    "gmail.users.messages.get": 20,
    "gmail.users.messages.import": 25,
    "gmail.users.messages.insert": 25,
    "gmail.users.messages.list": 5,
    "gmail.users.messages.modify": 5,
    "gmail.users.messages.send": 100,
    "gmail.users.messages.trash": 5,
    "gmail.users.messages.untrash": 5,
    "gmail.users.settings.sendAs.list": 1,
    "gmail.users.threads.get": 40,
    "gmail.users.threads.list": 10,
    "gmail.users.threads.modify": 10,
    "gmail.users.threads.trash": 10,
    "gmail.users.threads.untrash": 10,
}


@dataclass
class Quota:
    """``status`` is what the one who is too fast gets: 429, or 403 as older limits say it."""

    units: int = 6_000
    seconds: float = 60.0
    status: int = 429
    _spent: dict[str, deque[tuple[float, int]]] = field(default_factory=dict)

    def charge(self, user: str, command: str, now: float) -> None:
        price = UNITS.get(command, 1)
        spent = self._spent.setdefault(user, deque())
        while spent and spent[0][0] <= now - self.seconds:
            spent.popleft()
        if sum(units for _, units in spent) + price > self.units:
            oldest = spent[0][0] if spent else now
            raise too_fast(self.status, max(1, round(oldest + self.seconds - now)))
        spent.append((now, price))

    def used(self, user: str) -> int:
        """Units of the last requests, those that are past their minute among them."""
        return sum(units for _, units in self._spent.get(user, ()))
