"""Taking in one folder: new mail first, then older mail from the newest down, some mails per commit.

Mails and cursor are stored in one commit. While older mails are stored, the next ones are fetched and read. A mail that
disappears between two requests is left out; one that the server won't give is tried alone, then noted and skipped, so
that it does not block the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from pepper_tui.clock import in_thread
from pepper_tui.connectors.imap.connection.link import Link
from pepper_tui.connectors.imap.connection.session import Body
from pepper_tui.connectors.imap.connection.trouble import PoorError, ServerError
from pepper_tui.connectors.imap.intake.cursor import Cursor, cursor_of
from pepper_tui.connectors.imap.settings import Imap
from pepper_tui.domains.bounded import parse_mails
from pepper_tui.domains.mail.at_source.folder_uses import use_by_name
from pepper_tui.domains.mail.at_source.state import Copy, Mark, Use, note_copies, noting, states_of
from pepper_tui.domains.mail.content.mime import Mail
from pepper_tui.domains.mail.intake.processor import Pace
from pepper_tui.domains.mail.intake.raw_mail import known_mails, mail_key, store_mail
from pepper_tui.feeds.feed import FeedContext

LISTED: Final = 500
"""Mails whose sizes are requested together."""
CHUNK: Final = 100
CHUNK_BYTES: Final = 4_000_000
"""Mails, and bytes, of one commit."""
TRIES: Final = 2
TRY_AGAIN: Final = 6 * 3600.0
"""Times that a mail may fail, or end the connection, before it is skipped; and seconds until it is tried again."""

Read = Sequence[tuple[Body, Mail]]
"""Mails as they were fetched, and what their bytes say."""
Meanwhile = Callable[[Cursor, int, int], Awaitable[Cursor | None]]
"""What is done between two commits, given how many mails are done, and of how many.

