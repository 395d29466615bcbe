"""How a call becomes the fields of a mail: a new one, an answer, one sent on, one with the user's changes."""

from __future__ import annotations

from typing import Final

from pepper_tui.domains.mail import message as mail_message
from pepper_tui.domains.mail.attachments import Attachment
from pepper_tui.domains.mail.parts import MailParts
from pepper_tui.domains.mail.tools.composing import SEND_AT, Note, carried_of, compose, send_time
from pepper_tui.domains.mail.tools.reading import known_mail
from pepper_tui.domains.mail.tools.shown import joined
from pepper_tui.domains.mail.writing.accounts import Writer
from pepper_tui.domains.mail.writing.head import marked
from pepper_tui.domains.mail.writing.originals import Carried
from pepper_tui.domains.mail.writing.quoting import forwarded, quotation
from pepper_tui.domains.mail.writing.recipients import Whom, answer_to
from pepper_tui.domains.mail.writing.sent_mail import sent_mail
from pepper_tui.model import Json, ResolvedEffect
from pepper_tui.text import sendable
from pepper_tui.text.addresses import compared
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.tool import ToolContext

OTHER_IDENTITY: Final = "not the address that the mail came to"


def _fields(to: list[str], cc: list[str], subject: str, body: str, *, may_be_empty: bool = False) -> Json:
    text = sendable(body).rstrip() + "\n"
    if not text.strip() and not may_be_empty:
        raise ToolError("'body' is empty")
    subject = mail_message.one_header(subject, "subject")
    fields: Json = {"to": to, "cc": cc, "subject": subject, "body": text, "in_reply_to": "", "references": []}
    return {**fields, "quoted": "", "quote": "none"}


async def resolve_mail(
    ctx: ToolContext,
    to: str,
    subject: str,
    body: str,
    cc: str = "",
    attachments: tuple[str, ...] = (),
    sender: str = "",
    send_at: str = "",
) -> ResolvedEffect:
    """Args:
    to: one or more addresses, separated by commas
    subject: one line
    body: the text
    cc: further addresses
    attachments: paths of files to attach, from the folders that the user allows
    sender: which of the user's own addresses to write from, if they say so
    send_at: a time, e.g. "tomorrow 9am", if not right after the user's yes
    """  # noqa: D415
    recipients = mail_message.parse_addresses(to, "to"), mail_message.parse_addresses(cc, "cc")
    accounts = ctx.of(MailParts).accounts
    writer = accounts.named(sender) if sender.strip() else accounts.default()
    fields = {**_fields(*recipients, subject, body), "at": await send_time(ctx, send_at)}
    return await compose(ctx, writer, fields, attachments)


async def resolve_reply(
    ctx: ToolContext,
    message_id: str,
    body: str,
    to: Whom = "sender",
    attachments: tuple[str, ...] = (),
    sender: str = "",
) -> ResolvedEffect:
    """Args:
    message_id: the mail to answer
    body: the text, without the quoted mail
    to: who gets it: its 'sender', 'all' whom it went to, or its mailing 'list'
    attachments: paths of files to attach, from the folders that the user allows
    sender: which of the user's own addresses to write from, if they say so
    """  # noqa: D415
    data = await _answered(ctx, message_id)
    parts = ctx.of(MailParts)
    addressed = answer_to(data, to, parts.accounts.is_own)
    writer, written = _writer(parts, data, sender)
    fields = _fields(addressed.to, addressed.cc, marked(data, "Re"), body)
    own = str(data.get("message_id") or data.get("claimed_id") or "")
    answered = mail_message.message_ids([own if own.startswith("<") else f"<{own}>"])
    earlier = [r if r.startswith("<") else f"<{r}>" for r in joined(data.get("references")).replace(",", " ").split()]
    fields["in_reply_to"] = answered[0] if answered else ""
    fields["references"] = mail_message.threaded(mail_message.message_ids([*earlier, *answered]))
    if parts.quote != "none":
        fields |= {"quoted": quotation(data, ctx.zone, parts.locale), "quote": parts.quote}
    note = Note(addressed.warning, addressed.quiet, addressed.loud)
    return await compose(ctx, writer, fields, attachments, note=note, written=written)


async def resolve_draft(
    ctx: ToolContext,
    message_id: str,
    body: str,
    reason: str = "",
    to: Whom = "sender",
    attachments: tuple[str, ...] = (),
    sender: str = "",
) -> ResolvedEffect:
    """Args:
    message_id: the mail to answer
    body: the proposed text, without the quoted mail
    reason: why this reply is proposed, shown to the user
    to: who gets it: its 'sender', 'all' whom it went to, or its mailing 'list'
    attachments: paths of files to attach, from the folders that the user allows
    sender: which of the user's own addresses to write from, if they say so
    """  # noqa: D415
    return await resolve_reply(ctx, message_id, body, to, attachments, sender)


