"""How far an account was read, stored in the same commit as the mails, so that a kill neither loses nor repeats any.

All changes up to ``history`` have been taken in. What was there at first sight is listed again after a kill, which
costs little, and what is known of it is left out, until all of it has been taken in: then the account is ``synced``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from pepper_tui.model import Record
from pepper_tui.store import Store

CURSORS: Final = "feed.gmail"  # one context per account
SKEW: Final = 300.0
"""Seconds by which mails may come out of their order, and by which Google's clock may differ from this one."""
DAY: Final = 86_400.0
MOST_REFUSED: Final = 1_000


@dataclass(slots=True)
class Cursor(Record):
    """How far an account was read.

    ``at`` is the address that it belongs to, ``newest`` when the last mail that was taken in arrived, by Google's
    clock. ``refused``: mails that the server would not give.
    """

    id: str
    at: str
    history: str
    newest: float = 0.0
    synced: bool = False
    refused: list[str] = field(default_factory=list)

    def is_old(self, arrived: float, *, added: bool) -> bool:
        """Check whether a mail that is found now is no news: it was imported, or put where it is watched only later.

        ``added``: Google says that it was added since the last look.
        """
        if not self.synced and not self.newest:
            return not added
        return arrived <= self.newest - (DAY if added else SKEW if self.synced else 0.0)

    def beyond(self, history: str) -> Cursor:
        """Return the cursor for when all changes up to ``history`` have been taken in."""
        return replace(self, history=history)

    def with_mail(self, arrived: float, now: float) -> Cursor:
        """Return the cursor for when a mail has been taken in."""
        return replace(self, newest=max(self.newest, min(arrived, now + SKEW)))

    def without(self, ident: str) -> Cursor:
        """Return the cursor with ``ident`` noted as a mail that the server would not give."""
        return replace(self, refused=[*(each for each in self.refused if each != ident), ident][-MOST_REFUSED:])

    def given(self, ident: str) -> Cursor:
        """Return the cursor for when the server has given a refused mail after all, or no longer has it."""
        return replace(self, refused=[each for each in self.refused if each != ident])

    async def keep(self, store: Store) -> None:
        await store.put(self, namespace=CURSORS, context_id=self.id)


async def cursor_of(store: Store, ident: str) -> Cursor | None:
    return Cursor.one(await store.get(ident, namespace=CURSORS))
