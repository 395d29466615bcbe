"""How old the copies of accounts' calendars are, where they are not as their servers have them now.

An answer from an old copy must say so: what was changed since is not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.model import ContextFilter, Health, Namespace
from pepper_tui.store import Store
from pepper_tui.text import one_line

FRESH: Final = 900.0
"""Seconds for which a copy counts as new though nobody looks just now."""
_LONGEST: Final = 160


NO_CALENDAR: Final = "No calendar is configured: only invitations that came by mail are known."


async def only_invitations() -> list[str]:
    """Return what an answer says where nothing else is read."""
    return [NO_CALENDAR]


async def old_copies(
    store: Store, accounts: Sequence[str], is_well: Callable[[str], bool], clock: Clock, zone: tzinfo
) -> list[str]:
    """Return a sentence for each account whose copy is old. ``is_well``: whether the feed of that name works now."""
    rows = await store.query(ContextFilter(namespaces=[Namespace.HEALTH], limit=None)) if accounts else []
    health = {row.context_id: Health.of(row) for row in rows}
    told = (_told(each, health.get(f"feed.{each}"), clock.now(), zone) for each in accounts if not is_well(each))
    return [each for each in told if each]


def _told(account: str, health: Health | None, now: float, zone: tzinfo) -> str:
    if health is None:
        return f"{account}: not read yet; it is while Pepper runs"
    at = max(health.well_at, health.at if health.state in ("ok", "done") else 0.0)
    why = _why(health)
    if not at:
        return f"{account}: not read yet, {why}"
    if now - at < FRESH and health.state in ("ok", "done", "starting"):
        return ""
    when = datetime.fromtimestamp(at, zone)
    today = when.date() == datetime.fromtimestamp(now, zone).date()
    return (
        f"{account}: as of {when:%H:%M}, {why}"
        if today
        else f"{account}: as of {when:%a} {when.day} {when:%b %H:%M}, {why}"
    )


def _why(health: Health) -> str:
    match health.state:
        case "trouble" | "stopped":
            return one_line(health.detail, _LONGEST) or "it is not looked at"
        case "paused":
            return "it is paused"
        case "starting":
            return "it is being looked at"
    return "it is looked at while Pepper runs"
