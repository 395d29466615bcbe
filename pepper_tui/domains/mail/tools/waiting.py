"""Waiting for a mail of a thread or from a sender. Somebody outside a thread answers for nobody in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated, Final

from pydantic import Field

from pepper_tui.domains.mail.content.machines import is_absence, is_automatic
from pepper_tui.domains.mail.content.message_ids import bare_id
from pepper_tui.domains.mail.parts import MailParts
from pepper_tui.domains.mail.tools.shown import full, joined
from pepper_tui.model import Context, ContextFilter, ContextUpdate, Effect, Json, Namespace
from pepper_tui.text import one_line
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.tool import ToolContext, tool

_RAW_MAIL: Final = f"{Namespace.RAW}.mail"


@tool(effect=Effect.READ, resumes=True, waits=True)
async def wait_for_mail(
    ctx: ToolContext, thread: str = "", sender: str = "", hours: Annotated[float, Field(gt=0, le=24 * 60)] = 24
) -> str:
    """Wait until a mail of a thread or from a sender comes, and read it. Other work goes on meanwhile.

    Args:
        thread: words of the subject, or the message id of a mail of the thread
        sender: an address, or a part of the sender's name
        hours: how long to wait
    """
    if not thread.strip() and not sender.strip():
        raise ToolError("give a thread or a sender to wait for")
    mailbox = ctx.of(MailParts).mailbox
    if known := await mailbox.read(thread.strip()) if mailbox and thread.strip() else None:
        thread = str(known["message_id"] or thread)
    parties = await _parties(ctx, thread) if thread and not sender.strip() else set()
    wanted = _Wanted(thread, sender, ctx.call.created_at, parties)
    found = await _first(ctx, wanted, ctx.call.created_at + hours * 3600)
    if found is not None:
        return full(found.data, ctx)
    words = f"No such mail came within {hours:g} hours."
    if wanted.away:
        words += f" An automatic answer came: “{wanted.away}”."
    if wanted.others:
        who = one_line(", ".join(wanted.others), 300)
        words += f" Mail that says that it belongs there came from others, who are not in that thread: {who}."
    return words


@dataclass(slots=True)
class _Wanted:
    """The awaited mail: since ``since``, of ``thread`` and from one of ``parties`` if known, or from ``sender``.

    ``others``: who wrote as if they were in the thread. ``away``: what an automatic answer said: it ends no wait.
    """

    thread: str
    sender: str
    since: float
    parties: set[str]
    others: dict[str, None] = field(default_factory=dict)
    away: str = ""

    def is_it(self, mail: Context) -> bool:
        if mail.created_at < self.since or not _matches(mail.data, self.thread, self.sender):
            return False
        address = str((mail.data.get("sender") or {}).get("address") or "").lower()
        if is_absence(mail.data):
            if not self.parties or address in self.parties:
                self.away = one_line(str(mail.data.get("reply") or ""), 160)
            return False
        if self.parties and address not in self.parties:
            self.others[address] = None  # anyone can claim a thread: somebody outside it answers for nobody
            return False
        return True


async def _first(ctx: ToolContext, wanted: _Wanted, until: float) -> Context | None:
    """Return the first mail that is wanted: an existing one, else one that arrives; ``None`` if none does."""
    async with ctx.store.watch([_RAW_MAIL]) as updates:
        missed = 0
        since = ContextFilter(
            namespaces=[_RAW_MAIL], since=wanted.since, newest_first=False, limit=10_000, include_expired=True
        )
        for mail in await ctx.store.query(since):
            if wanted.is_it(mail):
                return mail
        nap = asyncio.create_task(ctx.clock.sleep(until - ctx.clock.now()))
        following = aiter(updates)
        arrival = asyncio.create_task(_next(following))
        try:
            while not nap.done():
                await asyncio.wait({nap, arrival}, return_when=asyncio.FIRST_COMPLETED)
                if not arrival.done():
                    continue
                mails = [update.context for update in arrival.result() if not update.deleted]
                if updates.missed != missed:
                    missed = updates.missed
                    mails = await ctx.store.query(since)
                for mail in mails:
                    if wanted.is_it(mail):
                        return mail
                arrival = asyncio.create_task(_next(following))
        finally:
            nap.cancel()
            arrival.cancel()
            await asyncio.wait({nap, arrival})
    return None


async def _parties(ctx: ToolContext, thread: str) -> set[str]:
    """Return who is in a thread: who wrote or was written to before the wait began, except the user."""
    sent = await ctx.store.get(thread.strip(), namespace=Namespace.SENT)
    found = {str(one).lower() for one in (sent.data["to"] if sent else ())}
    parts = ctx.of(MailParts)
    for mail in await parts.mailbox.thread(thread) if parts.mailbox else []:
        if mail.get("arrived", 0.0) <= ctx.call.created_at:
            people = [mail.get("sender"), *(mail.get("to") or ()), *(mail.get("cc") or ())]
            found |= {str(one.get("address") or "").lower() for one in people if isinstance(one, dict)}
    return {each for each in found if each and not parts.accounts.is_own(each)}


async def _next(updates: AsyncIterator[list[ContextUpdate]]) -> list[ContextUpdate]:
    return await anext(updates)


def _matches(data: Json, thread: str, sender: str) -> bool:
    if data.get("backlog") or (sender and not _is_from(data, sender.strip().lower())):
        return False
    if not thread:
        return True
    if not is_absence(data) and is_automatic({"auto_submitted": "", "list_headers": {}, **data}):
        return False
    linked = {bare_id(each) for each in joined(data.get("references")).split()}
    linked |= {bare_id(each) for each in joined(data.get("in_reply_to")).split()}
    wanted = thread.strip().lower()
    return bare_id(thread) in linked or wanted in str(data.get("subject", "")).lower()


def _is_from(data: Json, wanted: str) -> bool:
    """Check whether ``wanted`` is the sender's address, part of it, or of a name that does not pose as an address."""
    sender = data.get("sender")
    name, address = (sender.get("name"), sender.get("address")) if isinstance(sender, dict) else ("", sender)
    address = str(address or "").lower()
    if "@" in wanted:
        return address == wanted or (wanted.startswith("@") and address.endswith(wanted))
    return wanted in address or (not data.get("doubts") and wanted in str(name or "").lower())
