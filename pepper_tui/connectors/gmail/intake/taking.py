"""Taking in mails by their ids, a few per commit, and what becomes of those that are known.

A mail that vanishes between the list and its request is left out; one that the server won't give is noted, so that it
does not block the rest. What Pepper itself has sent is known by the Message-ID that Google put aside.
"""

from __future__ import annotations

import asyncio
import re
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pepper_tui.clock import in_thread
from pepper_tui.connectors.gmail.account import GmailAccount
from pepper_tui.connectors.gmail.intake.cursor import Cursor
from pepper_tui.connectors.gmail.labels import SENT, LabelNames, copy_of, is_watched, place_of
from pepper_tui.connectors.google_account.errors import GoneError, GoogleError, LostError, TooFastError
from pepper_tui.connectors.google_account.transport import Ask
from pepper_tui.domains.bounded import parse_mails
from pepper_tui.domains.mail.at_source.state import Copy, mail_at, note_copies, noting
from pepper_tui.domains.mail.content.mime import Mail
from pepper_tui.domains.mail.intake.raw_mail import known_mails, mail_key, store_mail
from pepper_tui.domains.mail.writing.sent_mail import original_tag
from pepper_tui.feeds.feed import FeedContext
from pepper_tui.model import ContextFilter, Namespace
from pepper_tui.store import Store

CHUNK: Final = 50
"""Mails of one commit, and of one batch of requests."""
ROOT: Final = "gmail:"
"""What the name of an account's mailbox begins with, in the ``files`` of a mail."""
_HEADER: Final = 256_000  # bytes in which the headers of a mail end
_PUT_ASIDE: Final = re.compile(rb"^x-google-original-message-id:\s*(<[^<>\s]{1,500}>)\s*$", re.I | re.M)

Old = Callable[[str, float], bool]
"""Whether a mail, by its id and when it arrived, was there already and is no news."""
Between = Callable[[Cursor, int], Awaitable[Cursor]]
"""What is done between two commits, given how many mails are done. Returns the cursor after it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A mail as the server gave it. ``original``: the Message-ID that Pepper gave it, if Google has changed that."""

    ident: str
    raw: bytes
    labels: list[str]
    arrived: float
    size: int
    original: str = ""


@dataclass(slots=True)
class Watch:
    """What is watched: ``labels`` by their ids, of those that there are."""

    names: LabelNames = field(default_factory=LabelNames)
    labels: list[str] = field(default_factory=list)

    def takes(self, labels: Collection[str]) -> bool:
        return is_watched(labels, self.labels)

    def label(self, labels: Collection[str]) -> str:
        """Return the name of the first watched label of a mail."""
        found = next((each for each in self.labels if each in labels), "")
        return self.names.own.get(found, found)


