"""What became of mails that were taken in: how they are marked now, and which have left their folder.

A server that counts changes (CONDSTORE) is asked for those since the last look; of any other the newest mails are
looked at. Mails that left are searched for only when the count of mails says that some did. Each look is one short
answer when nothing changed. Marks, and the count up to which they are noted, are committed together, so that a kill
misses nothing. Whatever can't be asked for changes nothing: only a complete list says that a mail has left.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from pepper_tui.connectors.imap.connection.link import Link
from pepper_tui.connectors.imap.connection.session import Opened
from pepper_tui.connectors.imap.intake.cursor import Cursor
from pepper_tui.connectors.imap.intake.folder import History
from pepper_tui.domains.mail.at_source.folder_uses import use_by_name
from pepper_tui.domains.mail.at_source.state import STATES, Copy, MailState, Mark, mail_at, note_copies, noting
from pepper_tui.domains.mail.intake.raw_mail import RAW
from pepper_tui.feeds.feed import FeedContext
from pepper_tui.model import ContextFilter
from pepper_tui.store import Store

LOOKED: Final = 500
"""Newest mails of a folder whose marks are looked at, if the server does not count changes."""
CHUNK: Final = 100  # mails noted in one commit
PAGE: Final = 1_000  # states read together

Marks = Mapping[int, tuple[Mark, ...]]


class Changes:
    """Looks for changes in the folders of one account."""

    def __init__(self, ident: str, history: History) -> None:
        self._ident, self._history = ident, history

    async def look(
        self, ctx: FeedContext, link: Link, cursor: Cursor, before_gone: Callable[[], Awaitable[None]]
    ) -> Cursor:
        """Note what has changed in the open folder, whose new mail has been taken in; return its cursor.

        ``before_gone`` is called before mails are noted as gone: they may have been moved to where it looks.
        """
        folder = link.session.folder
        now = await link.do(link.session.status, folder)
        if now is None or now.validity != cursor.validity:
            return cursor  # it is not known how it stands, or the next opening takes care of it
        if cursor.modseq < 0:
            return await self._first(ctx, link, cursor, now)
        cursor = await self._marked(ctx, link, cursor, now)
        if now.exists == cursor.exists and not (cursor.stale and cursor.low <= 1):
            return cursor
        there = [uid for uid in await link.do(link.session.uids, 1) if uid <= cursor.high]  # above is what comes next
        gone = await self._gone(ctx.store, folder, cursor, there)
        if gone:
            await before_gone()
        async with noting(ctx.store):
            await note_copies(ctx.store, {}, gone)
            cursor = replace(cursor, exists=len(there), stale=cursor.stale and (cursor.low > 1 or bool(cursor.refused)))
            await cursor.keep(ctx.store)
        return cursor

    async def _marked(self, ctx: FeedContext, link: Link, cursor: Cursor, now: Opened) -> Cursor:
        if now.modseq and cursor.modseq:
            if now.modseq == cursor.modseq or not now.exists:
                return cursor
            changed: Marks = await link.do(link.session.marks, 1, cursor.modseq)
            return await self._note(ctx, replace(cursor, modseq=now.modseq), changed)
        found = await link.do(link.session.marks, max(1, now.exists - LOOKED + 1), 0) if now.exists else {}
        known = self._history.marks.get(cursor.id, {})
        changed = {uid: marks for uid, marks in found.items() if known.get(uid) != marks}
        if changed or now.modseq != cursor.modseq:
            cursor = await self._note(ctx, replace(cursor, modseq=now.modseq), changed)
        self._history.marks[cursor.id] = found
        return cursor

    async def _note(self, ctx: FeedContext, then: Cursor, changed: Marks) -> Cursor:
        """Note marks, and with the last of them the cursor ``then``."""
        uids = sorted(changed, reverse=True)
        for at in range(0, max(1, len(uids)), CHUNK):
            async with noting(ctx.store):
                seen: dict[str, list[Copy]] = {}
                for uid in uids[at : at + CHUNK]:
                    await asyncio.sleep(0)
                    place, marks = then.place(uid), list(changed[uid])
                    if (state := await mail_at(ctx.store, place)) is not None:
                        copies = [replace(each, marks=marks) for each in state.copies if each.place == place]
                        seen.setdefault(state.id, []).extend(copies)
                await note_copies(ctx.store, seen)
                if at + CHUNK >= len(uids):
                    await then.keep(ctx.store)
        return then

    async def _gone(self, store: Store, folder: str, cursor: Cursor, there: list[int]) -> list[str]:
        """Return the places from which mails have left; ``there``: the UIDs in the folder."""
        uids, gone = set(there), []
        sought = cursor.exists - len(there)
        clears = cursor.stale and cursor.low <= 1 and not cursor.refused
        if sought <= 0 and not clears:
            return []
        async for state in _states(store, [f"in:{self._ident}/{folder}"]):
            for copy in state.copies:
                uid = cursor.uid_of(copy.place)
                if (clears and cursor.is_earlier(copy.place)) or (uid is not None and uid not in uids):
                    gone.append(copy.place)
            if len(gone) == sought and not clears:
                break
        return gone

    async def _first(self, ctx: FeedContext, link: Link, cursor: Cursor, now: Opened) -> Cursor:
        """Note the newest mails of a folder that was read before there were states."""
        folder = link.session.folder
        use = self._history.uses.get(folder) or use_by_name(folder)
        found = await link.do(link.session.marks, max(1, now.exists - LOOKED + 1), 0) if now.exists else {}
        newest = await ctx.store.query(ContextFilter(namespaces=[RAW], limit=2 * LOOKED))
        mails = {tuple(file): each.context_id for each in newest for file in each.data.get("files", [])}
        seen: dict[str, list[Copy]] = {}
        for uid, marks in found.items():
            if mail := mails.get((cursor.root, f"{cursor.validity}.{uid}")):
                copy = Copy(cursor.place(uid), self._ident, folder, use, list(marks))
                seen.setdefault(mail, []).append(copy)
        async with noting(ctx.store):
            await note_copies(ctx.store, seen)
            cursor = replace(cursor, modseq=now.modseq, exists=now.exists)
            await cursor.keep(ctx.store)
        return cursor


async def _states(store: Store, tags: list[str]) -> AsyncIterator[MailState]:
    """Yield the states with ``tags``: the newest first, as most that leaves is new, then all others."""
    newest = await store.query(ContextFilter(namespaces=[STATES], tags=tags, limit=PAGE))
    for state in MailState.readable(newest):
        yield state
    page, first = newest, newest[-1].seq if newest else 0
    after = 0
    while len(page) == PAGE:
        page = await store.query(
            ContextFilter(namespaces=[STATES], tags=tags, after_seq=after, newest_first=False, limit=PAGE)
        )
        older = [each for each in page if each.seq < first]
        for state in MailState.readable(older):
            yield state
        if len(older) < len(page):
            return
        after = page[-1].seq if page else 0