Returns the folder's cursor after that, or ``None`` if the folder is no longer the same.
"""


@dataclass(slots=True)
class History:
    """What outlives a link, so that a mail at which the server ends the connection is recognized.

    ``failures`` by folder, validity and UID; ``tried``: when a folder's refused mails were last requested; ``uses``:
    what each folder is for; ``marks``: those that its newest mails had, where the server does not count changes.
    """

    failures: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    tried: dict[str, float] = field(default_factory=dict)
    uses: dict[str, Use] = field(default_factory=dict)
    marks: dict[str, dict[int, tuple[Mark, ...]]] = field(default_factory=dict)


@dataclass(slots=True)
class _Ahead:
    """A chunk that is fetched and read before its turn. ``read``: what came of it, unless that failed."""

    uids: list[int]
    size: int
    reading: asyncio.Task[Read] | None = None

    async def over(self) -> None:
        """Return once nothing of it is under way."""
        if self.reading is not None:
            await asyncio.wait({self.reading})

    @property
    def failed(self) -> bool:
        """Whether the link may be lost because of it: then it must be tried again before anything else."""
        return self.reading is not None and self.reading.exception() is not None

    @property
    def read(self) -> Read | None:
        return None if self.reading is None or self.failed else self.reading.result()

    def stop(self) -> None:
        if self.reading is not None:
            self.reading.cancel()


class _Chunks:
    """The chunks of ``uids``, in order; ``of`` splits some of them."""

    def __init__(
        self, uids: Sequence[int], of: Callable[[Sequence[int]], Awaitable[list[tuple[list[int], int]]]]
    ) -> None:
        self._left, self._of = uids, of
        self._listed: deque[tuple[list[int], int]] = deque()

    async def next(self) -> tuple[list[int], int] | None:
        if not self._listed and self._left:
            these, self._left = self._left[:LISTED], self._left[LISTED:]
            self._listed.extend(await self._of(these))
        return self._listed.popleft() if self._listed else None


class FolderReader:
    """Reads the folders of one account through ``link``."""

    def __init__(self, settings: Imap, ident: str, pace: Pace, history: History) -> None:
        self._settings, self._ident, self._pace, self._history = settings, ident, pace, history

    async def open(self, ctx: FeedContext, link: Link, folder: str) -> Cursor:
        """Open ``folder``, and return how far it was read."""
        if folder not in self._history.uses:
            self._history.uses[folder] = await link.do(link.session.use, folder) or use_by_name(folder)
        opened = await link.do(link.session.open, folder)
        at = f"{self._settings.login}@{self._settings.host}"
        return await cursor_of(ctx.store, self._ident, at, opened, ctx.clock.now(), folder)

    async def take_new(self, ctx: FeedContext, link: Link, cursor: Cursor) -> Cursor:
        """Take in new mail, in the order of its arrival. The folder is open."""
        uids = await link.do(link.session.uids, cursor.high + 1)
        for at in range(0, len(uids), LISTED):
            for chunk, sizes in await self._chunks(link, uids[at : at + LISTED]):
                cursor = await self._take(ctx, link, cursor, chunk, sizes, Cursor.beyond)
        return cursor

    async def take_old(self, ctx: FeedContext, link: Link, cursor: Cursor, meanwhile: Meanwhile) -> None:
        """Take in the mail that was there at first sight, until ``meanwhile`` returns nothing."""
        if cursor.low <= 1:
            return
        uids = (await link.do(link.session.uids, 1, cursor.low - 1))[::-1]
        chunks, done = _Chunks(uids, partial(self._chunks, link)), 0
        here, ahead = None, await self._read_ahead(link, cursor, chunks)
        try:
            while ahead is not None:
                here, ahead = ahead, None
                await here.over()  # the link does one thing at a time
                await self._pace.keep(ctx.store)
                now = cursor if here.failed else await meanwhile(cursor, done, len(uids))
                if now is None:
                    return
                if here.read is not None:
                    ahead = await self._read_ahead(link, now, chunks)
                cursor = await self._take(ctx, link, now, here.uids, here.size, Cursor.down_to, here.read)
                done += len(here.uids)
                ahead = ahead or await self._read_ahead(link, cursor, chunks)
        finally:
            for each in (here, ahead):
                if each is not None:
                    each.stop()
        await cursor.down_to([1]).keep(ctx.store)

    async def try_refused(self, ctx: FeedContext, link: Link, cursor: Cursor) -> Cursor:
        """Request the refused mails again once in a while: the fault may have been temporary."""
        now, tried = ctx.clock.monotonic(), self._history.tried
        if not cursor.refused or now - tried.get(cursor.id, float("-inf")) < TRY_AGAIN:
            return cursor
        tried[cursor.id] = now
        for uid in cursor.refused:
            with contextlib.suppress(PoorError):
                cursor = await self._give(ctx, link, cursor, [uid], self._settings.max_bytes, cursor.given(uid))
        return cursor

    async def _read_ahead(self, link: Link, cursor: Cursor, chunks: _Chunks) -> _Ahead | None:
        """Begin to fetch and read the next chunk; ``None`` if there is none."""
        following = await chunks.next()
        if following is None:
            return None
        uids, size = following
        if any(self._history.failures[link.session.folder, cursor.validity, uid] for uid in uids):
            return _Ahead(uids, size)  # they are tried one by one
        return _Ahead(uids, size, asyncio.create_task(self._read(link, uids, size), name="mails ahead"))

    async def _chunks(self, link: Link, uids: Sequence[int]) -> list[tuple[list[int], int]]:
        """Split ``uids`` into pieces for one commit each, with the bytes of each."""
        sizes = await link.do(link.session.sizes, uids)
        return list(self._pieces([(uid, min(sizes.get(uid, 0), self._settings.max_bytes)) for uid in uids]))

    def _pieces(self, sized: Sequence[tuple[int, int]]) -> Iterator[tuple[list[int], int]]:
        chunk: list[int] = []
        total = 0
        for uid, size in sized:
            if chunk and (len(chunk) == CHUNK or total + size > CHUNK_BYTES):
                yield chunk, total
                chunk, total = [], 0
            chunk.append(uid)
            total += size
        if chunk:
            yield chunk, total

    async def _take(
        self,
        ctx: FeedContext,
        link: Link,
        cursor: Cursor,
        uids: Sequence[int],
        size: int,
        moved: Callable[[Cursor, Sequence[int]], Cursor],
        read: Read | None = None,
    ) -> Cursor:
        """Take in a few mails, which may have been ``read`` already, and return the cursor as ``moved`` by them."""
        folder = link.session.folder
        keys = {uid: (folder, cursor.validity, uid) for uid in uids}
        if len(uids) > 1 and any(self._history.failures[keys[uid]] for uid in uids):
            for uid in uids:
                cursor = await self._take(ctx, link, cursor, [uid], self._settings.max_bytes, moved)
            return cursor
        if self._history.failures[keys[uids[-1]]] > TRIES:
            cursor = moved(cursor.without(uids[-1]), uids)
            await cursor.keep(ctx.store)
            return cursor
        try:
            return await self._give(ctx, link, cursor, uids, size, moved(cursor, uids), read)
        except ServerError as error:
            self._history.failures.update(keys.values())
            if isinstance(error, PoorError):  # the link still works
                return await self._take(ctx, link, cursor, uids, size, moved)
            raise

    async def _give(
        self,
        ctx: FeedContext,
        link: Link,
        cursor: Cursor,
        uids: Sequence[int],
        size: int,
        then: Cursor,
        read: Read | None = None,
    ) -> Cursor:
        """Take in a few mails, and return ``then``, the cursor after them."""
        read = await self._read(link, uids, size) if read is None else read
        for uid in uids:
            self._history.failures.pop((link.session.folder, cursor.validity, uid), None)
        taken = [(body, mail, cursor.is_old(body.uid, _arrived(body, ctx))) for body, mail in read]
        await self._store(ctx, link.session.folder, then, taken)
        return then

    async def _read(self, link: Link, uids: Sequence[int], size: int) -> Read:
        most = self._settings.max_bytes + 1  # the server's sizes may be guesses: a single mail gets all the room
        found = await link.do(link.session.bodies, uids, most if len(uids) == 1 else 2 * size, most)
        mails = await in_thread(parse_mails, [body.source for body in found], self._settings.max_bytes)
        return [*zip(found, mails, strict=True)]

    async def _store(
        self, ctx: FeedContext, folder: str, cursor: Cursor, taken: Sequence[tuple[Body, Mail, bool]]
    ) -> None:
        """Store a few mails, each with whether it is old, and ``cursor``, in one unit."""
        keys = [mail_key(mail) for _, mail, _ in taken]
        known = await known_mails(ctx.store, set(keys))
        files: dict[str, list[list[str]]] = {}  # of each mail in this unit, which can't be read before the commit
        copies: dict[str, list[Copy]] = {}
        use = self._history.uses.get(folder) or use_by_name(folder)
        async with noting(ctx.store):
            for (body, mail, old), key in zip(taken, keys, strict=True):
                mail.size = body.size
                copy = Copy(cursor.place(body.uid), self._ident, folder, use, list(body.marks))
                copies.setdefault(key, []).append(copy)
                files.setdefault(key, []).append([cursor.root, f"{cursor.validity}.{body.uid}"])
                await store_mail(
                    ctx,
                    key,
                    mail,
                    known.get(key),
                    path=copy.place,
                    label=folder,
                    arrived=_arrived(body, ctx),
                    files=[*files[key]],
                    backlog=old,
                    account=self._ident,
                    copy=copy,
                )
            await note_copies(ctx.store, copies, await _earlier(ctx, cursor, keys) if cursor.stale else ())
            await cursor.keep(ctx.store)


async def _earlier(ctx: FeedContext, cursor: Cursor, mails: Sequence[str]) -> list[str]:
    """Return the places that the mails had before the folder was renumbered."""
    copies = [copy for state in (await states_of(ctx.store, mails)).values() for copy in state.copies]
    return [each.place for each in copies if cursor.is_earlier(each.place)]


def _arrived(body: Body, ctx: FeedContext) -> float:
    return ctx.clock.now() if body.arrived is None else body.arrived
