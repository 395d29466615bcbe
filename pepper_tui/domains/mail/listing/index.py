"""The threads of all mail in memory, in the order of the list: a few facts of each mail, so that 50,000 cost little.

The list is the inbox: a thread leaves it with its last mail that is neither archived nor thrown away, and comes back
with an answer. What the user's key is doing this moment counts as done (``set_filing``). What the rows say besides
(subject, first words) is read from the store for the rows that are shown.
"""

from __future__ import annotations

import sys
from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from typing import Any, Final

from pepper_tui.domains.mail.at_source.filing import Filing
from pepper_tui.domains.mail.at_source.state import MailState
from pepper_tui.domains.mail.listing.records import ThreadRow
from pepper_tui.domains.mail.listing.signs import NOT_RECEIVED, OF_STATE, OUT_OF_SIGHT, PUT_AWAY, Sign, UnderWay
from pepper_tui.text import one_line

FACTS: Final = ("thread", "date", "arrived", "sender", "attachments", "label", "account", "doubts")
"""The fields of a mail in ``raw.mail`` that the index is made of."""
_PEOPLE: Final = 8


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
    """The mails of a thread; ``key`` (if it is in the list) and ``unread`` are of those in sight."""

    mails: tuple[str, ...] = ()
    key: Key | None = None
    unread: bool = False


class MailIndex:
    """Mails by id, grouped and ordered. ``own``: the user's addresses, in lower case."""

    def __init__(self, own: Collection[str] = ()) -> None:
        self._own = frozenset(own)
        self._mails: dict[str, Entry] = {}
        self._states: dict[str, MailState] = {}  # of mails that are not known yet
        self._threads: dict[str, _Thread] = {}
        self._under_way = UnderWay()
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
        signs |= (before.signs & OF_STATE) if before is not None else 0
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
        if before is None or before.thread != entry.thread:
            known.mails = (*known.mails, ident)
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

    def set_filing(self, call: str, mails: Sequence[str], filing: Filing | None) -> None:
        """Count ``filing`` of these mails as done; ``None``: the call has ended, and their states tell."""
        if self._under_way.set(call, mails, filing):
            for thread in dict.fromkeys(self._mails[each].thread for each in mails if each in self._mails):
                self._place(thread)

    def signs(self, ident: str) -> int:
        """Return what is known of a mail that is there, with what is being done to it."""
        return self._under_way.changed(ident, self._mails[ident].signs)

    def _part(self, ident: str, thread: str) -> None:
        known = self._threads[thread]
        known.mails = tuple(each for each in known.mails if each != ident)
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
        seen = [(ident, signs) for ident in known.mails if not (signs := self.signs(ident)) & Sign.HIDDEN]
        listed = any(not signs & Sign.AWAY for _, signs in seen)
        known.key = (-max(self._mails[ident].at for ident, _ in seen), thread) if listed else None
        known.unread = any(signs & Sign.UNREAD for _, signs in seen)
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

    def in_sight(self, mails: Iterable[str]) -> set[str]:
        """Return those of ``mails`` that are not thrown away."""
        return {ident for ident in mails if ident in self._mails and not self.signs(ident) & Sign.HIDDEN}

    def window(self, first: int, limit: int, *, newest: bool) -> list[str]:
        """Return the threads at these places. ``newest``: by date alone, else the unread ones first."""
        if newest:
            return [key[1] for key in self._all[first : first + limit]]
        beyond = max(0, first - len(self._unread))
        parts = chain(self._unread[first : first + limit], self._read[beyond : beyond + limit])
        return [key[1] for key in islice(parts, limit)]

    def place(self, thread: str, *, newest: bool) -> int:
        """Return the thread's place in the order, -1 if it is not in the list."""
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
        ids = [*known.mails] if known is not None else []
        each_has = {ident: self.signs(ident) for ident in ids}
        ids = [i for i in ids if not each_has[i] & Sign.HIDDEN or (among is not None and i in among)]
        if not ids:
            return None
        ids.sort(key=lambda ident: (self._mails[ident].at, ident))
        newest, last = ids[-1], self._mails[ids[-1]]
        signs = 0
        people: dict[str, None] = {}
        for ident in ids:
            signs |= each_has[ident]
            who = "" if each_has[ident] & Sign.OWN else self._mails[ident].who
            people.pop(who, None)
            people[who] = None
        others = [ident for ident in ids if not each_has[ident] & (Sign.OWN | Sign.SENT)]
        return ThreadRow(
            id=thread,
            newest=newest,
            mails=others or [newest],
            people=[*people][-_PEOPLE:],
            count=len(ids),
            unread=sum(bool(each_has[ident] & Sign.UNREAD) for ident in ids),
            at=last.at,
            account=last.account,
            folder=last.folder,
            flagged=bool(signs & Sign.FLAGGED),
            answered=bool(each_has[newest] & Sign.ANSWERED),
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
    signs |= Sign.HIDDEN if uses <= OUT_OF_SIGHT else 0
    signs |= Sign.SENT if uses and uses <= NOT_RECEIVED else 0
    signs |= Sign.AWAY if uses <= PUT_AWAY else 0
    entry.signs = (entry.signs & ~OF_STATE) | signs
    if state.copies:
        first = next((copy for copy in state.copies if copy.use not in OUT_OF_SIGHT), state.copies[0])
        entry.account, entry.folder = sys.intern(first.account), sys.intern(first.folder)


def _drop(keys: list[Key], key: Key) -> None:
    at = bisect_left(keys, key)
    if at < len(keys) and keys[at] == key:
        del keys[at]
