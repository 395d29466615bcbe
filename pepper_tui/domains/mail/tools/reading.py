"""Existing mail: searched, read, and read with its thread."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from pepper_tui.domains.mail.parts import Mailbox, MailParts
from pepper_tui.domains.mail.tools.shown import full, headline
from pepper_tui.domains.mail.tools.sources import not_looked_at
from pepper_tui.model import Effect, Json
from pepper_tui.store import left_out
from pepper_tui.text import one_line
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.looking_back import looked_back
from pepper_tui.tools.tool import ToolContext, tool

_THREAD_LIMIT: Final = 30
_LINE: Final = "-" * 20


@tool(effect=Effect.READ)
async def search_mail(
    ctx: ToolContext, query: str, sender: str = "", limit: Annotated[int, Field(ge=1, le=50)] = 10,
    since: str = "", until: str = "", folder: str = "",
) -> str:  # fmt: skip
    """Search the user's mail, best first: by words, and by meaning where a line says so. Use it for anything in mail;
    search_context for all else that was seen, said and done. It does not know which mails were read.

    Args:
        query: words to look for, or what it was about; empty lists the newest mail
        sender: an address, or a part of the sender's name
        limit: how many mails at most
        since: the earliest date: 'today', 'last week', '3 days ago', a date, or a date with an hour
        until: the latest, in the same forms; a day or a week counts in whole; empty for now
        folder: only of this folder, by its name; empty for all
    """
    begins, ends = await looked_back(ctx, since, until)
    found = await _mailbox(ctx).search(query, sender, begins, limit + 1, ends, folder)
    lines = [headline(mail, ctx) for mail in found[:limit]] or ["No mail matches."]
    if len(found) > limit and found[limit].get("found") != "meaning":  # whose neighbours never end
        lines.append(f"[more match than these {limit}: say more words, a shorter time, or a larger limit]")
    if cut := getattr(found, "left_out", ""):
        lines.append(f"[{cut}]")
    lines += [f"[{words}]" for words in await not_looked_at(ctx.store, ctx.of(MailParts).sources)]
    return "\n".join(filter(None, [*lines, left_out(query)]))


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
    least = "at least " if getattr(mails, "left_out", "") else ""
    head = f"[{least}{left_out} older mails left out]\n" if left_out or least else ""
    return head + f"\n{_LINE}\n".join(texts)


def _mailbox(ctx: ToolContext) -> Mailbox:
    mailbox = ctx.of(MailParts).mailbox
    if mailbox is None:
        raise ToolError("no mailbox is configured; set mail.maildir")
    return mailbox


async def known_mail(ctx: ToolContext, message_id: str) -> Json:
    """Return the mail with that id. Raises ``ToolError``."""
    mail = await _mailbox(ctx).read(message_id)
    if mail is None:
        raise ToolError(f"there is no mail {one_line(message_id, 80)!r}")
    return mail
