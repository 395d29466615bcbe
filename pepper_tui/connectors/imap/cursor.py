"""How far a folder was read, as it is stored: in the same commit as the mails, so that a kill loses and repeats none.

All UIDs above ``high`` are new mail. Those from ``low`` on up to ``high`` were taken in; below ``low`` lies what was
there before and is still to come, the newest first. UIDs count within one ``validity`` alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from pepper_tui.connectors.imap.session import Opened
from pepper_tui.model import Record
from pepper_tui.store import Store

CURSORS: Final = "feed.imap"  # one context a folder of an account
SKEW: Final = 300.0
"""Seconds by which a server's clock may differ from this one."""
MOST_REFUSED: Final = 1_000


@dataclass(slots=True)
class Cursor(Record):
    """``at`` is the sign-in that it belongs to. ``renumbered``: the server gave other UIDs to all that lay there, so
    that only the time tells what was there at first sight. ``refused``: mails that the server would not give."""

    id: str
    at: str
    validity: int
    high: int
    low: int
    first_seen: float
    renumbered: bool = False
    refused: list[int] = field(default_factory=list)

    def is_old(self, uid: int, arrived: float) -> bool:
        """Whether the mail lay there before the folder was first seen; what can't be told is news."""
        return uid <= self.high and (not self.renumbered or arrived <= self.first_seen - SKEW)

    def beyond(self, uid: int) -> Cursor:
        """The cursor once all new mail up to ``uid`` was taken in."""
        return replace(self, high=max(self.high, uid))

    def down_to(self, uid: int) -> Cursor:
        """The cursor once all that lay there from ``uid`` on was taken in."""
        return replace(self, low=min(self.low, uid))

    def without(self, uid: int) -> Cursor:
        """The cursor with a mail noted that the server would not give."""
        return replace(self, refused=sorted({*self.refused, uid})[-MOST_REFUSED:])

    def given(self, uid: int) -> Cursor:
        """The cursor once the server has given such a mail after all, or has it no more."""
        return replace(self, refused=[each for each in self.refused if each != uid])

    async def keep(self, store: Store) -> None:
        await store.put(self, namespace=CURSORS, context_id=self.id)


async def cursor_of(store: Store, ident: str, at: str, opened: Opened, now: float, folder: str) -> Cursor:
    """How far ``folder`` was read, kept anew where it is seen for the first time or was renumbered."""
    key = f"{ident}/{folder}"
    known = await store.get(key, namespace=CURSORS)
    cursor = Cursor.one(known)
    if cursor is not None and cursor.at == at and cursor.validity == opened.validity:
        return cursor
    renumbered = cursor is not None and cursor.at == at
    first_seen = cursor.first_seen if cursor is not None and renumbered else now
    fresh = Cursor(key, at, opened.validity, opened.next - 1, opened.next, first_seen, renumbered)
    await fresh.keep(store)
    return fresh
