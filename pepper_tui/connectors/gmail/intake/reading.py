"""Reading an account: what is there at first sight, then each change, and a new look at all where changes are lost.

Google tells changes by pages of a history, each of which is taken in and committed by itself. After about a week, or
whenever it likes, it forgets: then the mail that came since is listed, and the marks of what is known are compared with
lists by label, which cost a thousandth of asking for each mail.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pepper_tui.connectors.gmail.account import GmailAccount
from pepper_tui.connectors.gmail.intake.cursor import DAY, Cursor
from pepper_tui.connectors.gmail.intake.taking import Taker
from pepper_tui.connectors.gmail.labels import (
    DRAFT,
    INBOX,
    SENT,
    SPAM,
    STARRED,
    TRASH,
    UNREAD,
    LabelNames,
    copy_of,
    ident_at,
)
from pepper_tui.connectors.google_account.errors import GoneError, GoogleError
from pepper_tui.connectors.google_account.transport import Ask
from pepper_tui.domains.mail.at_source.state import STATES, Copy, MailState, note_copies, noting
from pepper_tui.domains.mail.intake.processor import Pace, tell_progress
from pepper_tui.feeds.feed import FeedContext
from pepper_tui.model import ContextFilter
from pepper_tui.store import Store

PAGE: Final = 500
COMPARED: Final = (INBOX, UNREAD, STARRED, SENT, DRAFT, TRASH, SPAM)
"""The labels by which known mails are compared, beside those of the user's own."""
MANY: Final = 200  # mails at first sight from which on progress is reported
_STATES: Final = 200  # states that are compared, and committed, together


@dataclass(slots=True)
class Changes:
    """The changes of one page: the labels of each mail after them, if told, which mails were added, which are gone."""

    labels: dict[str, list[str] | None] = field(default_factory=dict)
    added: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    last: str = ""

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Changes:
        """Read an answer to ``history.list``."""
        found = cls()
        for record in answer.get("history", []):
            found.last = str(record.get("id", ""))
            for kind in ("messagesAdded", "labelsAdded", "labelsRemoved", "messagesDeleted"):
                for each in record.get(kind, []):
                    message = each.get("message", {})
                    ident, labels = str(message.get("id", "")), message.get("labelIds")
                    found.gone.discard(ident)
                    if kind == "messagesDeleted":
                        found.gone.add(ident)
                    elif kind == "messagesAdded":
                        found.added.add(ident)
                    found.labels[ident] = None if labels is None else [str(label) for label in labels]
        return found


