"""All mails of the store that match a query, exactly: each term gives a set of ids, by an index where there is one.

Words come from the index of words, all else from what ``headers`` keeps in memory.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Final

from pepper_tui.clock import in_thread
from pepper_tui.domains.mail.intake.raw_mail import RAW
from pepper_tui.domains.mail.search.headers import Copies, Header, Headers, Known, Person, Place
from pepper_tui.domains.mail.search.matching import (
    ANYWHERE,
    USES,
    has_words,
    in_time,
    is_folder,
    is_person,
)
from pepper_tui.domains.mail.search.query import All, Key, MailQuery, Node, Not, Some, Term, all_of, inward
from pepper_tui.model import Context, ContextFilter
from pepper_tui.store import SearchHit, Store
from pepper_tui.text import one_line

HITS: Final = 500
"""Best hits by words and meaning that decide the order at most."""
_NAMED: Final = 20
_ALL: Final = ContextFilter(namespaces=[RAW], limit=None)
_COST: Final[Mapping[Key, int]] = {
    "text": 0, "from": 1, "to": 1, "cc": 1, "before": 1, "after": 1, "on": 1, "until": 1, "has": 1, "subject": 2,
    "in": 3, "account": 3, "is": 4,
}  # fmt: skip

Ids = Set[str]


@dataclass(slots=True)
class Found:
    """The mails that match, best or newest first, as far as wanted; ``total`` of them there are.

    ``near`` do not match, but have some of the words or mean the same. ``left_out``: what could not be looked at.
    """

    mails: list[Context] = field(default_factory=list)
    near: list[tuple[Context, str]] = field(default_factory=list)
    total: int = 0
    left_out: list[str] = field(default_factory=list)


class LocalSearch:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._known = Headers(store)

    async def ids(self, query: MailQuery) -> tuple[Ids, list[str]]:
        """Return all mails that match, and what could not be looked at; the query is resolved."""
        look = _Look(self._store, await self._known.read())
        return await look.holding(inward(query.root), None), look.left_out()

    async def find(self, query: MailQuery, limit: int) -> Found:
        """Return at most ``limit`` mails that match; the query is resolved."""
        look = _Look(self._store, await self._known.read())
        ids = await look.holding(inward(query.root), None)
        hits = await self._hits(query, limit)
        ranked = [hit.context.context_id for hit in hits if hit.context.context_id in ids][:limit]
        rest = await look.newest(ids - set(ranked), limit - len(ranked)) if len(ranked) < limit else []
        near = await self._near(query, look, hits, ids) if len(ids) < limit else []
        mails = await self._read([*ranked, *rest])
        return Found(mails, near[: limit - len(mails)], len(ids), look.left_out())

    async def _hits(self, query: MailQuery, limit: int) -> list[SearchHit]:
        wanted = " ".join(_words(query.required))
        if not wanted:
            return []
        return await self._store.search(wanted, ContextFilter(namespaces=[RAW]), limit=min(HITS, limit * 5 + 20))

    async def _near(
        self, query: MailQuery, look: _Look, hits: Sequence[SearchHit], ids: Ids
    ) -> list[tuple[Context, str]]:
        """Return those of ``hits`` that only the words keep from matching."""
        loose = [each for each in query.required if isinstance(each, Term) and each.key == "text" and not each.quoted]
        others = [each for each in query.required if each not in loose]
        if not loose or _words(others):
            return []
        left = {hit.context.context_id for hit in hits} - ids
        fit = await look.holding(inward(all_of(others)), left) if left else set()
        return [
            (hit.context, "some" if hit.found == "text" else "meaning") for hit in hits if hit.context.context_id in fit
        ]

    async def _read(self, ids: Sequence[str]) -> list[Context]:
        wanted = ContextFilter(namespaces=[RAW], context_ids=ids, limit=None)
        found = {each.context_id: each for each in await self._store.query(wanted)} if ids else {}
        return [found[ident] for ident in ids if ident in found]


class _Look:
    """One search: which mails a part of the query holds for."""

    def __init__(self, store: Store, known: Known) -> None:
        self._store = store
        self._headers, self._copies = known
        self._every = self._headers.keys()
        self._unmarked: set[str] = set()
        self._nowhere: dict[str, None] = {}

    def left_out(self) -> list[str]:
        count = len(self._unmarked)
        unmarked = f"of {count:,} more mail{'s' if count != 1 else ''} it is not known how they are marked"
        return [*self._nowhere, *([unmarked] if count else [])]

    async def newest(self, ids: Ids, count: int) -> list[str]:
        return await in_thread(heapq.nlargest, count, ids, lambda ident: (self._headers[ident].date, ident))

    async def holding(self, node: Node, among: Ids | None) -> Ids:
        """Return the ids of the mails, of all or ``among`` these, for which ``node`` holds. It is ``inward``."""
        among = self._every if among is None else among
        match node:
            case Term():
                return await self._of_term(node, among)
            case Not(Term() as term):
                found = await self._of_term(term, among)
                return among - found - self._unmarked if term.key == "is" else among - found
            case All(of):
                for each in sorted(of, key=_cost):
                    among = await self.holding(each, among)
                return among
            case Some(of):
                either: set[str] = set()
                for each in of:
                    either |= await self.holding(each, among)
                return either
        raise ValueError("a negated group")

    async def _of_term(self, term: Term, among: Ids) -> Ids:
        match term.key:
            case "text":
                return among & await self._store.having(term.value, _ALL, begun=term.begun)
            case "subject":  # which saves a look at most
                among = among & await self._store.having(term.value, _ALL, begun=term.begun)
            case "is":
                return await self._marked(term.value, among)
            case "in" | "account":
                return await self._placed(term, among)
        test = _header_test(term)
        return await in_thread(lambda: {ident for ident in among if test(self._headers[ident])})

    async def _marked(self, wanted: str, among: Ids) -> Ids:
        known = await in_thread(lambda: among & self._copies.keys())
        self._unmarked |= among - known
        return await in_thread(lambda: {ident for ident in known if _is_marked(wanted, self._copies[ident])})

    async def _placed(self, term: Term, among: Ids) -> Ids:
        """Return the mails with a copy in that folder or account; where no copy is known, where it was first seen."""
        if term.key == "in" and term.value.casefold() in ANYWHERE:
            return among
        is_it, of = _place_test(term), 1 if term.key == "in" else 0
        places: set[str] = set()

        def found_in(among: Ids) -> set[str]:
            found: set[str] = set()
            for ident in among:
                if (copies := self._copies.get(ident)) is None:
                    header = self._headers[ident]
                    lies: tuple[Place, ...] = ((header.account, header.label, ""),)
                else:
                    lies = copies.places
                places.update(place[of] for place in lies)
                if any(map(is_it, lies)):
                    found.add(ident)
            return found

        found = await in_thread(found_in, among)
        if not found and not await in_thread(found_in, self._every):
            what = "folder" if term.key == "in" else "account"
            there = ", ".join(sorted(one_line(each, 40) for each in places if each)[:_NAMED]) or "none"
            self._nowhere[f"no mail was seen in {what} {one_line(term.value, 40)!r}, but in: {there}"] = None
        return found


def _header_test(term: Term) -> Callable[[Header], bool]:
    """Return the test of one mail. Each person is looked at once."""
    known: dict[Person, bool] = {}

    def is_one(person: Person) -> bool:
        if person not in known:
            known[person] = is_person(term.value, *person)
        return known[person]

    match term.key:
        case "from":
            return lambda header: is_one(("", header.sender[1]) if header.doubted else header.sender)
        case "to":
            return lambda header: any(map(is_one, header.to))
        case "cc":
            return lambda header: any(map(is_one, header.cc))
        case "subject":
            return lambda header: has_words(term.value, header.subject, begun=term.begun)
        case "has":
            return lambda header: header.attached
    return lambda header: in_time(term, header.date)


def _place_test(term: Term) -> Callable[[Place], bool]:
    """Return the test of a place. Each is looked at once."""
    known: dict[Place, bool] = {}
    wanted = term.value.casefold()
    use = USES.get(wanted, "")

    def is_it(place: Place) -> bool:
        if place not in known:
            account, folder, of = place
            in_folder = bool(use and of == use) or is_folder(term.value, folder)
            known[place] = in_folder if term.key == "in" else account.casefold() == wanted
        return known[place]

    return is_it


def _is_marked(wanted: str, copies: Copies) -> bool:
    if wanted == "unread":
        return bool(copies.places) and "seen" not in copies.marks
    return ("seen" if wanted == "read" else wanted) in copies.marks


def _cost(node: Node) -> int:
    match node:
        case Term(key=key):
            return _COST[key]
        case Not(of):
            return _cost(of)
        case All(of) | Some(of):
            return max(map(_cost, of), default=0)


def _words(nodes: Iterable[Node]) -> list[str]:
    """Return the words that are looked for, without those that are excluded."""
    found: list[str] = []
    for node in nodes:
        match node:
            case Term(key="text", value=value):
                found.append(value)
            case All(of) | Some(of):
                found += _words(of)
    return found
