"""The threads of all mail in memory, in the order of the list: a few facts of each mail, so that 50,000 cost little.

What the rows say besides (subject, first words) is read from the store for the rows that are shown.
"""

from __future__ import annotations

import sys
from bisect import bisect_left, insort
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, islice
from typing import Any, Final

from pepper_tui.domains.mail.at_source.state import MailState
from pepper_tui.domains.mail.listing.records import ThreadRow
from pepper_tui.text import one_line

FACTS: Final = ("thread", "date", "arrived", "sender", "attachments", "label", "account", "doubts")
"""The fields of a mail in ``raw.mail`` that the index is made of."""
_OUT_OF_SIGHT: Final = {"trash", "junk"}
_NOT_RECEIVED: Final = {"sent", "drafts"}
_PEOPLE: Final = 8


class Sign:
    """What is known of a mail, as bits: plain numbers, as a flag type would cost half of the time to read it all."""

    OWN: Final = 1
    ATTACHED: Final = 2
    DOUBTFUL: Final = 4
    UNREAD: Final = 8
    FLAGGED: Final = 16
    ANSWERED: Final = 32
    HIDDEN: Final = 64
    """Removed everywhere, or only in the trash or among junk."""
    SENT: Final = 128
    """Only where sent mail or drafts lie: not to be filed with its thread."""


_OF_STATE: Final = Sign.UNREAD | Sign.FLAGGED | Sign.ANSWERED | Sign.HIDDEN | Sign.SENT


@dataclass(slots=True)
class Entry:
    """One mail. ``who`` is its writer's name, or address; ``account`` and ``folder``: where it is, or came."""

    thread: str
    at: float
    who: str
    address: str
    account: str
    folder: str
    signs: int


Key = tuple[float, str]
"""Where a thread stands: its newest date, negative, and its id."""


@dataclass(slots=True)
class _Thread:
    """The mails of a thread; ``key`` and ``unread`` of those in sight."""

    mails: dict[str, None] = field(default_factory=dict)
    key: Key | None = None
    unread: bool = False