class Reader:
    """Reads one account into the store."""

    def __init__(self, account: GmailAccount, taker: Taker, pace: Pace) -> None:
        self._account, self._taker, self._pace = account, taker, pace
        self._glanced = float("-inf")
        self._nameless: set[str] = set()

    async def begin(self, ctx: FeedContext) -> Cursor:
        """Return the cursor of an account that is seen for the first time."""
        cursor = Cursor(self._account.ident, self._account.settings.address, await self._now())
        await cursor.keep(ctx.store)
        return cursor

    async def take_there(self, ctx: FeedContext, cursor: Cursor) -> Cursor:
        """Take in what was there at first sight, the newest first. What arrives meanwhile goes before the rest."""
        of, before = await self._count(), 0

        async def between(cursor: Cursor, done: int) -> Cursor:
            await self._pace.keep(ctx.store)
            if self._glanced + self._account.settings.scan_interval <= ctx.clock.monotonic():
                cursor = await self.catch_up(ctx, cursor)
                if of >= MANY:
                    await tell_progress(ctx, min(before + done, of), of)
            return cursor

        self._taker.taken = None if cursor.newest else set()  # asking for each mail whether it is known takes long
        for label in self._taker.watch.labels:
            async for page in self._listed(label):
                cursor = await between(cursor, 0)
                cursor = await self._taker.take(ctx, cursor, page, lambda ident, arrived: True, between)
                before += len(page)
        self._taker.taken = None
        cursor = replace(cursor, synced=True)
        await cursor.keep(ctx.store)
        return cursor

    async def catch_up(self, ctx: FeedContext, cursor: Cursor) -> Cursor:
        """Take in every change since the last look."""
        self._glanced = ctx.clock.monotonic()
        start, page = cursor.history, ""
        while True:
            more = {"pageToken": page} if page else {}
            try:
                answer = await self._account.call(
                    "history.list", urgent=True, startHistoryId=start, maxResults=PAGE, **more
                )
            except GoneError:
                return await self._anew(ctx, cursor)
            page, changes = str(answer.get("nextPageToken") or ""), Changes.of(answer)
            history = changes.last if page else str(answer.get("historyId") or "")
            cursor = await self._apply(ctx, cursor, changes, history or cursor.history)
            if not page:
                return cursor

    async def try_refused(self, ctx: FeedContext, cursor: Cursor) -> Cursor:
        """Ask again for the mails that the server would not give."""
        return await self._taker.take(ctx, cursor, cursor.refused, lambda ident, arrived: True)

    async def _apply(self, ctx: FeedContext, cursor: Cursor, changes: Changes, history: str) -> Cursor:
        labels = await self._told(changes)
        await self._name_labels({label for each in labels.values() for label in each})
        watch = self._taker.watch
        new = [ident for ident, each in labels.items() if ident not in changes.gone and watch.takes(each)]

        def old(ident: str, arrived: float) -> bool:
            return before.is_old(arrived, added=ident in changes.added)

        before = cursor
        cursor = await self._taker.take(ctx, cursor, new, old)
        if history == cursor.history and not labels and not changes.gone:
            return cursor
        cursor = cursor.beyond(history)
        async with noting(ctx.store):
            await self._taker.note(ctx.store, labels, changes.gone)
            await cursor.keep(ctx.store)
        return cursor

    async def _name_labels(self, labels: Collection[str] = ()) -> None:
        """Ask what the labels are called, if any of ``labels`` is new since they were asked for, or none is given."""
        names = self._taker.watch.names
        new = {*labels} - {*names.own, *names.system} - self._nameless
        if labels and not new:
            return
        names = LabelNames.of(await self._account.call("labels.list", urgent=True))
        self._taker.watch.names = names
        self._nameless |= new - {*names.own, *names.system}

    async def _told(self, changes: Changes) -> dict[str, list[str]]:
        """Return the labels of each mail that is still there, and ask for those that Google did not tell."""
        labels = {ident: each for ident, each in changes.labels.items() if each is not None}
        asked = [ident for ident, each in changes.labels.items() if each is None and ident not in changes.gone]
        asks = [Ask("messages.get", {"id": ident, "format": "minimal"}) for ident in asked]
        for ident, answer in zip(asked, await self._account.together(asks) if asks else [], strict=True):
            if isinstance(answer, GoneError):
                changes.gone.add(ident)
            elif isinstance(answer, GoogleError):
                raise answer
            else:
                labels[ident] = [str(each) for each in answer.get("labelIds", [])]
        return {ident: each for ident, each in labels.items() if ident not in changes.gone}

    async def _anew(self, ctx: FeedContext, cursor: Cursor) -> Cursor:
        """Look at all again: Google has forgotten the changes since the last look."""
        await ctx.health.report("starting", "looking at all your mail again: Google has forgotten what changed")
        history, before = await self._now(), cursor

        def old(ident: str, arrived: float) -> bool:
            return before.is_old(arrived, added=False)

        since = {"q": f"after:{int(cursor.newest - DAY)}"} if cursor.newest > DAY else {}
        for label in self._taker.watch.labels:
            async for page in self._listed(label, **since):
                cursor = await self._taker.take(ctx, cursor, page, old)
        await self._compare(ctx)
        cursor = cursor.beyond(history)
        await cursor.keep(ctx.store)
        return cursor

    async def _compare(self, ctx: FeedContext) -> None:
        """Bring the marks and the labels of all known mails up to date."""
        await self._name_labels()
        there: dict[str, list[str]] = {}
        async for page in self._listed(includeSpamTrash=True):
            there |= {ident: [] for ident in page}
        for label in (*COMPARED, *self._taker.watch.names.own):
            async for page in self._listed(label):
                for ident in page:
                    there.setdefault(ident, []).append(label)
        after = 0
        while states := await _states(ctx.store, after):
            after = states[-1][0]
            seen, gone = self._differing([state for _, state in states], there)
            if seen or gone:
                async with noting(ctx.store):
                    await note_copies(ctx.store, seen, gone)

    def _differing(
        self, states: list[MailState], there: Mapping[str, list[str]]
    ) -> tuple[dict[str, list[Copy]], set[str]]:
        account, seen, gone = self._account.ident, dict[str, list[Copy]](), set[str]()
        for state in states:
            for copy in state.copies:
                ident = ident_at(account, copy.place)
                if copy.account != account or not ident:
                    continue
                if ident not in there:
                    gone.add(copy.place)
                    continue
                now = copy_of(account, ident, there[ident], self._taker.watch.names)
                if now != copy:
                    seen.setdefault(state.id, []).append(now)
        return seen, gone

    async def _listed(self, label: str = "", **more: Any) -> AsyncIterator[list[str]]:
        """Yield the ids of the mails, the newest first."""
        given: dict[str, Any] = {"maxResults": PAGE, **({"labelIds": [label]} if label else {}), **more}
        while True:
            answer = await self._account.call("messages.list", **given)
            yield [str(each["id"]) for each in answer.get("messages", [])]
            if not (page := answer.get("nextPageToken")):
                return
            given["pageToken"] = page

    async def _count(self) -> int:
        """Return how many mails there are to take in, about."""
        counts = [await self._account.call("labels.get", id=label) for label in self._taker.watch.labels]
        return sum(int(each.get("messagesTotal", 0)) for each in counts)

    async def _now(self) -> str:
        profile = await self._account.call("getProfile", urgent=True)
        return str(profile["historyId"])


async def _states(store: Store, after: int) -> list[tuple[int, MailState]]:
    """Return some states with their places in the log, in its order."""
    wanted = ContextFilter(namespaces=[STATES], after_seq=after, newest_first=False, limit=_STATES)
    return [(each.seq, MailState.of(each)) for each in await store.query(wanted)]
