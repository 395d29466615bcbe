"""How far a folder was read, stored in the same commit as the mails, so that a kill neither loses nor repeats any.

All UIDs above ``high`` are new mail. Those from ``low`` up to ``high`` have been taken in; below ``low`` is mail that
was there before and is still to be read, the newest first. UIDs are valid only within one ``validity``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from pepper_tui.connectors.imap.connection.session import Opened
from pepper_tui.model import Record
from pepper_tui.store import Store

CURSORS: Final = "feed.imap"  # one context per folder of an account
SKEW: Final = 300.0
"""Seconds by which a server's clock may differ from this one."""
MOST_REFUSED: Final = 1_000


@dataclass(slots=True)
class Cursor(Record):
    """How far a folder was read.

    ``at`` is the sign-in that it belongs to. ``renumbered``: the server gave new UIDs to all mails, so that only the
    time tells what was there at first sight. ``refused``: mails that the server would not give. ``modseq`` and
    ``exists``: the server's count of changes (0: it has none), and of mails, up to which what became of them is noted;
    negative: nothing is noted so far. ``stale``: copies under earlier numbers are still to be cleared away.
    """

    id: str
    at: str
    validity: int
    high: int
    low: int
    first_seen: float
    renumbered: bool = False
    refused: list[int] = field(default_factory=list)
    modseq: int = -1
    exists: int = -1
    stale: bool = False

    def is_old(self, uid: int, arrived: float) -> bool:
        """Check whether the mail was there before the folder was first seen; if that is unknown, it counts as new."""
        return uid <= self.high and (not self.renumbered or arrived <= self.first_seen - SKEW)

    @property
    def root(self) -> str:
        """What the places of the folder's mails begin with."""
        return f"imap:{self.id}"

    def place(self, uid: int) -> str:
        """Return the place of a mail, as in ``Copy.place``."""
        return f"{self.root}/{self.validity}.{uid}"

    def uid_of(self, place: str) -> int | None:
        """Return the UID of ``place``; ``None`` if it is another folder's, or numbered otherwise."""
        number = place.removeprefix(f"{self.root}/{self.validity}.")
        return int(number) if number != place and number.isdecimal() else None

    def is_earlier(self, place: str) -> bool:
        """Check whether ``place`` is this folder's, as it was numbered before."""
        root, _, number = place.rpartition("/")
        return root == self.root and number.partition(".")[0] != str(self.validity)

    def beyond(self, uids: Sequence[int]) -> Cursor:
        """Return the cursor for when the new mails ``uids`` have been taken in, in order."""
        return replace(self, high=max(self.high, *uids), exists=self.exists + len(uids) if self.exists >= 0 else -1)

    def down_to(self, uids: Sequence[int]) -> Cursor:
        """Return the cursor for when all older mail from ``uids`` on has been taken in."""
        return replace(self, low=min(self.low, *uids))

    def without(self, uid: int) -> Cursor:
        """Return the cursor with ``uid`` noted as a mail that the server would not give."""
        return replace(self, refused=sorted({*self.refused, uid})[-MOST_REFUSED:])

    def given(self, uid: int) -> Cursor:
        """Return the cursor for when the server has given a refused mail after all, or no longer has it."""
        return replace(self, refused=[each for each in self.refused if each != uid])

    async def keep(self, store: Store) -> None:
        await store.put(self, namespace=CURSORS, context_id=self.id)


async def cursor_of(store: Store, ident: str, at: str, opened: Opened, now: float, folder: str) -> Cursor:
    """Return how far ``folder`` was read; store a fresh cursor if it is seen for the first time or was renumbered."""
    key = f"{ident}/{folder}"
    known = await store.get(key, namespace=CURSORS)
    cursor = Cursor.one(known)
    if cursor is not None and cursor.at == at and cursor.validity == opened.validity:
        return cursor
    renumbered = cursor is not None and cursor.at == at
    first_seen = cursor.first_seen if cursor is not None and renumbered else now
    fresh = Cursor(key, at, opened.validity, opened.next - 1, opened.next, first_seen, renumbered)
    fresh = replace(fresh, modseq=opened.modseq, exists=opened.exists, stale=renumbered)
    await fresh.keep(store)
    return fresh
