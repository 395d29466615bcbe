"""The drafts by which mail is sent: what was made at Google, and what became of it.

A draft is noted before it is made, so that none is forgotten. It is *open* until it is known to be there no more. An
open draft that nobody sends any more, after a kill or a lost answer, is removed, and looked for as long as that fails:
then it can't go any more, and none is left in the user's mailbox. So with one that an earlier try may still make beside
that of the last.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from pepper_tui.connectors.gmail.account import GmailAccount
from pepper_tui.connectors.gmail.labels import SENT
from pepper_tui.connectors.google_account.errors import GoneError, GoogleError, InDoubtError
from pepper_tui.model import OPEN_TAG, ContextFilter, Record
from pepper_tui.store import Store

log = logging.getLogger(__name__)

DRAFTS: Final = "mail.draft"  # one context per mail sent from an account at Google, by its Message-ID
PATIENCE: Final = 600.0
"""Seconds for which a draft is looked for whose making had no answer: it may be made late."""
AGAIN: Final = 60.0
"""Seconds between two looks for it."""
_LONGEST: Final = 30.0  # seconds, before it is left to the next look

DraftState = Literal["making", "made", "sending", "removing", "gone", "sent", "not_sent"]
OPEN: Final[frozenset[DraftState]] = frozenset({"making", "made", "sending", "removing"})
_NOT_GONE: Final[frozenset[DraftState]] = frozenset({"making", "made", "not_sent"})


@dataclass(slots=True)
class Draft(Record):
    """The draft of a mail that is sent.

    ``making``: it was asked for. ``made``: it was not sent. ``sending``: it may have been. ``removing``: it was there
    after the send failed, and may have been removed. ``gone``: it is not there, and whether it was sent is not known.
    ``draft`` and ``thread`` are Google's ids, ``mail`` that of the draft's text. ``at``: when it was asked for.
    ``lost``: when another was asked for, whose making had no answer; 0 if none can come any more.
    """

    id: str
    account: str
    draft: str = ""
    mail: str = ""
    thread: str = ""
    state: DraftState = "making"
    at: float = 0.0
    lost: float = 0.0

    @property
    def is_open(self) -> bool:
        return self.state in OPEN or self.lost > 0

    @property
    def went(self) -> bool | None:
        """Whether the mail has gone, as far as known."""
        return True if self.state == "sent" else False if self.state in _NOT_GONE else None


class Drafts:
    """The drafts of one account."""

    def __init__(self, gmail: GmailAccount, store: Store) -> None:
        self._gmail, self._store = gmail, store
        self._settling = asyncio.Lock()
        self._under_way: set[str] = set()
        self._looked: dict[str, float] = {}

    async def keep(self, draft: Draft) -> Draft:
        tags = [f"account:{draft.account}", *([OPEN_TAG] if draft.is_open else [])]
        await self._store.put(draft, namespace=DRAFTS, context_id=draft.id, tags=tags)
        return draft

    async def of(self, message_id: str) -> Draft | None:
        return Draft.one(await self._store.get(message_id, namespace=DRAFTS))

    @contextlib.contextmanager
    def sending(self, message_id: str) -> Iterator[None]:
        """Leave the mail's draft to the caller alone meanwhile."""
        self._under_way.add(message_id)
        try:
            yield
        finally:
            self._under_way.discard(message_id)

    async def make(self, draft: Draft, body: object) -> Draft:
        """Note the draft, make it, and note its id. Raises ``GoogleError``; it is not sent then."""
        await self.keep(draft)
        try:
            made = await self._gmail.call("drafts.create", urgent=True, body=body)
        except InDoubtError:
            if not (found := await self._found(draft.id)):
                raise
            made, draft = found[0], _beside_one(draft)
        except GoogleError:
            await self.keep(replace(draft, state="not_sent"))
            raise
        text = made.get("message", {})
        mail, thread = str(text.get("id", "")), str(text.get("threadId", ""))
        return await self.keep(replace(draft, draft=str(made["id"]), mail=mail, thread=thread, state="made"))

    async def fate(self, message_id: str) -> bool | None:
        """Return whether a mail has gone; see ``TracedOutbox``. None goes before its draft is noted."""
        draft = await self.of(message_id)
        if draft is None:
            return False
        if message_id in self._under_way:
            return None
        return (await self.tried(draft)).went

    async def tried(self, draft: Draft) -> Draft:
        """Return the draft as it is at Google, removed if it was there; as it is known where that fails."""
        with contextlib.suppress(GoogleError, TimeoutError):
            async with asyncio.timeout(_LONGEST):
                return await self.settled(draft)
        return draft

    async def settled(self, draft: Draft, *, just_sent: bool = False, unless_sending: bool = False) -> Draft:
        """Return the draft as it is at Google, removed if it was there. Raises ``GoogleError`` if that can't be known.

        ``just_sent``: the send has only now failed, so it is Google who took it away if it is gone.
        """
        async with self._settling:
            draft = await self.of(draft.id) or draft
            if unless_sending and draft.id in self._under_way:
                return draft
            match draft.state:
                case "making":
                    return await self._unmade(draft)
                case "made":
                    return await self._removed(draft)
                case "sending" | "removing" | "gone":
                    return await self._looked_up(draft, just_sent)
                case _:
                    return draft

    async def remove_left(self) -> None:
        """Remove each draft that nobody sends any more, as far as Google lets us now."""
        now = self._gmail.clock.monotonic()
        for draft in await self._open():
            if self._looked.get(draft.id, now) > now:
                continue
            self._looked[draft.id] = now + AGAIN
            try:
                now_is = await self._without_another(await self.settled(draft, unless_sending=True))
            except GoogleError as error:
                log.info("a draft at %s can't be removed yet: %s", self._gmail.settings.address, error.words)
                continue
            if not now_is.is_open:
                self._looked.pop(draft.id, None)

    async def _without_another(self, draft: Draft) -> Draft:
        """Remove drafts of the mail that were made late, beside its own; look no more once none can come."""
        if not draft.lost:
            return draft
        for each in await self._found(draft.id):
            if draft.id in self._under_way:
                return draft
            if str(each["id"]) != draft.draft:
                await self._delete(str(each["id"]))
        if draft.id in self._under_way or 0 <= self._gmail.clock.now() - draft.lost < PATIENCE:
            return draft
        return await self.keep(replace(draft, lost=0.0))

    async def _open(self) -> list[Draft]:
        wanted = ContextFilter(namespaces=[DRAFTS], tags=[OPEN_TAG, f"account:{self._gmail.ident}"], limit=None)
        return Draft.readable(await self._store.query(wanted))

    async def _found(self, message_id: str) -> list[Any]:
        """Return the drafts of a mail."""
        listed = await self._gmail.call("drafts.list", urgent=True, q=f"rfc822msgid:{message_id}", maxResults=10)
        return list(listed.get("drafts", []))

    async def _unmade(self, draft: Draft) -> Draft:
        """Remove a draft that was made though its answer was lost, if it is there."""
        found = await self._found(draft.id)
        for each in found:
            await self._delete(str(each["id"]))
        if not found and 0 <= self._gmail.clock.now() - draft.at < PATIENCE:
            return draft
        return await self.keep(replace(_beside_one(draft), state="not_sent"))

    async def _removed(self, draft: Draft) -> Draft:
        await self._delete(draft.draft)
        return await self.keep(replace(draft, state="not_sent"))

    async def _looked_up(self, draft: Draft, just_sent: bool) -> Draft:
        """Find out what became of a draft that may have been sent."""
        if await self._is_there(draft):
            draft = await self.keep(replace(draft, state="removing"))
            if await self._delete(draft.draft):
                return await self.keep(replace(draft, state="not_sent"))
            left: DraftState = "gone"  # it went in this moment, or the user removed it
        else:
            # what was there after the send had failed was removed before it could go
            left = "not_sent" if draft.state == "removing" else "gone"
            if just_sent and draft.state == "sending":
                return await self.keep(replace(draft, state="sent"))
        # the user may have removed it: then its thread holds nothing sent
        return await self.keep(replace(draft, state="sent" if await self._in_thread(draft) else left))

    async def _is_there(self, draft: Draft) -> bool:
        try:
            await self._gmail.call("drafts.get", urgent=True, id=draft.draft, format="minimal")
        except GoneError:
            return False
        return True

    async def _delete(self, ident: str) -> bool:
        """Remove a draft; return whether it was there."""
        try:
            await self._gmail.call("drafts.delete", urgent=True, id=ident)
        except GoneError:
            return False
        return True

    async def _in_thread(self, draft: Draft) -> bool:
        """Return whether the draft's thread holds a sent mail that is younger than the draft."""
        try:
            thread = await self._gmail.call("threads.get", urgent=True, id=draft.thread, format="minimal")
        except GoneError:
            return False
        mails = thread.get("messages", [])
        return any(SENT in each.get("labelIds", []) and _age(each.get("id")) > _age(draft.mail) for each in mails)


def _beside_one(draft: Draft) -> Draft:
    """Return the draft for when one of its mail is there: of several that were asked for, the last may still come."""
    return replace(draft, lost=draft.at) if draft.lost else draft


def _age(ident: object) -> int:
    try:
        return int(str(ident), 16)
    except ValueError:
        return -1
