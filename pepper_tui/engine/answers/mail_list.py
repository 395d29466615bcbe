"""The mail list of a running engine: read from the store when it is first asked for, and kept in step with it.

Until somebody asks, it costs nothing. It is rebuilt from the store at each start, so nothing of it can be stale. What
the user's key files is shown as filed from the key on, whatever the account takes; if it was not done, it is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

from pepper_tui.clock.words import TimeReader
from pepper_tui.domains.documents.file_text import FileText
from pepper_tui.domains.mail.at_source.filing import ACTS, Filing
from pepper_tui.domains.mail.at_source.own_filing import BY_KEY
from pepper_tui.domains.mail.at_source.state import STATES, MailState, states_of
from pepper_tui.domains.mail.intake.raw_mail import RAW
from pepper_tui.domains.mail.listing.index import FACTS, MailIndex
from pepper_tui.domains.mail.listing.reading import SHOWN, begin_of, read_mail
from pepper_tui.domains.mail.listing.records import MailHead, MailPage, ThreadMail, ThreadRow
from pepper_tui.domains.mail.search.everywhere import may_be_of
from pepper_tui.domains.mail.search.local import LocalSearch
from pepper_tui.domains.mail.search.query import MailQuery, QueryError, inward, is_asked
from pepper_tui.domains.mail.search.query_text import parse_begun
from pepper_tui.domains.mail.search.resolving import resolved
from pepper_tui.domains.mail.search.searcher import MailSearcher
from pepper_tui.domains.mail.writing.accounts import MailAccounts
from pepper_tui.domains.mail.writing.head import head_of
from pepper_tui.domains.mail.writing.originals import Original, one_file, one_text
from pepper_tui.model import (
    OPEN_TAG,
    CallState,
    Context,
    ContextFilter,
    ContextUpdate,
    EngineError,
    Namespace,
    ToolCall,
)
from pepper_tui.store import ContextStore
from pepper_tui.store.filter import Values
from pepper_tui.text import one_line
from pepper_tui.tools import ToolError
from pepper_tui.tools.approvals.windows import APPROVED

T = TypeVar("T")
log = logging.getLogger(__name__)

AT_ONCE: Final = 500
"""Mails that are taken in before the event loop gets a turn."""
READ_AT_ONCE: Final = 2_000
MOST: Final = 500
"""Rows of one window, and mails of a thread that are read, at most."""
MORE: Final = "folders (or labels) of the account takes in more; a search in the conversation asks the server"
MINUTE: Final = 60.0
"""Seconds for which a filter's words of time mean the same."""


