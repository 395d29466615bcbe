"""The mail list of the fake engine: the real index over what a test puts in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from pepper_tui.clock import ManualClock
from pepper_tui.clock.words import TimeReader
from pepper_tui.domains.documents.file_text import FileText
from pepper_tui.domains.mail.at_source.state import Copy, MailState, Mark, Use
from pepper_tui.domains.mail.content.mime import Mail
from pepper_tui.domains.mail.listing.index import FACTS, MailIndex
from pepper_tui.domains.mail.listing.reading import begin_of, read_mail
from pepper_tui.domains.mail.listing.records import MailHead, MailPage, ThreadMail
from pepper_tui.domains.mail.search.matching import matches
from pepper_tui.domains.mail.search.query import QueryError, inward, is_asked
from pepper_tui.domains.mail.search.query_text import parse_begun
from pepper_tui.domains.mail.search.resolving import resolved
from pepper_tui.domains.mail.writing.accounts import MailAccounts
from pepper_tui.domains.mail.writing.head import head_of
from pepper_tui.model import EngineError, Json, Written

OWN = "sam@example.com"
T0 = 1_800_000_000.0


def mail(ident: str, subject: str = "Lunch", text: str = "Shall we?", **more: Any) -> Json:
    """A mail as in ``raw.mail``."""
    name, address = more.pop("name", "Alice Doe"), more.pop("address", "alice@example.com")
    at = more.pop("at", T0 - 3600)
    made = Mail(
        message_id=f"<{ident}@example.com>",
        sender={"name": name, "address": address},
        to=more.pop("to", [{"name": "Sam", "address": OWN}]),
        subject=subject,
        date=at,
        text=text,
        reply=more.pop("reply", text),
        size=len(text),
    )
    placed = {"path": "", "account": "work", "label": "INBOX", "files": [], "arrived": at, "backlog": False}
    return {**made.data(), **placed, "id": ident, "thread": more.pop("thread", f"<{ident}@example.com>"), **more}


def state(ident: str, *marks: Mark, folder: str = "INBOX", use: Use = "inbox", account: str = "work") -> MailState:
    """One copy of the mail, so marked. Without ``seen`` it is unread."""
    return MailState(ident, [Copy(f"imap:{account}/{folder}/1.{ident}", account, folder, use, [*marks])])


class NoOutbox:
    """An account that could send, and is not asked to."""

    address, name, account = OWN, "Sam", OWN

    async def send(self, recipients: Sequence[str], message: str, on_handed_over: Callable[[], None], /) -> str:
        raise AssertionError("nothing is sent here")


class FakeMail:
    """All mail that was put in, and what was asked for. It is a part of the fake engine."""

    def __init__(self) -> None:
        self.index = MailIndex([OWN])
        self.raw: dict[str, Json] = {}
        self.accounts = MailAccounts.of(NoOutbox())
        self.states: dict[str, MailState] = {}
        self.written: list[tuple[str, str, Json]] = []
        self.typed: list[str] = []
        self.asked: list[str] = []
        """The queries."""
        self.told = ""
        self._listeners: list[asyncio.Queue[int | None]] = []

    def put(self, *mails: Json) -> None:
        for raw in mails:
            self.raw[raw["id"]] = raw
            self.index.put(raw["id"], [raw.get(name) for name in FACTS])
        self._changed()

    def mark(self, *states: MailState) -> None:
        for each in states:
            self.states[each.id] = each
            self.index.put_state(each)
        self._changed()

    def _changed(self) -> None:
        for listener in self._listeners:
            listener.put_nowait(self.index.version)

    def close(self) -> None:
        for listener in self._listeners:
            listener.put_nowait(None)

    async def page(self, query: str, first: int, limit: int, newest: bool, around: str) -> MailPage:
        self.asked.append(query)
        try:
            asked = await resolved(parse_begun(query), TimeReader(ManualClock(T0), ZoneInfo("UTC"), "en"), [OWN])
        except QueryError as error:
            raise EngineError(f"{error.words}: {error.remedy}") from error
        fit = {ident for ident, raw in self.raw.items() if matches(asked, raw, self.states.get(ident))}
        found = fit if is_asked("in", inward(asked.root)) else self.index.in_sight(fit)
        threads = self.index.narrowed(found, newest=newest)
        threads = threads if query.strip() else self.index.window(0, len(threads), newest=newest)
        place = threads.index(around) if around in threads else -1
        first = max(0, min(place - limit // 2 if place >= 0 else first, len(threads) - limit))
        rows = [row for row in (self.index.row(each, found) for each in threads[first : first + limit]) if row]
        for row in rows:
            row.subject, row.begin = self.raw[row.newest]["subject"], begin_of(self.raw[row.newest]["reply"])
        unread = 0 if query.strip() else self.index.unread
        return MailPage(rows, first, len(threads), unread, self.index.known, place, self.told)

    def thread(self, ident: str) -> list[ThreadMail]:
        entry = self.index.entry(ident)
        ids = self.index.in_thread(entry.thread if entry is not None else ident)
        if not ids:
            raise EngineError("this mail is no longer kept")
        return [read_mail(self.raw[each], self.states.get(each), [OWN]) for each in ids]

    def head(self, kind: str, ident: str) -> MailHead:
        if ident and ident not in self.raw:
            raise EngineError("this mail is no longer kept")
        return head_of(self.accounts, kind, self.raw.get(ident))

    def file(self, ident: str, number: int) -> tuple[str, bytes]:
        files = self.raw.get(ident, {}).get("attachments", [])
        if not 0 <= number < len(files):
            raise EngineError("this mail has no such attachment")
        return files[number]["name"], f"bytes of {number}".encode()

    def read_file(self, ident: str, number: int) -> FileText:
        _, data = self.file(ident, number)
        return FileText(f"{data.decode()}\n\x1b]0;x\x07[@click=app.quit]text[/]", ["only pages 1 to 40 of 900"])

    async def changes(self) -> AsyncIterator[int]:
        heard: asyncio.Queue[int | None] = asyncio.Queue()
        self._listeners.append(heard)
        try:
            yield self.index.version
            while (version := await heard.get()) is not None:
                yield version
        finally:
            self._listeners.remove(heard)

    def write(self, kind: str, ident: str, fields: Mapping[str, Written]) -> str:
        self.written.append((kind, ident, {name: said.text for name, said in fields.items()}))
        self.typed += [piece for said in fields.values() for piece in said.typed()]
        return f"call_{len(self.written)}"
