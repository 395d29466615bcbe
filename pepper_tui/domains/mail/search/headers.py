"""What searches need of each mail in the store, in memory: read once, then kept up with what was stored since.

Of 50,000 mails it takes 18 MB: values that many mails share are kept once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Generic, NamedTuple, TypeVar

from pepper_tui.clock import in_thread
from pepper_tui.domains.mail.at_source.state import STATES
from pepper_tui.domains.mail.intake.raw_mail import RAW
from pepper_tui.domains.mail.search.matching import date_of
from pepper_tui.model import ContextFilter
from pepper_tui.store import Store
from pepper_tui.store.filter import Values

T = TypeVar("T")
AT_ONCE: Final = 1_000
"""Mails that are read at once: as the store gives them, they take fifty times the room."""
Person = tuple[str, str]
"""Name and address."""
Place = tuple[str, str, str]
"""Account, folder, and the folder's use."""


class Header(NamedTuple):
    """One mail's. ``doubted``: its sender may not be who it seems."""

    date: float
    sender: Person
    doubted: bool
    to: tuple[Person, ...]
    cc: tuple[Person, ...]
    subject: str
    attached: bool
    label: str
    account: str


class Copies(NamedTuple):
    """Where a mail's copies are, and the marks that any of them has."""

    places: tuple[Place, ...]
    marks: frozenset[str]


class Known(NamedTuple):
    """All mails by id; of some it is unknown where they are now. Both are read-only."""

    headers: Mapping[str, Header]
    copies: Mapping[str, Copies]


class Headers:
    def __init__(self, store: Store) -> None:
        self._headers = _Table(store, RAW, _header, _HEADER)
        self._copies = _Table(store, STATES, _copies, ("copies",))
        self._one = asyncio.Lock()

    async def read(self) -> Known:
        async with self._one:
            return Known(await self._headers.read(), await self._copies.read())


class _Table(Generic[T]):
    """A row for each context of a namespace, made of the values under some keys."""

    def __init__(
        self, store: Store, namespace: str, make: Callable[[list[Any], Callable[[Any], Any]], T], keys: tuple[str, ...]
    ) -> None:
        self._store, self._namespace, self._make, self._keys = store, namespace, make, keys
        self._rows: dict[str, T] = {}
        self._shared: dict[Any, Any] = {}
        self._last = 0

    async def read(self) -> dict[str, T]:
        every = ContextFilter(namespaces=[self._namespace], limit=None)
        page = replace(every, newest_first=False, limit=AT_ONCE)
        made: dict[str, T] = {}
        last = self._last
        while new := await self._store.values(replace(page, after_seq=last), *self._keys):
            made |= await in_thread(self._rows_of, new)
            last = new[-1].seq
        if made:
            rows = self._rows
            self._rows, self._last = await in_thread(lambda: {**rows, **made}) if rows else made, last
        if len(self._rows) != await self._store.count(every):  # some were removed, or have expired
            there = {each.context_id for each in await self._store.values(every)}
            self._rows = {ident: row for ident, row in self._rows.items() if ident in there}
        return self._rows

    def _rows_of(self, new: Sequence[Values]) -> dict[str, T]:
        return {each.context_id: self._make(each.values, self._once) for each in new}

    def _once(self, value: Any) -> Any:
        return self._shared.setdefault(value, value)


_HEADER: Final = ("date", "arrived", "sender", "doubts", "to", "cc", "subject", "attachments", "label", "account")


def _header(values: list[Any], once: Callable[[Any], Any]) -> Header:
    date, arrived, sender, doubts, to, cc, subject, attachments, label, account = values
    return Header(
        date_of(date, arrived),
        once(_person(sender)),
        bool(doubts),
        once(tuple(map(_person, to or ()))),
        once(tuple(map(_person, cc or ()))),
        str(subject or ""),
        bool(attachments),
        once(str(label or "")),
        once(str(account or "")),
    )


def _copies(values: list[Any], once: Callable[[Any], Any]) -> Copies:
    copies: list[Any] = values[0] or []
    places = tuple((str(each["account"]), str(each["folder"]), str(each.get("use", ""))) for each in copies)
    marks = frozenset(str(mark) for each in copies for mark in each.get("marks", ()))
    found: Copies = once(Copies(places, marks))
    return found


def _person(said: Any) -> Person:
    return (str(said.get("name") or ""), str(said.get("address") or "")) if isinstance(said, dict) else ("", "")
