"""A search of the mail that was taken in, and of the servers, where that is not all or the user wants it.

Each server is asked by itself, beside the others, for ``LONGEST`` seconds at most: one that is dead costs only its own
mails. The answer says who was asked, who could not be, and what was left out.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, Protocol

from pepper_tui.clock import done_before
from pepper_tui.domains.mail.search.matching import when
from pepper_tui.domains.mail.search.query import MailQuery, Not, Term
from pepper_tui.domains.mail.search.searcher import MailSearcher, ServerFound
from pepper_tui.model import Json
from pepper_tui.store import Store
from pepper_tui.text import one_line
from pepper_tui.text.errors import PepperError

LONGEST: Final = 12.0
"""Seconds after which a server that keeps to no bound of its own is given up."""
KEPT: Final = 100
"""Mails from servers that can be read afterwards."""


class Mails(list[Json]):
    """The result of a search. ``notes`` say where it looked, and what it left out; ``total``: how many match."""

    def __init__(self, mails: Sequence[Json] = (), notes: Sequence[str] = (), total: int = 0) -> None:
        super().__init__(mails)
        self.notes, self.total = list(notes), total


class TakenIn(Protocol):
    """The mail that was taken in."""

    async def search(self, query: MailQuery, limit: int, /) -> Mails: ...

    async def read(self, mail: str, /) -> Json | None: ...


class Everywhere:
    """Searches what was taken in and the servers. Mails that are only at a server can be read for a while."""

    def __init__(self, taken_in: TakenIn, searchers: Sequence[MailSearcher], store: Store) -> None:
        self._taken_in, self._searchers, self._store = taken_in, searchers, store
        self._seen: OrderedDict[str, Json] = OrderedDict()

    async def search(self, query: MailQuery, limit: int, *, server: bool = False) -> Mails:
        """Return at most ``limit`` mails that match. ``server``: ask the servers in any case."""
        found = await self._taken_in.search(query, limit)
        able = [each for each in self._searchers if may_be_of(query, each.account)]
        if server and not able:
            some = "no account that is meant has a server that can be searched"
            found.notes.append(some if self._searchers else "there is no account whose server can be searched")
        asked = [each for each in able if server or (found.total < limit and await each.lacks(query, self._store))]
        answers = await asyncio.gather(*(self._ask(each, query, limit) for each in asked))
        for searcher, answer in zip(asked, answers, strict=True):
            await self._add(found, searcher, answer)
        if answers:
            found[:] = [*sorted(_exact(found), key=when, reverse=True), *_near(found)][:limit]
        for each in able:
            if each not in asked and found.total >= limit and (lacking := await each.lacks(query, self._store)):
                found.notes.append(f"{each.account}: {lacking}; its server was not asked, as there is enough")
        return found

    def seen(self, mail: str) -> Json | None:
        """Return a mail that a server has found."""
        return self._seen.get(mail) or self._seen.get(f"<{mail}>")

    async def _ask(self, searcher: MailSearcher, query: MailQuery, limit: int) -> ServerFound | str:
        """Return what was found, or why nothing was."""
        work = asyncio.ensure_future(searcher.search(query, limit))
        try:
            if not await done_before(work, self._store.clock.sleep(LONGEST)):
                return f"no answer within {LONGEST:g} s"
            return work.result()
        except PepperError as error:
            return one_line(str(error), 200)
        finally:
            work.cancel()

    async def _add(self, found: Mails, searcher: MailSearcher, answer: ServerFound | str) -> None:
        name = one_line(searcher.account, 40)
        if isinstance(answer, str):
            found.notes.append(f"the server of {name} could not be asked: {answer}")
            return
        fresh = 0
        have = {each["id"] for each in _exact(found)}
        for mail in answer.mails:
            known = await self._taken_in.read(mail["message_id"]) if mail["message_id"] else None
            if known is None:
                fresh += 1
                self._keep(mail)
            if (known or mail)["id"] not in have:
                have.add((known or mail)["id"])
                found.append({**(known or mail), "found": "server"})
                found.total += 1
        also = f", {fresh} of them not taken in" if fresh else ""
        found.notes.append(f"asked the server of {name}: {len(answer.mails)} found there{also}")
        found.notes += [f"{name}: {each}" for each in answer.left_out]

    def _keep(self, mail: Json) -> None:
        self._seen[mail["message_id"] or mail["id"]] = mail
        while len(self._seen) > KEPT:
            self._seen.popitem(last=False)


def may_be_of(query: MailQuery, account: str) -> bool:
    """Check whether the query's ``account:`` allows an account."""
    for each in query.required:
        term, negative = (each.of, True) if isinstance(each, Not) else (each, False)
        if (
            isinstance(term, Term)
            and term.key == "account"
            and (term.value.casefold() == account.casefold()) is negative
        ):
            return False
    return True


def _exact(found: Mails) -> list[Json]:
    return [each for each in found if each.get("found") not in ("some", "meaning")]


def _near(found: Mails) -> list[Json]:
    return [each for each in found if each.get("found") in ("some", "meaning")]
