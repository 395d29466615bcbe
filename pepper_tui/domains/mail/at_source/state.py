"""What has become of a mail where it lives: which copies of it there are, and how each is marked.

A mail may lie in several places: in two folders, or at two accounts. A ``Copy`` is one of them. Feeds report what they
see; nothing here changes a mailbox.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal
from weakref import WeakKeyDictionary

from pepper_tui.model import ContextFilter, Record
from pepper_tui.store import Store, UnitOfWork
from pepper_tui.text import one_line

STATES: Final = "mail.state"
"""One context per mail of ``raw.mail``, with the same id."""
CHANGED: Final = "changed"
"""Tag of a state that is not the first of its mail."""

Mark = Literal["seen", "answered", "flagged", "draft", "deleted", "forwarded"]
Use = Literal["", "inbox", "archive", "sent", "drafts", "junk", "trash"]
"""What a folder is for, as its server says (RFC 6154) or, where it does not, as its name says."""


@dataclass(slots=True)
class Copy(Record):
    """One copy of a mail. ``place`` names it for its connector, uniquely; ``folder`` for the user."""

    place: str
    account: str
    folder: str
    use: Use = ""
    marks: list[Mark] = field(default_factory=list)


@dataclass(slots=True)
class MailState(Record):
    """The copies of a mail that are there. Without any it has been removed everywhere.

    ``by``: the call of Pepper's own that changed it last; empty if that was done elsewhere.
    """

    id: str
    copies: list[Copy] = field(default_factory=list)
    by: str = ""

    def __post_init__(self) -> None:
        self.copies = [each if isinstance(each, Copy) else Copy.of(each) for each in self.copies]

    def has(self, mark: Mark) -> bool:
        """Check whether any copy has ``mark``."""
        return any(mark in copy.marks for copy in self.copies)

    @property
    def unread(self) -> bool:
        return bool(self.copies) and not self.has("seen")

    @property
    def words(self) -> str:
        """How it stands, in a few words: how it is marked, and where it lies if that is not the inbox."""
        if not self.copies:
            return "no longer in any folder"
        told = ["unread" if self.unread else "read", *(mark for mark in _TOLD if self.has(mark))]
        elsewhere = sorted({copy.folder for copy in self.copies if copy.use != "inbox"})
        return ", ".join([*told, *([f"in {one_line(', '.join(elsewhere), 80)}"] if elsewhere else [])])

    @property
    def tags(self) -> set[str]:
        """What the state can be found by: each copy's place, folder and use, and how it is marked."""
        found = {f"at:{copy.place}" for copy in self.copies} | {f"use:{copy.use}" for copy in self.copies if copy.use}
        found |= {f"in:{copy.account}/{copy.folder}" for copy in self.copies}
        found |= {mark for copy in self.copies for mark in copy.marks}
        return found | ({"unread"} if self.unread else set())


_TOLD: Final[tuple[Mark, ...]] = ("answered", "forwarded", "flagged", "draft", "deleted")
_NO_WORDS: Final = " "
"""Search by words finds mails, not their states."""
_LOCKS: Final[WeakKeyDictionary[Store, asyncio.Lock]] = WeakKeyDictionary()


@contextlib.asynccontextmanager
async def noting(store: Store) -> AsyncIterator[UnitOfWork]:
    """Open a unit in which copies are noted. No other notes any until its commit: two may see the same mail at once."""
    async with _LOCKS.setdefault(store, asyncio.Lock()), store.unit() as unit:
        yield unit


async def states_of(store: Store, mails: Collection[str]) -> dict[str, MailState]:
    """Return the known states of ``mails``, by id."""
    wanted = ContextFilter(namespaces=[STATES], context_ids=sorted(mails), limit=None)
    found = MailState.readable(await store.query(wanted)) if mails else []
    return {each.id: each for each in found}


async def mail_at(store: Store, place: str) -> MailState | None:
    """Return the state of the mail that has a copy at ``place``."""
    found = await store.query(ContextFilter(namespaces=[STATES], tags=[f"at:{place}"], limit=1))
    return MailState.one(found[0]) if found else None


async def note_copies(
    store: Store, seen: Mapping[str, Sequence[Copy]], gone: Collection[str] = (), by: str = ""
) -> None:
    """Note copies by mail as they are now, and places where there is none any more. Once in a unit of ``noting``.

    Other copies of these mails stay as they are known. ``by``: see ``MailState``.
    """
    states = await states_of(store, seen)
    for place in gone:
        if (state := await mail_at(store, place)) is not None:
            states.setdefault(state.id, state)
    for ident in sorted({*states, *seen}):
        before = states.get(ident)
        now = {copy.place: copy for copy in seen.get(ident, ())}
        kept = [copy for copy in (before.copies if before else ()) if copy.place not in now and copy.place not in gone]
        state = MailState(ident, sorted([*kept, *now.values()], key=lambda copy: copy.place), by)
        if before is None or before.copies != state.copies:
            tags = state.tags | (set() if before is None else {CHANGED})
            await store.put(state, namespace=STATES, text=_NO_WORDS, tags=tags)
