"""How a call becomes the fields of a mail: a new one, an answer, a draft, one with the user's changes."""

from __future__ import annotations

from typing import Final

from pepper_tui.domains.mail import message as mail_message
from pepper_tui.domains.mail.tools.composing import compose
from pepper_tui.domains.mail.tools.reading import known_mail
from pepper_tui.domains.mail.tools.shown import joined
from pepper_tui.model import Json, ResolvedEffect
from pepper_tui.text import sendable
from pepper_tui.text.addresses import compared
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.tool import ToolContext

NEW: Final = "new: you never wrote to them"
ELSEWHERE: Final = "the mail asks for answers to another address than its sender's"


def _fields(to: list[str], cc: list[str], subject: str, body: str, *, may_be_empty: bool = False) -> Json:
    text = sendable(body).rstrip() + "\n"
    if not text.strip() and not may_be_empty:
        raise ToolError("'body' is empty")
    subject = mail_message.one_header(subject, "subject")
    return {"to": to, "cc": cc, "subject": subject, "body": text, "in_reply_to": "", "references": []}


async def resolve_mail(
    ctx: ToolContext, to: str, subject: str, body: str, cc: str = "", attachments: tuple[str, ...] = ()
) -> ResolvedEffect:
    """Args:
    to: one or more addresses, separated by commas
    subject: one line
    body: the text
    cc: further addresses
    attachments: paths of files to attach, from the folders that the user allows
    """  # noqa: D415
    recipients = mail_message.parse_addresses(to, "to"), mail_message.parse_addresses(cc, "cc")
    return await compose(ctx, _fields(*recipients, subject, body), attachments)


async def resolve_reply(
    ctx: ToolContext, message_id: str, body: str, attachments: tuple[str, ...] = ()
) -> ResolvedEffect:
    """Args:
    message_id: the mail to answer
    body: the text, without the quoted mail
    attachments: paths of files to attach, from the folders that the user allows
    """  # noqa: D415
    data = await known_mail(ctx, message_id)
    named = data.get("reply_to") or [data.get("sender") or {}]
    to = mail_message.parse_addresses(", ".join(str(one.get("address") or "") for one in named), "to")
    if not to:
        raise ToolError("that mail names nobody to answer")
    subject = " ".join(sendable(str(data.get("subject", ""))).split())[: mail_message.MAX_SUBJECT - 4]
    fields = _fields(to, [], subject if subject.lower().startswith("re:") else f"Re: {subject}".strip(), body)
    own = str(data.get("message_id") or data.get("claimed_id") or "")
    answered = mail_message.message_ids([own if own.startswith("<") else f"<{own}>"])
    earlier = [r if r.startswith("<") else f"<{r}>" for r in joined(data.get("references")).replace(",", " ").split()]
    fields["in_reply_to"] = answered[0] if answered else ""
    fields["references"] = mail_message.message_ids([*earlier, *answered])[-20:]
    sender = str((data.get("sender") or {}).get("address") or "")
    if data.get("doubts"):
        return await compose(ctx, fields, attachments, "; ".join(map(str, data["doubts"][:2])))
    if [compared(each) for each in to] == [compared(sender)]:
        return await compose(ctx, fields, attachments, NEW, quiet=True)
    return await compose(ctx, fields, attachments, ELSEWHERE)


async def answered_matter(ctx: ToolContext, arguments: Json) -> str:
    """Return the matter of the thread that an answer belongs to."""
    thread = (await known_mail(ctx, str(arguments.get("message_id", "")))).get("thread")
    return f"mail:{thread}" if thread else ""


async def resolve_draft(
    ctx: ToolContext, message_id: str, body: str, reason: str = "", attachments: tuple[str, ...] = ()
) -> ResolvedEffect:
    """Args:
    message_id: the mail to answer
    body: the proposed text, without the quoted mail
    reason: why this reply is proposed, shown to the user
    attachments: paths of files to attach, from the folders that the user allows
    """  # noqa: D415
    return await resolve_reply(ctx, message_id, body, attachments)


async def revise_mail(ctx: ToolContext, effect: ResolvedEffect, fields: dict[str, str]) -> ResolvedEffect:
    """Return the mail with the user's changes: a new message with its own Message-ID."""
    old: Json = effect.payload["fields"]
    to = mail_message.parse_addresses(fields["to"], "to") if "to" in fields else old["to"]
    cc = mail_message.parse_addresses(fields["cc"], "cc") if "cc" in fields else old["cc"]
    subject, body = fields.get("subject", str(old["subject"])), fields.get("body", str(old["body"]))
    revised = _fields(to, cc, subject, body, may_be_empty=True)
    kept = {"in_reply_to": old["in_reply_to"], "references": old["references"]}
    files = old.get("attachments", [])
    before = next((line for line in effect.lines if line.label == "To"), None) if to == old["to"] else None
    warning, quiet = (before.warning, before.quiet) if before else ("", False)
    composed = await compose(ctx, {**revised, **kept}, [file["path"] for file in files], warning, quiet=quiet)
    if composed.payload["fields"]["attachments"] != files:
        raise ToolError("a file that is attached has changed since; reject this and ask again")
    return composed