class Taker:
    """Takes the mails of one account into the store.

    ``taken``: by their ids, all that have been, while that is known: from the first sight of an account to its end.
    """

    def __init__(self, account: GmailAccount) -> None:
        self._account, self.watch = account, Watch()
        self.taken: set[str] | None = None

    async def known(self, store: Store, idents: Collection[str]) -> dict[str, str]:
        """Return the mails of ``raw.mail`` to which Gmail's ids belong, for those that have been taken in."""
        found = {}
        for ident in idents:
            if (state := await mail_at(store, place_of(self._account.ident, ident))) is not None:
                found[ident] = state.id
        return found

    async def take(
        self, ctx: FeedContext, cursor: Cursor, idents: Sequence[str], old: Old, between: Between | None = None
    ) -> Cursor:
        """Take in what is not known yet, and return the cursor after it. ``between`` two commits something may be done.

        The next mails are asked for while those before are stored.
        """
        there = await self.known(ctx.store, idents) if self.taken is None else self.taken
        if new := [ident for ident in idents if ident not in there]:
            chunks = [new[at : at + CHUNK] for at in range(0, len(new), CHUNK)]
            ahead = asyncio.create_task(self._answers(chunks[0]))
            try:
                for number, chunk in enumerate(chunks):
                    if between is not None:
                        cursor = await between(cursor, len(idents) - len(new) + number * CHUNK)
                    answers = await ahead
                    if number + 1 < len(chunks):
                        ahead = asyncio.create_task(self._answers(chunks[number + 1]))
                    cursor = await self._take(ctx, cursor, dict(zip(chunk, answers, strict=True)), old)
            finally:
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)
        return cursor

    async def note(self, store: Store, seen: Mapping[str, Sequence[str]], gone: Collection[str]) -> None:
        """Note, in the caller's unit, the labels of mails by Gmail's ids, and those that are gone, as far as known."""
        known = await self.known(store, {*seen, *gone})
        account, names = self._account.ident, self.watch.names
        copies: dict[str, list[Copy]] = {}
        for ident, labels in seen.items():
            if ident in known:
                copies.setdefault(known[ident], []).append(copy_of(account, ident, labels, names))
        await note_copies(store, copies, {place_of(account, ident) for ident in gone if ident in known})

    async def _take(self, ctx: FeedContext, cursor: Cursor, answers: Mapping[str, Any], old: Old) -> Cursor:
        sources: list[Source] = []
        for ident, answer in answers.items():
            if isinstance(answer, GoneError):
                cursor = cursor.given(ident)
            elif isinstance(answer, GoogleError):
                cursor = cursor.without(ident)
            else:
                cursor = cursor.given(ident)
                if self.watch.takes(answer.get("labelIds", [])):  # it may have been moved meanwhile
                    sources.append(await in_thread(source_of, ident, answer))
        most = self._account.settings.max_bytes
        mails = await in_thread(parse_mails, [each.raw for each in sources], most)
        await _name_ours(ctx.store, mails)
        taken = [(each, mail, old(each.ident, each.arrived)) for each, mail in zip(sources, mails, strict=True)]
        for source in sources:
            cursor = cursor.with_mail(source.arrived, ctx.clock.now())
        await self._store(ctx, cursor, taken)
        if self.taken is not None:
            self.taken.update(each.ident for each in sources)
        return cursor

    async def _answers(self, idents: Sequence[str]) -> list[Any]:
        """Ask for the mails together, or for each alone where they are too much for one answer."""
        asks = [Ask("messages.get", {"id": ident, "format": "raw"}) for ident in idents]
        try:
            answers = await self._account.together(asks, urgent=len(asks) == 1)
        except (LostError, TooFastError):
            raise
        except GoogleError as error:
            if type(error) is not GoogleError:
                raise
            answers = [await self._alone(ident) for ident in idents]
        passing = [each for each in answers if isinstance(each, LostError | TooFastError)]
        if passing and len(passing) == len(answers):
            raise passing[0]
        return answers

    async def _alone(self, ident: str) -> Any:
        try:
            return await self._account.call("messages.get", id=ident, format="raw")
        except GoogleError as error:
            if isinstance(error, GoneError) or type(error) is GoogleError:
                return error
            raise

    async def _store(self, ctx: FeedContext, cursor: Cursor, taken: Sequence[tuple[Source, Mail, bool]]) -> None:
        """Store a few mails, each with whether it is old, their states, and ``cursor``, in one unit."""
        keys = [mail_key(mail) for _, mail, _ in taken]
        known = await known_mails(ctx.store, set(keys))
        account, names = self._account.ident, self.watch.names
        files: dict[str, list[list[str]]] = {}  # of each mail in this unit, which can't be read before the commit
        copies: dict[str, list[Copy]] = {}
        sent = {source.original: mail.message_id for source, mail, _ in taken if source.original}
        ours = {each: await ctx.store.get(each, namespace=Namespace.SENT) for each in sent}
        async with noting(ctx.store):
            for (source, mail, old), key in zip(taken, keys, strict=True):
                mail.size = source.size
                files.setdefault(key, []).append([f"{ROOT}{account}", source.ident])
                copy = copy_of(account, source.ident, source.labels, names)
                copies.setdefault(key, []).append(copy)
                await store_mail(
                    ctx,
                    key,
                    mail,
                    known.get(key),
                    path=place_of(account, source.ident),
                    label=self.watch.label(source.labels),
                    arrived=source.arrived,
                    files=[*files[key]],
                    backlog=old,
                    account=account,
                    copy=copy,
                )
            for original, noted in ours.items():
                if noted is not None:  # what answers it names the id that Google gave it
                    alias = {**noted.data, "id": sent[original], "original": original}
                    tags = {original_tag(original)}
                    await ctx.store.store(alias, namespace=Namespace.SENT, context_id=sent[original], tags=tags)
            await note_copies(ctx.store, copies)
            await cursor.keep(ctx.store)


async def _name_ours(store: Store, mails: Sequence[Mail]) -> None:
    """Add to what mails refer to the id that Pepper knows, beside the one that Google put in its place."""
    named = {each for mail in mails for each in (mail.in_reply_to, *mail.references)} - {""}
    wanted = ContextFilter(namespaces=[Namespace.SENT], context_ids=sorted(named), limit=None)
    rows = await store.query(wanted) if named else []
    ours = {row.context_id: str(row.data["original"]) for row in rows if row.data.get("original")}
    for mail in mails if ours else ():
        refers = mail.references or [mail.in_reply_to]
        mail.references = [each for one in refers for each in ((one, ours[one]) if one in ours else (one,))]


def source_of(ident: str, answer: Mapping[str, Any]) -> Source:
    """Read an answer to ``messages.get`` in the form ``raw``."""
    text = str(answer.get("raw", ""))
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    labels = [str(each) for each in answer.get("labelIds", [])]
    arrived = float(answer.get("internalDate") or 0.0) / 1000
    aside = _PUT_ASIDE.search(raw[:_HEADER].partition(b"\r\n\r\n")[0].partition(b"\n\n")[0]) if SENT in labels else None
    return Source(ident, raw, labels, arrived, len(raw), aside[1].decode("ascii", "replace") if aside else "")
