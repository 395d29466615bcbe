"""Why a snoozed item need not come back, judged by how its matter went on meanwhile."""

from __future__ import annotations

from typing import Final

from pepper_tui.domains.notices.items import Items
from pepper_tui.domains.notices.told import UNPAIRED, same_state
from pepper_tui.model import CallState, Context, ContextFilter, Effect, Json, Namespace, Notification
from pepper_tui.store import Store

_LOOKED_AT: Final = 5_000  # newest signals and calls in which a matter's later course is looked up
_SIGNALS: Final = f"{Namespace.SIGNALS}."
_TELLS: Final = {"mail": f"{_SIGNALS}mail", "event": f"{_SIGNALS}calendar", "conflict": f"{_SIGNALS}calendar"}


async def why_stale(store: Store, items: Items, item: Notification, now: float) -> str:
    """Return why ``item`` need not come back; empty if it should."""
    if not item.matter or item.kind in UNPAIRED:
        return ""
    of_it = await _course(store, item.matter)
    later = [c for c in of_it if c.updated_at > item.created_at]
    if any(c.data.get("effect") == Effect.SEND and c.data.get("state") == CallState.SUCCEEDED for c in later):
        return "it was answered meanwhile"
    if any(c.data.get("metadata", {}).get("kind") == "own" for c in later):
        return "you answered it meanwhile"
    facts: Json = next((c.data["metadata"] for c in of_it if c.namespace != Namespace.TOOL_CALL), {})
    if facts.get("kind") == "cancelled":
        return "it was cancelled meanwhile"
    if isinstance(facts.get("end"), int | float) and facts["end"] <= now:
        return "it is over"
    for other in await items.open() if item.matter_kind == "state" else ():
        if same_state(other.data, item) and other.data.get("created_at", 0.0) > item.created_at:
            return f"replaced by {other.context_id}"
    return ""


async def _course(store: Store, matter: str) -> list[Context]:
    """Return the newest signals and calls of a matter."""
    newest = await store.query(
        ContextFilter(
            namespaces=[f"{Namespace.SIGNALS}.*", Namespace.TOOL_CALL], limit=_LOOKED_AT, include_expired=True
        )
    )
    # a user's feed may name the matter of a mail or an event: only its own source tells how that went on
    tells = _TELLS.get(matter.partition(":")[0])
    return [
        c
        for c in newest
        if c.data.get("matter") == matter and (not tells or c.namespace in (tells, Namespace.TOOL_CALL))
    ]