class MailIndex:
    """Mails by id, grouped and ordered. ``own``: the user's addresses, in lower case."""

    def __init__(self, own: Collection[str] = ()) -> None:
        self._own = frozenset(own)
        self._mails: dict[str, Entry] = {}
        self._states: dict[str, MailState] = {}  # of mails that are not known yet
        self._threads: dict[str, _Thread] = {}
        self._unread: list[Key] = []
        self._read: list[Key] = []
        self._all: list[Key] = []
        self._unplaced: dict[str, None] | None = None
        self.version = 0
        """Grows with each change."""

    # ------------------------------------------------------------------------------------------------ what comes in

    def put(self, ident: str, facts: Sequence[Any]) -> None:
        """Take in a mail, or what has changed of it: the values of ``FACTS``."""
        thread, date, arrived, sender, attachments, label, account, doubts = facts
        sender = sender if isinstance(sender, dict) else {}
        address = str(sender.get("address") or "")
        signs = Sign.OWN if address.lower() in self._own else 0
        signs |= Sign.ATTACHED if attachments else 0
        signs |= Sign.DOUBTFUL if doubts else 0
        name = "" if doubts else str(sender.get("name") or "")
        before = self._mails.get(ident)
        signs |= (before.signs & _OF_STATE) if before is not None else 0
        at = date if isinstance(date, int | float) and not isinstance(date, bool) else arrived
        entry = Entry(
            str(thread or ident),
            float(at or 0.0),
            _name(name or address),
            sys.intern(address.casefold()),
            sys.intern(str(account or "")),
            sys.intern(str(label or "")),
            signs,
        )
        if before is not None and before.thread != entry.thread:
            self._part(ident, before.thread)
        self._mails[ident] = entry
        known = self._threads.get(entry.thread)
        if known is None:
            known = self._threads[entry.thread] = _Thread()
        known.mails[ident] = None
        if before is not None:
            entry.account, entry.folder = before.account, before.folder
        elif (state := self._states.pop(ident, None)) is not None:
            _settle(entry, state)
        self._place(entry.thread)

    def put_state(self, state: MailState) -> None:
        """Take in what has become of a mail."""
        entry = self._mails.get(state.id)
        if entry is None:
            self._states[state.id] = state
            return
        _settle(entry, state)
        self._place(entry.thread)

    def remove(self, ident: str) -> None:
        """Forget a mail."""
        entry = self._mails.pop(ident, None)
        self._states.pop(ident, None)
        if entry is not None:
            self._part(ident, entry.thread)

    def _part(self, ident: str, thread: str) -> None:
        known = self._threads[thread]
        known.mails.pop(ident, None)
        self._place(thread)
        if not known.mails:
            del self._threads[thread]

    def begin(self) -> None:
        """Take in much: nothing has a place before ``placed``."""
        self._unplaced = {}

    def placed(self, most: int) -> Iterator[None]:
        """Place what was taken in since ``begin``; yield after each ``most`` threads, so that others get a turn."""
        waiting, self._unplaced = self._unplaced or {}, None
        for number, thread in enumerate(waiting, 1):
            self._place(thread)
            if number % most == 0:
                yield

    def _place(self, thread: str) -> None:
        """Put the thread where it belongs now."""
        self.version += 1
        if self._unplaced is not None:
            self._unplaced[thread] = None
            return
        known = self._threads.get(thread)
        if known is None:
            return
        if known.key is not None:
            _drop(self._all, known.key)
            _drop(self._unread if known.unread else self._read, known.key)
        seen = [entry for entry in map(self._mails.get, known.mails) if entry is not None and _in_sight(entry)]
        known.key = (-max(entry.at for entry in seen), thread) if seen else None
        known.unread = any(entry.signs & Sign.UNREAD for entry in seen)
        if known.key is not None:
            insort(self._all, known.key)
            insort(self._unread if known.unread else self._read, known.key)

    # ------------------------------------------------------------------------------------------------ what is asked

    @property
    def known(self) -> int:
        """How many mails there are, in sight or not."""
        return len(self._mails)

    @property
    def total(self) -> int:
        return len(self._all)

    @property
    def unread(self) -> int:
        return len(self._unread)

    def entry(self, ident: str) -> Entry | None:
        return self._mails.get(ident)

    def __iter__(self) -> Iterator[tuple[str, Entry]]:
        return iter(self._mails.items())

    def window(self, first: int, limit: int, *, newest: bool) -> list[str]:
        """Return the threads at these places. ``newest``: by date alone, else the unread ones first."""
        if newest:
            return [key[1] for key in self._all[first : first + limit]]
        beyond = max(0, first - len(self._unread))
        parts = chain(self._unread[first : first + limit], self._read[beyond : beyond + limit])
        return [key[1] for key in islice(parts, limit)]

    def place(self, thread: str, *, newest: bool) -> int:
        """Return the thread's place in the order, -1 if it is not in sight."""
        known = self._threads.get(thread)
        if known is None or known.key is None:
            return -1
        if newest:
            return bisect_left(self._all, known.key)
        if known.unread:
            return bisect_left(self._unread, known.key)
        return len(self._unread) + bisect_left(self._read, known.key)

    def narrowed(self, mails: Collection[str], *, newest: bool) -> list[str]:
        """Return the threads of ``mails`` in the order of the list."""
        found = {entry.thread for entry in map(self._mails.get, mails) if entry is not None}

        def standing(thread: str) -> tuple[bool, float, str]:
            known = self._threads[thread]
            if known.key is not None:
                return not (newest or known.unread), *known.key
            return not newest, -max(self._mails[each].at for each in known.mails), thread

        return sorted(found, key=standing)

    def row(self, thread: str, among: Collection[str] | None = None) -> ThreadRow | None:
        """Return the thread's row, without what the store knows. ``among``: mails that count though out of sight."""
        known = self._threads.get(thread)
        entries = [(ident, self._mails[ident]) for ident in known.mails] if known is not None else []
        entries = [(i, e) for i, e in entries if _in_sight(e) or (among is not None and i in among)]
        if not entries:
            return None
        entries.sort(key=lambda each: (each[1].at, each[0]))
        newest, last = entries[-1]
        signs = 0
        people: dict[str, None] = {}
        for _, entry in entries:
            signs |= entry.signs
            who = "" if entry.signs & Sign.OWN else entry.who
            people.pop(who, None)
            people[who] = None
        others = [ident for ident, entry in entries if not entry.signs & (Sign.OWN | Sign.SENT)]
        return ThreadRow(
            id=thread,
            newest=newest,
            mails=others or [newest],
            people=[*people][-_PEOPLE:],
            count=len(entries),
            unread=sum(bool(entry.signs & Sign.UNREAD) for _, entry in entries),
            at=last.at,
            account=last.account,
            folder=last.folder,
            flagged=bool(signs & Sign.FLAGGED),
            answered=bool(last.signs & Sign.ANSWERED),
            attached=bool(signs & Sign.ATTACHED),
            doubtful=bool(signs & Sign.DOUBTFUL),
        )

    def in_thread(self, thread: str) -> list[str]:
        """Return the ids of the thread's mails, oldest first, those out of sight included."""
        known = self._threads.get(thread)
        return sorted(known.mails, key=lambda each: (self._mails[each].at, each)) if known is not None else []


@lru_cache(maxsize=5_000)
def _name(text: str) -> str:
    """Return a name in one line, the same object for the same writer."""
    return one_line(text, 60)


def _settle(entry: Entry, state: MailState) -> None:
    """Note in ``entry`` how its mail is marked, and where it is."""
    uses = {copy.use for copy in state.copies}
    signs = Sign.UNREAD if state.unread else 0
    signs |= Sign.FLAGGED if state.has("flagged") else 0
    signs |= Sign.ANSWERED if state.has("answered") else 0
    signs |= Sign.HIDDEN if uses <= _OUT_OF_SIGHT else 0
    signs |= Sign.SENT if uses and uses <= _NOT_RECEIVED else 0
    entry.signs = (entry.signs & ~_OF_STATE) | signs
    if state.copies:
        first = next((copy for copy in state.copies if copy.use not in _OUT_OF_SIGHT), state.copies[0])
        entry.account, entry.folder = sys.intern(first.account), sys.intern(first.folder)


def _in_sight(entry: Entry) -> bool:
    return not entry.signs & Sign.HIDDEN


def _drop(keys: list[Key], key: Key) -> None:
    at = bisect_left(keys, key)
    if at < len(keys) and keys[at] == key:
        del keys[at]
