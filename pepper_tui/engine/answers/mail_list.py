"""The mail list of a running engine: read from the store when it is first asked for, and kept in step with it.

Until somebody asks, it costs nothing. It is rebuilt from the store at each start, so nothing of it can be stale.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from typing import Any, Final

from pepper_tui.domains.mail.intake import RAW
from pepper_tui.domains.mail.listing.index import FACTS, MailIndex
from pepper_tui.domains.mail.listing.reading import SHOWN, begin_of, read_mail
from pepper_tui.domains.mail.listing.records import MailPage, ThreadMail, ThreadRow
from pepper_tui.domains.mail.listing.wanted import Wanted, wanted
from pepper_tui.domains.mail.state import STATES, MailState, states_of
from pepper_tui.model import ContextFilter, ContextUpdate, EngineError, Json
from pepper_tui.store import ContextStore

log = logging.getLogger(__name__)

AT_ONCE: Final = 500
"""Mails that are taken in before the event loop gets a turn."""
READ_AT_ONCE: Final = 2_000
MOST: Final = 500
"""Rows of one window, and mails of a thread that are read, at most."""
HITS: Final = 1_000
"""Mails that a search by words finds at most."""

Fetch = Callable[[Json, int], Awaitable[tuple[str, bytes]]]
"""Returns name and bytes of an attachment of a mail in ``raw.mail``."""


class MailList:
    """The list. ``own``: the user's addresses, in lower case; ``fetch`` gets files from where mails live."""

    def __init__(self, store: ContextStore, own: Collection[str], fetch: Fetch | None = None) -> None:
        self._store, self._own, self._fetch = store, frozenset(own), fetch
        self._index = MailIndex(self._own)
        self._following: asyncio.Task[None] | None = None
        self._begun = asyncio.Event()
        self._listeners: set[asyncio.Event] = set()
        self._closed = False
        self._found: tuple[tuple[str, bool, int], list[str], Collection[str], str] | None = None

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
        key = (query, newest, self._index.version)
        if self._found is None or self._found[0] != key:
            try:
                asked = wanted(query)
            except ValueError as error:
                raise EngineError(str(error)) from error
            found, told = await self._matching(asked)
            among = found if asked.asks_where else frozenset[str]()
            self._found = (key, self._index.narrowed(found, newest=newest), among, told)
        return self._found[1:]

    async def _matching(self, asked: Wanted) -> tuple[set[str], str]:
        """Return the mails that are wanted, and in words where the answer is partial."""
        index = self._index
        if not asked.words:
            return {ident for ident, entry in index if asked.fits(entry)}, ""
        hits = await self._store.search(asked.words, ContextFilter(namespaces=[RAW]), HITS, by_meaning=False)
        found = {hit.context.context_id for hit in hits if hit.whole}
        fit = {ident for ident in found if (entry := index.entry(ident)) is not None and asked.fits(entry)}
        return fit, f"the best {HITS:,} hits" if len(hits) == HITS else ""

    async def _say(self, rows: Sequence[ThreadRow]) -> None:
        """Add what only the store knows of the rows."""
        known = await self._store.fields(RAW, SHOWN, context_ids=[row.newest for row in rows])
        said = {ident: values for _, ident, *values in known}
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

    async def attachment(self, mail: str, number: int) -> tuple[str, bytes]:
        """See ``MailView.attachment``."""
        context = await self._store.get(mail, namespace=RAW)
        if context is None:
            raise EngineError("this mail is no longer kept")
        if not 0 <= number < len(context.data.get("attachments") or ()):
            raise EngineError("this mail has no such attachment")
        if self._fetch is None:
            raise EngineError("files can't be had from the mailbox here yet")
        return await self._fetch(context.data, number)

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
        async with self._store.watch([RAW, STATES]) as live:
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
                if context.namespace == STATES:
                    self._index.put_state(MailState(context.context_id) if update.deleted else MailState.of(context))
                elif update.deleted or context.expires_at is not None:
                    self._index.remove(context.context_id)
                else:
                    self._index.put(context.context_id, [context.data.get(name) for name in FACTS])

    async def _read_all(self) -> None:
        """Read the whole list anew. What was there before is shown meanwhile."""
        fresh = MailIndex(self._own)
        fresh.begin()
        async for _, ident, *facts in self._pages(RAW, FACTS):
            with _readable(ident):
                fresh.put(ident, facts)
        async for _, ident, copies in self._pages(STATES, ["copies"]):
            with _readable(ident):
                fresh.put_state(MailState.of({"id": ident, "copies": copies or []}))
        for _ in fresh.placed(AT_ONCE):
            await asyncio.sleep(0)
        fresh.version += self._index.version
        self._index = fresh
        self._begun.set()

    async def _pages(self, namespace: str, fields: Sequence[str]) -> AsyncIterator[tuple[Any, ...]]:
        last = 0
        while page := await self._store.fields(namespace, fields, after_seq=last, limit=READ_AT_ONCE):
            last = page[-1][0]
            for at, row in enumerate(page, 1):
                yield row
                if at % AT_ONCE == 0:
                    await asyncio.sleep(0)


@contextlib.contextmanager
def _readable(ident: str) -> Any:
    """Skip a record of a form that is not known here."""
    try:
        yield
    except (TypeError, ValueError, KeyError, AttributeError):
        log.warning("%s can't be listed", ident, exc_info=True)
