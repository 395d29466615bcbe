"""Searching at Google, in its own words (``q``). What it finds is fetched, and checked by the query itself.

Bounds: ``LONGEST`` seconds, ``MOST`` mails looked at. What was met is part of the answer.
"""

from __future__ import annotations

from typing import Any, Final

from pepper_tui.clock import Clock, in_thread
from pepper_tui.connectors.gmail.account import GmailAccount
from pepper_tui.connectors.gmail.intake.cursor import CURSORS, Cursor
from pepper_tui.connectors.gmail.intake.taking import Source, source_of
from pepper_tui.connectors.gmail.labels import LabelNames, copy_of, place_of
from pepper_tui.connectors.gmail.query import gmail_query
from pepper_tui.connectors.google_account.errors import GoneError, GoogleError, LostError
from pepper_tui.connectors.google_account.transport import Ask
from pepper_tui.domains.bounded import parse_mails
from pepper_tui.domains.mail.at_source.state import MailState
from pepper_tui.domains.mail.content.mime import Mail
from pepper_tui.domains.mail.search.matching import matches
from pepper_tui.domains.mail.search.query import MailQuery
from pepper_tui.domains.mail.search.searcher import ServerFound, ends_within
from pepper_tui.model import Json
from pepper_tui.store import Store
from pepper_tui.text import one_line

LONGEST: Final = 10.0
MOST: Final = 100
_AT_ONCE: Final = 20


class GmailSearcher:
    """The ``MailSearcher`` of an account."""

    def __init__(self, gmail: GmailAccount, clock: Clock) -> None:
        self.account = gmail.ident
        self._gmail, self._clock = gmail, clock

    async def lacks(self, query: MailQuery, store: Store) -> str:
        """See ``MailSearcher.lacks``."""
        cursor = Cursor.one(await store.get(self.account, namespace=CURSORS))
        if cursor is None or not cursor.synced:
            return "not all of it is taken in yet"
        labels = ", ".join(one_line(each, 40) for each in self._gmail.settings.labels)
        return f"only mail with one of the labels {labels} is taken in"

    async def search(self, query: MailQuery, limit: int) -> ServerFound:
        """See ``MailSearcher.search``."""
        q, remarks = gmail_query(query, self.account)
        found = ServerFound(left_out=remarks)
        if q is None:
            return found
        if not await ends_within(self._search(q, query, limit, found), self._clock, LONGEST):
            if not found.mails:
                raise LostError(f"no answer within {LONGEST:g} s", "see its account with pepper doctor")
            found.left_out.append("Google was too slow: not all of what it found was looked at")
        return found.newest(limit)

    async def _search(self, q: str, query: MailQuery, limit: int, found: ServerFound) -> None:
        names = LabelNames.of(await self._gmail.call("labels.list", urgent=True))
        answer = await self._gmail.call("messages.list", urgent=True, q=q, maxResults=MOST)
        idents = [str(each["id"]) for each in answer.get("messages", [])]
        for at in range(0, len(idents), _AT_ONCE):
            if len(found.mails) >= limit:
                return
            await self._look(idents[at : at + _AT_ONCE], query, names, found)
        if answer.get("nextPageToken") and len(found.mails) < limit:
            found.left_out.append(f"of the mails that may match only the newest {len(idents):,} were looked at")

    async def _look(self, idents: list[str], query: MailQuery, names: LabelNames, found: ServerFound) -> None:
        asks = [Ask("messages.get", {"id": ident, "format": "raw"}) for ident in idents]
        sources: list[Source] = []
        for ident, answer in zip(idents, await self._gmail.together(asks, urgent=True), strict=True):
            if isinstance(answer, GoneError):
                continue
            if isinstance(answer, GoogleError):
                found.left_out.append(f"a mail could not be had from Google: {answer.words}")
                continue
            sources.append(await in_thread(source_of, ident, answer))
        mails = await in_thread(parse_mails, [each.raw for each in sources], self._gmail.settings.max_bytes)
        for source, mail in zip(sources, mails, strict=True):
            mail.size = source.size
            copy = copy_of(self.account, source.ident, source.labels, names)
            raw = self._raw(source, mail, copy.folder)
            if matches(query, raw, MailState(raw["id"], [copy])):
                found.mails.append(raw)

    def _raw(self, source: Source, mail: Mail, folder: str) -> dict[str, Any]:
        place = place_of(self.account, source.ident)
        placing: Json = {
            "id": place, "path": place, "account": self.account, "label": folder, "files": [], "backlog": True,
            "arrived": source.arrived, "thread": mail.thread or place,
        }  # fmt: skip
        return {**mail.data(), **placing}
