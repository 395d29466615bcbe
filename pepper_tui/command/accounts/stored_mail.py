"""Removing the mail of an account that was taken out of the config, from Pepper's own store."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pepper_tui.command.output import show
from pepper_tui.command.store import kept_by_connectors, own_store
from pepper_tui.config import SECTION_IDS
from pepper_tui.domains.mail.at_source.state import MailState, states_of
from pepper_tui.model import ContextFilter, Namespace


async def remove_mail(home: Path, ident: str) -> None:
    """Remove what came by this account alone; what is still needed (an open card) stays, and is counted."""
    from pepper_tui.store.upkeep.purge import Scope, purge, survey

    kept = await asyncio.to_thread(kept_by_connectors, home)
    async with own_store(home) as store:
        raws = await store.query(ContextFilter(namespaces=[f"{Namespace.RAW}.mail"], limit=None, include_expired=True))
        unnamed = [each.context_id for each in raws if not each.data.get("account")] if ident in SECTION_IDS else []
        states = await states_of(store, unnamed)  # what came while it stood in [mail]
        mine = [each.context_id for each in raws if each.data.get("account") == ident]
        mine += [each for each in unnamed if each in states and _only(states[each], ident)]
        spaces = (f"{Namespace.RAW}.mail", f"{Namespace.SIGNALS}.mail")
        names = [(space, f"signal_{each}" if "signals" in space else each) for each in mine for space in spaces]
        found = await survey(store, Scope((), None, tuple(names)), kept)
        done = await purge(store, found) if names and found.doomed else None
    show(f"{done.contexts if done else 0} of its mails and signals were removed from Pepper's store.")
    for reason, count in found.needed.most_common():
        show(f"{count:>8}  stay: {reason}")


def _only(state: MailState, ident: str) -> bool:
    return bool(state.copies) and all(copy.account == ident for copy in state.copies)
