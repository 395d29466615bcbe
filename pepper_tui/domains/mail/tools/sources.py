"""Whether all mail could be looked at: the accounts that were not read, or not wholly, and why.

An answer from the store alone would say that there is no such mail, where nobody has looked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from pepper_tui.model import Context, ContextFilter, Health, Namespace
from pepper_tui.text import one_line

_LOCAL: Final = {"mail": "your Maildirs", "mbox": "your mbox files"}


class Asked(Protocol):
    """What is needed of a store."""

    async def query(self, context_filter: ContextFilter, /) -> list[Context]: ...


async def not_looked_at(store: Asked, names: Sequence[str]) -> list[str]:
    """Return a sentence for each source of mail, by its feed's name, that was not read to its end."""
    rows = await store.query(ContextFilter(namespaces=[Namespace.HEALTH], limit=1000))
    health = {row.context_id: Health.of(row) for row in rows}
    told = (_told(name, health.get(f"feed.{name}")) for name in names)
    return [each for each in told if each]


def _told(name: str, health: Health | None) -> str:
    source = _LOCAL.get(name, f"account {name}")
    if health is None:
        return f"{source} was not read yet: it is while Pepper runs"
    detail = f": {one_line(health.detail, 200)}" if health.detail else ""
    remedy = f"; {one_line(health.remedy, 200)}" if health.remedy else ""
    match health.state:
        case "trouble" | "stopped":
            return f"{source} could not be read{detail}{remedy}"
        case "starting":
            return f"{source} is not read to its end{detail}"
        case "paused":
            return f"{source} is paused{remedy}"
    return ""
