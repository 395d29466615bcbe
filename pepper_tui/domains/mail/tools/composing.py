"""A mail that would be sent, resolved to the byte.

The card shows sender, all recipients, subject and the whole text as they are sent; the payload holds the message to the
byte, with a Message-ID that is chosen when the card opens and noted in ``mail.sent`` before the attempt. A message with
files is bound by its hash instead: no byte of a file is stored, and a file that has changed since is not sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from pepper_tui.clock import NoAnswerError
from pepper_tui.domains.mail import message as mail_message
from pepper_tui.domains.mail.attachments import Attachment, read_attachments
from pepper_tui.domains.mail.outbox import Outbox
from pepper_tui.domains.mail.parts import MailParts
from pepper_tui.model import CardLine, Json, ResolvedEffect
from pepper_tui.text import one_line, shorten
from pepper_tui.tools.errors import NotDoneError, ToolError
from pepper_tui.tools.tool import ToolContext

T = TypeVar("T")
_ATTACHED: Final = "Attached"


def mail_account(parts: MailParts) -> str:
    """Return the account that mail would be sent from now; empty if there is none."""
    return parts.outbox.account if parts.outbox else ""


def same_mail(payload: Json) -> Json:
    """Return a mail without what is new each time (Message-ID, date): what a person calls the same mail."""
    fields: Json = payload["fields"]
    return fields


def outbox_of(ctx: ToolContext) -> Outbox:
    """Return the outbox. Raises ``ToolError`` if none is configured."""
    outbox = ctx.of(MailParts).outbox
    if outbox is None:
        raise ToolError("no way to send is configured; set mail.smtp and mail.address")
    return outbox


async def compose(
    ctx: ToolContext, fields: Json, attached: Sequence[str] = (), warning: str = "", *, quiet: bool = False
) -> ResolvedEffect:
    """Return the effect of sending ``fields`` with files.

    ``fields``: to, cc (lists); subject, body, in_reply_to; references (list). ``warning``, ``quiet``: how to mark a
    recipient whom the user does not know.
    """
    outbox = outbox_of(ctx)
    message_id = f"<{ctx.clock.new_id('pepper')}@{outbox.address.rpartition('@')[2]}>"
    fields = {**fields, "from": outbox.address}
    at = ctx.clock.now()
    if attached:
        files, message = await _at_files(ctx, _with_files, ctx.of(MailParts), outbox, fields, attached, message_id, at)
    else:
        files, message = [], _built(outbox, fields, message_id, at)
    fields = {**fields, "attachments": [file.data() for file in files]}
    to, cc = ", ".join(fields["to"]), ", ".join(fields["cc"])
    lines = [
        CardLine("From", outbox.account),
        CardLine("To", to, editable=True, warning=warning, quiet=quiet),
        CardLine("Cc", cc, editable=True),
        CardLine("Subject", fields["subject"], editable=True),
        CardLine("Body", fields["body"], editable=True, multiline=True),
        *(CardLine(_ATTACHED, file.words) for file in files),
    ]
    recipients = list(dict.fromkeys([*fields["to"], *fields["cc"]]))
    payload: Json = {"fields": fields, "recipients": recipients, "message_id": message_id, "message": message}
    if files:  # their bytes stay in place until the attempt: the message is built then, and must be this one
        payload |= {"message": "", "message_sha256": _digest(message), "at": at}
    summary = f"Send mail to {shorten(to + (', ' + cc if cc else ''), 120)}: {one_line(fields['subject'], 80)}"
    return ctx.effect(account=outbox.account, summary=summary, lines=lines, payload=payload)


def _built(
    outbox: Outbox, fields: Json, message_id: str, at: float, files: Sequence[tuple[Attachment, bytes]] = ()
) -> str:
    return mail_message.build_message(
        outbox,
        to=fields["to"],
        cc=fields["cc"],
        subject=fields["subject"],
        body=fields["body"],
        message_id=message_id,
        at=at,
        in_reply_to=fields["in_reply_to"],
        references=fields["references"],
        files=files,
    )


def _with_files(
    parts: MailParts, outbox: Outbox, fields: Json, paths: Sequence[str], message_id: str, at: float
) -> tuple[list[Attachment], str]:
    """Return what is attached, and the message with it. Blocking."""
    files = read_attachments(paths, parts.attach_from)
    return [file for file, _ in files], _built(outbox, fields, message_id, at, files)


async def _at_files(ctx: ToolContext, function: Callable[..., T], *args: Any) -> T:
    parts = ctx.of(MailParts)
    place = ", ".join(map(str, parts.attach_from.allowed)) if parts.attach_from else ""
    return await parts.looks.look(place, function, *args)


def _digest(message: str) -> str:
    return hashlib.sha256(message.encode()).hexdigest()


async def approved_message(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Return the message that was approved. Raises ``NotDoneError`` if one of its files has changed."""
    payload = effect.payload
    if payload["message"]:
        return str(payload["message"])
    fields, message_id, at = payload["fields"], payload["message_id"], payload["at"]
    bound = [Attachment.of(file) for file in fields["attachments"]]
    paths = [file.path for file in bound]
    try:
        found, message = await _at_files(
            ctx, _with_files, ctx.of(MailParts), outbox_of(ctx), fields, paths, message_id, at
        )
    except (ToolError, NoAnswerError) as error:
        raise NotDoneError(str(error)) from error
    changed = [now.name for now, then in zip(found, bound, strict=True) if now != then]
    if not changed and _digest(message) == payload["message_sha256"]:
        return message
    attached = iter(found)
    lines = [replace(one, value=next(attached).words) if one.label == _ATTACHED else one for one in effect.lines]
    now = {**fields, "attachments": [file.data() for file in found]}
    fresh = {**payload, "fields": now, "message_sha256": _digest(message)}
    words = f"the file {', '.join(changed)} changed" if changed else "the mail would not be what was approved"
    raise NotDoneError(words, replace(effect, lines=lines, payload=fresh))
