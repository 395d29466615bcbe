"""Removing what an account that was taken out of the config has brought, from Pepper's own store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pepper_tui.command.output import show
from pepper_tui.command.store import kept_by_connectors, own_store
from pepper_tui.config import SECTION_IDS
from pepper_tui.connectors.connector import Holds
from pepper_tui.domains.calendar.objects import CALENDARS, OBJECTS
from pepper_tui.domains.mail.at_source.state import MailState, states_of
from pepper_tui.model import ContextFilter, Namespace
from pepper_tui.store import ContextStore

Name = tuple[str, str]
"""Namespace and id."""
_MAIL: Final = f"{Namespace.RAW}.mail"
_EVENTS: Final = f"{Namespace.RAW}.calendar"


async def remove_stored(home: Path, ident: str, holds: Sequence[Holds]) -> None:
    """Remove what came by this account alone; what is still needed (an open card) stays, and is counted."""
    from pepper_tui.store.upkeep.purge import Scope, purge, survey

    kept = await asyncio.to_thread(kept_by_connectors, home)
    async with own_store(home) as store:
        names: list[Name] = []
        if "mail" in holds:
            names += await _of_mail(store, ident)
        if "calendars" in holds:
            names += await _of_calendars(store, ident)
            kept = {name: why for name, why in kept.items() if name not in (OBJECTS, CALENDARS)}  # others have theirs
        found = await survey(store, Scope((), None, tuple(names)), kept)
        done = await purge(store, found) if names and found.doomed else None
    what = " and ".join({"mail": "mails", "calendars": "events"}[each] for each in holds) or "records"
    show(f"{done.contexts if done else 0} of its {what} and signals were removed from Pepper's store.")
    for reason, count in found.needed.most_common():
        show(f"{count:>8}  stay: {reason}")


async def _of_mail(store: ContextStore, ident: str) -> list[Name]:
    raws = await store.query(ContextFilter(namespaces=[_MAIL], limit=None, include_expired=True))
    unnamed = [each.context_id for each in raws if not each.data.get("account")] if ident in SECTION_IDS else []
    states = await states_of(store, unnamed)  # what came while it stood in [mail]
    mine = [each.context_id for each in raws if each.data.get("account") == ident]
    mine += [each for each in unnamed if each in states and _only(states[each], ident)]
    spaces = (_MAIL, f"{Namespace.SIGNALS}.mail")
    return [(space, f"signal_{each}" if "signals" in space else each) for each in mine for space in spaces]


async def _of_calendars(store: ContextStore, ident: str) -> list[Name]:
    """Return the copies of its calendars, and the events and signals that came of them."""
    copies = await store.query(ContextFilter(namespaces=[OBJECTS, CALENDARS], limit=None, include_expired=True))
    mine = [each for each in copies if each.data.get("account") == ident]
    calendars = {each.context_id for each in mine if each.namespace == CALENDARS}
    events = await store.query(ContextFilter(namespaces=[_EVENTS], limit=None, include_expired=True))
    signals = await store.query(
        ContextFilter(namespaces=[f"{Namespace.SIGNALS}.calendar"], limit=None, include_expired=True)
    )
    theirs = [each for each in events if each.data.get("calendar") in calendars]
    theirs += [each for each in signals if each.data["metadata"].get("calendar") in calendars]
    return [(each.namespace, each.context_id) for each in (*mine, *theirs)]


def _only(state: MailState, ident: str) -> bool:
    return bool(state.copies) and all(copy.account == ident for copy in state.copies)
