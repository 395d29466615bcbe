"""Existing mail: searched, read, and read with its thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from pepper_tui.clock.words import TimeReader
from pepper_tui.domains.mail.parts import Mailbox, MailParts
from pepper_tui.domains.mail.search.query import Key, MailQuery, QueryError, Term
from pepper_tui.domains.mail.search.query_text import parse
from pepper_tui.domains.mail.search.resolving import resolved
from pepper_tui.domains.mail.tools.shown import full, headline
from pepper_tui.domains.mail.tools.sources import not_looked_at
from pepper_tui.model import Effect, Json
from pepper_tui.store import left_out
from pepper_tui.text import one_line
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.tool import ToolContext, tool

_THREAD_LIMIT: Final = 30
_LINE: Final = "-" * 20


Former = Annotated[str, SkipJsonSchema()]
"""An argument from before there was a language; it is still taken, but not offered."""


@tool(effect=Effect.READ)
async def search_mail(
    ctx: ToolContext, query: str = "", limit: Annotated[int, Field(ge=1, le=50)] = 10, server: bool = False,
    sender: Former = "", since: Former = "", until: Former = "", folder: Former = "",
) -> str:  # fmt: skip
    """Search the user's mail, best first. Use it for anything in mail; search_context for all else that was seen, said
    and done. Each line says whether the mail was read, if known.

    Args:
        query: words, or what it was about, and: from: to: cc: subject: before: after: on: until: has:attachment
            is:unread is:answered is:flagged in:folder account:id "exact words" -word a OR b. Times in words are
            quoted, as in: from:dana rent after:"last week". Empty lists the newest mail
        limit: how many mails at most
        server: also ask the servers of the user's accounts; it is done by itself where not all mail was taken in
    """
    wanted = await _wanted(ctx, query, {"from": sender, "after": since, "until": until, "in": folder})
    parts = ctx.of(MailParts)
    if parts.everywhere is not None:
        found = await parts.everywhere.search(wanted, limit, server=server)
    else:
        found = await _mailbox(ctx).search(wanted, limit)
    lines = [headline(mail, ctx) for mail in found] or ["No mail matches."]
    if found.total > limit:
        lines.append(f"[more match than these {limit}, {found.total:,} in all: say more, or a larger limit]")
    lines += [f"[{note}]" for note in found.notes]
    lines += [f"[{words}]" for words in await not_looked_at(ctx.store, parts.sources)]
    return "\n".join(filter(None, [*lines, left_out(query)]))


async def _wanted(ctx: ToolContext, text: str, former: Mapping[Key, str]) -> MailQuery:
    """Return the query with what its dates mean. Raises ``ToolError`` with a way out."""
    terms = [Term(key, value.strip()) for key, value in former.items() if value.strip()]
    try:
        query = parse(text).narrowed(*terms)
        query = await resolved(query, ctx.time.reader or TimeReader(ctx.clock, ctx.zone), ctx.of(MailParts).own)
    except QueryError as error:
        raise ToolError(error.told) from error
    begins = [each.span[0] for each in query.required if isinstance(each, Term) and each.key == "after" and each.span]
    ends = [each.span[1] for each in query.required if isinstance(each, Term) and each.key == "until" and each.span]
    if begins and ends and min(ends) <= max(begins):
        raise ToolError("'until' is not after 'since'")
    return query


@tool(effect=Effect.READ)
async def read_mail(ctx: ToolContext, message_id: str) -> str:
    """Read one mail in full.

    Args:
        message_id: as search_mail gives it, or the id of the mail's signal
    """
    return full(await known_mail(ctx, message_id), ctx)


@tool(effect=Effect.READ)
async def read_thread(ctx: ToolContext, message_id: str) -> str:
    """Read the conversation that a mail belongs to, the newest first and whole; of older ones what each added.

    Args:
        message_id: any mail of the thread
    """
    mails = await _mailbox(ctx).thread(message_id)
    if not mails:
        raise ToolError(f"there is no mail {one_line(message_id, 80)!r}")
    newest, *older = mails[: -_THREAD_LIMIT - 1 : -1]
    added = ({**mail, "text": mail.get("reply") or mail.get("text")} for mail in older)
    texts = [full(newest, ctx), *(full(mail, ctx) for mail in added)]
    left_out = len(mails) - len(texts)
    least = "at least " if getattr(mails, "notes", []) else ""
    head = f"[{least}{left_out} older mails left out]\n" if left_out or least else ""
    return head + f"\n{_LINE}\n".join(texts)


def _mailbox(ctx: ToolContext) -> Mailbox:
    mailbox = ctx.of(MailParts).mailbox
    if mailbox is None:
        raise ToolError("no mailbox is configured; add an account: pepper accounts add")
    return mailbox


async def known_mail(ctx: ToolContext, message_id: str) -> Json:
    """Return the mail with that id. Raises ``ToolError``."""
    mail = await _mailbox(ctx).read(message_id)
    if mail is None and (everywhere := ctx.of(MailParts).everywhere) is not None:
        mail = everywhere.seen(message_id)
    if mail is None:
        raise ToolError(f"there is no mail {one_line(message_id, 80)!r}")
    return mail