async def resolve_forward(
    ctx: ToolContext,
    message_id: str,
    to: str,
    body: str = "",
    cc: str = "",
    attachments: bool = True,
    as_attachment: bool = False,
    sender: str = "",
) -> ResolvedEffect:
    """Args:
    message_id: the mail to send on
    to: one or more addresses, separated by commas
    body: what to say above it
    cc: further addresses
    attachments: whether its attachments go along
    as_attachment: true sends the whole mail, unchanged, as an attachment
    sender: which of the user's own addresses to write from, if they say so
    """  # noqa: D415
    data = await known_mail(ctx, message_id)
    recipients = mail_message.parse_addresses(to, "to"), mail_message.parse_addresses(cc, "cc")
    writer, written = _writer(ctx.of(MailParts), data, sender)
    fields = _fields(*recipients, marked(data, "Fwd"), body, may_be_empty=True)
    carried: list[Carried] = []
    if as_attachment:
        carried = [(data, -1)]
    else:
        fields |= {"quoted": forwarded(data, ctx.zone), "quote": "below"}
        carried = [(data, part) for part in range(len(data.get("attachments") or ()))] if attachments else []
    return await compose(ctx, writer, fields, carried=carried, written=written)


async def _answered(ctx: ToolContext, message_id: str) -> Json:
    """Return the mail that is answered, also one that Pepper sent and of which no copy was taken in."""
    try:
        return await known_mail(ctx, message_id)
    except ToolError:
        if (sent := await sent_mail(ctx.store, message_id)) is None:
            raise
        return sent


def _writer(parts: MailParts, mail: Json, sender: str) -> tuple[Writer, Note | None]:
    """Return who writes about ``mail``, and what the card says of it if another was asked for than it came to."""
    if not sender.strip():
        return parts.accounts.answering(mail), None
    writer = parts.accounts.named(sender, str(mail.get("account") or ""))
    try:
        usual = parts.accounts.answering(mail)
    except ToolError:
        return writer, Note(OTHER_IDENTITY, loud=True)
    same = compared(usual.identity.address) == compared(writer.identity.address)
    return writer, None if same else Note(OTHER_IDENTITY, loud=True)


async def answered_matter(ctx: ToolContext, arguments: Json) -> str:
    """Return the matter of the thread that an answer belongs to."""
    thread = (await _answered(ctx, str(arguments.get("message_id", "")))).get("thread")
    return f"mail:{thread}" if thread else ""


async def revise_mail(ctx: ToolContext, effect: ResolvedEffect, fields: dict[str, str]) -> ResolvedEffect:
    """Return the mail with the user's changes: a new message with its own Message-ID."""
    old: Json = effect.payload["fields"]
    to = mail_message.parse_addresses(fields["to"], "to") if "to" in fields else old["to"]
    cc = mail_message.parse_addresses(fields["cc"], "cc") if "cc" in fields else old["cc"]
    subject, body = fields.get("subject", str(old["subject"])), fields.get("body", str(old["body"]))
    revised = _fields(to, cc, subject, body, may_be_empty=True)
    sent_at = fields.get(SEND_AT.lower())
    at = old.get("at", 0.0) if sent_at is None else await send_time(ctx, sent_at)
    kept: Json = {"at": at} | {
        key: old[key] for key in ("in_reply_to", "references", "quoted", "quote", "bare") if key in old
    }
    accounts = ctx.of(MailParts).accounts
    through = effect.payload.get("through")
    if "from" in fields:
        writer, written = accounts.named(fields["from"], str(through or "")), Note()
    else:
        found = accounts.through(through, str(old["from"]))
        if found is None:
            raise ToolError("the account that this was to be sent from is not there any more")
        writer, written = found, _note(effect, "From")
    files = [Attachment.of(file) for file in old.get("attachments", [])]
    note = _note(effect, "To") if to == old["to"] else Note()
    paths = [file.path for file in files if not file.mail]
    carried = await carried_of(ctx, files)
    composed = await compose(ctx, writer, {**revised, **kept}, paths, carried, note, written)
    if composed.payload["fields"]["attachments"] != old.get("attachments", []):
        raise ToolError("a file that is attached has changed since; reject this and ask again")
    return composed


def _note(effect: ResolvedEffect, label: str) -> Note:
    line = next((line for line in effect.lines if line.label == label), None)
    return Note(line.warning, line.quiet, line.untrusted and not line.quiet and bool(line.warning)) if line else Note()