class MailList:
    """The list. ``own``: the user's addresses, in lower case.

    ``accounts``: from which mail is written; ``originals``: where the bytes of mails lie; ``searchers``: the accounts
    at servers, which may hold more than is taken in.
    """

    def __init__(
        self,
        store: ContextStore,
        own: Collection[str],
        local: LocalSearch,
        times: TimeReader,
        accounts: MailAccounts,
        originals: Sequence[Original] = (),
        searchers: Sequence[MailSearcher] = (),
    ) -> None:
        self._store, self._own = store, frozenset(own)
        self._local, self._times, self._originals = local, times, originals
        self._accounts, self._searchers = accounts, searchers
        self._index = MailIndex(self._own)
        self._following: asyncio.Task[None] | None = None
        self._begun = asyncio.Event()
        self._listeners: set[asyncio.Event] = set()
        self._closed = False
        self._found: tuple[tuple[str, bool, int, float], list[str], Collection[str], str] | None = None

    async def stop(self) -> None:
        """Stop following the store, and end what listens."""
        self._closed = True
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        self._tell()

    # ------------------------------------------------------------------------------------------------ what is asked

    async def page(self, query: str, first: int, limit: int, newest: bool, around: str) -> MailPage:
        """See ``View.mails``."""
        await self._ready()
        index, limit = self._index, max(1, min(limit, MOST))
        if query.strip():
            threads, among, told = await self._narrowed(query, newest)
            place = threads.index(around) if around in threads else -1
            first = self._window(first, limit, place, len(threads))
            shown, total, unread = threads[first : first + limit], len(threads), 0
        else:
            place, total, among, told = index.place(around, newest=newest), index.total, None, ""
            first = self._window(first, limit, place, total)
            shown, unread = index.window(first, limit, newest=newest), index.unread
        rows = [row for row in (index.row(thread, among) for thread in shown) if row is not None]
        await self._say(rows)
        return MailPage(rows, first, total, unread, index.known, place, told)

    @staticmethod
    def _window(first: int, limit: int, place: int, total: int) -> int:
        """Return where the window begins: around ``place``, if there is one."""
        wanted = place - limit // 2 if place >= 0 else first
        return max(0, min(wanted, total - limit))

    async def _narrowed(self, query: str, newest: bool) -> tuple[list[str], Collection[str], str]:
        key = (query, newest, self._index.version, self._store.clock.now() // MINUTE)
        if self._found is None or self._found[0] != key:
            try:
                asked = await resolved(parse_begun(query), self._times, self._own)
            except QueryError as error:
                raise EngineError(f"{error.words}: {error.remedy}" if error.remedy else error.words) from error
            found, left_out = await self._local.ids(asked)
            placed = is_asked("in", inward(asked.root))
            among: Collection[str] = found if placed else self._index.in_sight(found)
            threads = self._index.narrowed(among, newest=newest)
            told = [*(await self._not_taken_in(asked) if placed else ()), *left_out]
            self._found = (key, threads, among, "; ".join(told))
        return self._found[1:]

    async def _not_taken_in(self, asked: MailQuery) -> list[str]:
        """Return which accounts have mail in the folders that ``asked`` names, but don't take it in; and what to do."""
        meant = [each for each in self._searchers if may_be_of(asked, each.account)]
        lacking = [(each.account, await each.lacks(asked, self._store)) for each in meant]
        found = [f"{one_line(account, 40)}: {words}" for account, words in lacking if words]
        return [*found, MORE] if found else []

    async def _say(self, rows: Sequence[ThreadRow]) -> None:
        """Add what only the store knows of the rows."""
        wanted = ContextFilter(namespaces=[RAW], context_ids=[row.newest for row in rows], limit=None)
        said = {known.context_id: known.values for known in await self._store.values(wanted, *SHOWN)} if rows else {}
        for row in rows:
            if (values := said.get(row.newest)) is not None:
                row.subject, row.begin = str(values[0] or ""), begin_of(values[1])

    async def thread(self, mail: str) -> list[ThreadMail]:
        """See ``View.mail_thread``."""
        await self._ready()
        entry = self._index.entry(mail)
        ids = self._index.in_thread(entry.thread if entry is not None else mail)[-MOST:]
        if not ids:
            raise EngineError("this mail is no longer kept")
        found = await self._store.query(ContextFilter(namespaces=[RAW], context_ids=ids, limit=None))
        states = await states_of(self._store, ids)
        raws = {context.context_id: context.data for context in found}
        return [read_mail(raws[ident], states.get(ident), self._own) for ident in ids if ident in raws]

    async def head(self, kind: str, mail: str) -> MailHead:
        """See ``MailView.mail_head``."""
        context = await self._store.get(mail, namespace=RAW) if mail else None
        if mail and context is None:
            raise EngineError("this mail is no longer kept")
        return head_of(self._accounts, kind, context.data if context is not None else None)

    async def attachment(self, mail: str, number: int) -> tuple[str, bytes]:
        """See ``MailView.attachment``."""
        return await self._attached(mail, number, one_file)

    async def attachment_text(self, mail: str, number: int, first: int) -> FileText:
        """See ``MailView.attachment_text``."""
        _, reading = await self._attached(mail, number, partial(one_text, first=first))
        return reading

    async def _attached(self, mail: str, number: int, read: Callable[..., Awaitable[tuple[str, T]]]) -> tuple[str, T]:
        context = await self._store.get(mail, namespace=RAW)
        if context is None:
            raise EngineError("this mail is no longer kept")
        if not 0 <= number < len(context.data.get("attachments") or ()):
            raise EngineError("this mail has no such attachment")
        try:
            return await read(context.data, number, self._originals)
        except ToolError as error:
            raise EngineError(str(error)) from error

    async def changes(self) -> AsyncIterator[int]:
        """See ``View.mail_changes``."""
        changed = asyncio.Event()
        self._listeners.add(changed)
        try:
            await self._ready()
            while not self._closed:
                yield self._index.version
                await changed.wait()
                changed.clear()
        finally:
            self._listeners.discard(changed)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener.set()

    # ------------------------------------------------------------------------------------------------ in step

    async def _ready(self) -> None:
        """Return once something of the list can be shown."""
        if self._closed:
            return
        if self._following is None or self._following.done():
            self._begun.clear()
            self._following = asyncio.create_task(self._follow(), name="mail list")
        begun = asyncio.ensure_future(self._begun.wait())
        try:
            await asyncio.wait({begun, self._following}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            begun.cancel()
        if self._following.done() and not self._following.cancelled():
            self._following.result()  # why it could not be read

    async def _follow(self) -> None:
        async with self._store.watch([RAW, STATES, Namespace.TOOL_CALL]) as live:
            await self._read_all()
            missed = 0
            async for batch in live:
                if live.missed > missed:
                    missed = live.missed
                    await self._read_all()
                else:
                    self._take(batch)
                self._tell()

    def _take(self, batch: Sequence[ContextUpdate]) -> None:
        for update in batch:
            context = update.context
            with _readable(context.context_id):
                if context.namespace == Namespace.TOOL_CALL:
                    _take_call(self._index, context)
                elif context.namespace == STATES:
                    self._index.put_state(MailState(context.context_id) if update.deleted else MailState.of(context))
                elif update.deleted or context.expires_at is not None:
                    self._index.remove(context.context_id)
                else:
                    self._index.put(context.context_id, [context.data.get(name) for name in FACTS])

    async def _read_all(self) -> None:
        """Read the whole list anew. What was there before is shown meanwhile."""
        fresh = MailIndex(self._own)
        fresh.begin()
        async for mail in self._pages(RAW, FACTS):
            with _readable(mail.context_id):
                fresh.put(mail.context_id, mail.values)
        async for state in self._pages(STATES, ["copies"]):
            with _readable(state.context_id):
                fresh.put_state(MailState.of({"id": state.context_id, "copies": state.values[0] or []}))
        for _ in fresh.placed(AT_ONCE):
            await asyncio.sleep(0)
        under_way = ContextFilter(namespaces=[Namespace.TOOL_CALL], tags=[OPEN_TAG], limit=None, newest_first=False)
        for call in await self._store.query(under_way):
            with _readable(call.context_id):
                _take_call(fresh, call)
        fresh.version += self._index.version
        self._index = fresh
        self._begun.set()

    async def _pages(self, namespace: str, keys: Sequence[str]) -> AsyncIterator[Values]:
        page = ContextFilter(namespaces=[namespace], newest_first=False, limit=READ_AT_ONCE)
        while found := await self._store.values(page, *keys):
            page = replace(page, after_seq=found[-1].seq)
            for at, one in enumerate(found, 1):
                yield one
                if at % AT_ONCE == 0:
                    await asyncio.sleep(0)


def _take_call(index: MailIndex, context: Context) -> None:
    """Note what a call of the user's key is doing to mails, or that it has ended."""
    call = ToolCall.one(context)
    if call is None or call.origin != BY_KEY:
        return
    waits = call.state is CallState.WAITING_APPROVAL and call.progress == APPROVED
    filing = None
    if waits or call.state is CallState.ATTEMPTED:
        act = next(each for each in ACTS if each == call.arguments["act"])
        filing = Filing(act, str(call.arguments["folder"]))
    index.set_filing(call.id, call.arguments["mails"], filing)


@contextlib.contextmanager
def _readable(ident: str) -> Any:
    """Skip a record of a form that is not known here."""
    try:
        yield
    except (TypeError, ValueError, KeyError, AttributeError):
        log.warning("%s can't be listed", ident, exc_info=True)
