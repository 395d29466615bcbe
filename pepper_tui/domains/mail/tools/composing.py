"""A mail that would be sent, resolved to the byte.

The card shows sender, all recipients, subject and the whole text as they are sent; the payload holds the message to the
byte, with a Message-ID that is chosen when the card opens and noted in ``mail.sent`` before the attempt. A message with
files is bound by its hash instead: no byte of a file is stored, and a file that has changed since is not sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeVar

from pepper_tui.clock import NoAnswerError
from pepper_tui.domains.mail import message as mail_message
from pepper_tui.domains.mail.attachments import MAX_BYTES, MAX_FILES, Attachment, read_attachments
from pepper_tui.domains.mail.parts import MailParts
from pepper_tui.domains.mail.writing.accounts import Writer
from pepper_tui.domains.mail.writing.originals import Carried, carried_over
from pepper_tui.domains.mail.writing.quoting import whole_text
from pepper_tui.model import CardLine, Json, ResolvedEffect
from pepper_tui.text import one_line, shorten
from pepper_tui.tools.errors import NotDoneError, ToolError
from pepper_tui.tools.times import parse_time
from pepper_tui.tools.tool import ToolContext

T = TypeVar("T")
_ATTACHED: Final = "Attached"
SEND_AT: Final = "Send at"
DAY: Final = 86_400.0
LATEST: Final = 60 * DAY


@dataclass(frozen=True, slots=True)
class Note:
    """What the card says about a value. ``loud``: also if the user knows the value; ``quiet``: without a loud mark."""

    warning: str = ""
    quiet: bool = False
    loud: bool = False


def mail_account(parts: MailParts, payload: Json) -> str:
    """Return the account that a mail would be sent from now; empty if it can't be any more."""
    writer = found_writer(parts, payload)
    return writer.outbox.account if writer else ""


def found_writer(parts: MailParts, payload: Json) -> Writer | None:
    """Return who writes the mail of ``payload``, if it is one (leaving a list may be none) and that can still be."""
    if "fields" not in payload:
        return None
    return parts.accounts.through(payload.get("through"), str(payload["fields"]["from"]))


def same_mail(payload: Json) -> Json:
    """Return a mail without what is new each time (Message-ID, date): what a person calls the same mail."""
    fields: Json = payload.get("fields", payload)
    return fields


def writer_of(ctx: ToolContext, effect: ResolvedEffect) -> Writer:
    """Return who writes an approved mail. Raises ``NotDoneError`` if that can't be any more."""
    writer = found_writer(ctx.of(MailParts), effect.payload)
    if writer is None or writer.outbox.account != effect.account:
        raise NotDoneError("the account that this was to be sent from is not there any more")
    return writer


async def compose(
    ctx: ToolContext,
    writer: Writer,
    fields: Json,
    attached: Sequence[str] = (),
    carried: Sequence[Carried] = (),
    note: Note = Note(),
    written: Note | None = None,
) -> ResolvedEffect:
    """Return the effect of sending ``fields`` as ``writer``, with files and what is carried over from mails.

    ``fields``: to, cc (lists); subject, body, in_reply_to, quoted, quote; references (list); ``bare``: no signature
    goes below it; ``at``: when it is sent, if not after the yes; ``calendar``: see ``build_message``. ``note`` is about
    the recipients, ``written`` about the identity.
    """
    identity, parts = writer.identity, ctx.of(MailParts)
    message_id = f"<{ctx.clock.new_id('pepper')}@{identity.address.rpartition('@')[2]}>"
    signature = "" if fields.get("bare") else identity.signature  # a machine reads it
    fields = {**fields, "from": identity.address, "name": identity.name, "signature": signature}
    at = max(ctx.clock.now(), float(fields.get("at") or 0.0))
    files = await _files(ctx, attached, carried)
    message = _built(fields, message_id, at, files)
    fields = {**fields, "attachments": [file.data() for file, _ in files]}
    to, cc = ", ".join(fields["to"]), ", ".join(fields["cc"])
    said = written or Note(writer.warning, loud=bool(writer.warning))
    several = parts.accounts.choices if len(parts.accounts.choices) > 1 else []
    sender = CardLine("From", writer.words, bool(several), said.loud, settled=True, choices=several)
    lines = [
        replace(sender, warning=said.warning, quiet=said.quiet),
        CardLine("To", to, editable=True, untrusted=note.loud, warning=note.warning, quiet=note.quiet),
        CardLine("Cc", cc, editable=True),
        CardLine("Subject", fields["subject"], editable=True),
        CardLine("Body", fields["body"], editable=True, multiline=True),
        *_around(signature, fields),
        CardLine(SEND_AT, _time(ctx, fields), editable=True),
        *(CardLine(_ATTACHED, file.words, settled=bool(file.mail)) for file, _ in files),
    ]
    recipients = list(dict.fromkeys([*fields["to"], *fields["cc"]]))
    payload: Json = {"fields": fields, "recipients": recipients, "message_id": message_id, "message": message}
    payload["through"] = writer.account.ident
    if files:  # their bytes stay in place until the attempt: the message is built then, and must be this one
        payload |= {"message": "", "message_sha256": _digest(message), "at": at}
    summary = f"Send mail to {shorten(to + (', ' + cc if cc else ''), 120)}: {one_line(fields['subject'], 80)}"
    later, account = float(fields.get("at") or 0.0), writer.outbox.account
    return ctx.effect(account=account, summary=summary, lines=lines, payload=payload, not_before=later)


async def send_time(ctx: ToolContext, words: str) -> float:
    """Return when a mail is to be sent, as ``words`` say; 0 for right after the yes. Raises ``ToolError``."""
    if not words.strip():
        return 0.0
    at = await parse_time(ctx, words)
    if not 0 < at - ctx.clock.now() <= LATEST:
        raise ToolError(f"{one_line(words, 60)!r} is not within the next {LATEST / DAY:g} days")
    return at


def _time(ctx: ToolContext, fields: Json) -> str:
    at = datetime.fromtimestamp(float(fields["at"]), ctx.zone) if fields.get("at") else None
    return f"{at:%Y-%m-%d %H:%M}" if at else ""


def _around(signature: str, fields: Json) -> list[CardLine]:
    """Return the lines of what stands around the body: it is no choice of a model's, and is sent as it is."""
    below = CardLine("Signature", signature, multiline=True, settled=True)
    quoted = CardLine("Quoted", fields["quoted"], multiline=True, settled=True, folded=bool(fields["in_reply_to"]))
    return [line for line in (below, quoted) if line.value]


@dataclass(frozen=True, slots=True)
class _From:
    address: str
    name: str


def _built(fields: Json, message_id: str, at: float, files: Sequence[tuple[Attachment, bytes]] = ()) -> str:
    return mail_message.build_message(
        _From(fields["from"], str(fields.get("name") or "")),
        to=fields["to"],
        cc=fields["cc"],
        subject=fields["subject"],
        body=whole_text(fields),
        message_id=message_id,
        at=at,
        in_reply_to=fields["in_reply_to"],
        references=fields["references"],
        files=files,
        calendar=tuple(calendar) if (calendar := fields.get("calendar")) else None,
    )


async def _files(ctx: ToolContext, paths: Sequence[str], carried: Sequence[Carried]) -> list[tuple[Attachment, bytes]]:
    """Return what is attached, with the bytes: files of the user's, and what is carried over from mails."""
    parts = ctx.of(MailParts)
    found = await _at_files(ctx, read_attachments, paths, parts.attach_from) if paths else []
    if carried:
        if len(found) + len(carried) > MAX_FILES:
            raise ToolError(f"more than {MAX_FILES} attachments")
        room = MAX_BYTES - sum(len(data) for _, data in found)
        found = [*found, *await carried_over(carried, parts.originals, room)]
    return found


async def _at_files(ctx: ToolContext, function: Callable[..., T], *args: Any) -> T:
    parts = ctx.of(MailParts)
    place = ", ".join(map(str, parts.attach_from.allowed)) if parts.attach_from else ""
    return await parts.looks.look(place, function, *args)


def _digest(message: str) -> str:
    return hashlib.sha256(message.encode()).hexdigest()


async def carried_of(ctx: ToolContext, attachments: Sequence[Attachment]) -> list[Carried]:
    """Return what of ``attachments`` comes from mails. Raises ``ToolError`` if such a mail is no longer known."""
    found: list[Carried] = []
    mailbox = ctx.of(MailParts).mailbox
    for each in attachments:
        if each.mail:
            mail = await mailbox.read(each.mail) if mailbox else None
            if mail is None:
                raise ToolError("the mail that is sent on is no longer known")
            found.append((mail, each.part))
    return found


async def approved_message(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Return the message that was approved. Raises ``NotDoneError`` if one of its files has changed."""
    payload = effect.payload
    if payload["message"]:
        return str(payload["message"])
    fields, message_id, at = payload["fields"], payload["message_id"], payload["at"]
    bound = [Attachment.of(file) for file in fields["attachments"]]
    paths = [file.path for file in bound if not file.mail]
    try:
        files = await _files(ctx, paths, await carried_of(ctx, bound))
        message = await _at_files(ctx, _built, fields, message_id, at, files)
    except (ToolError, NoAnswerError) as error:
        raise NotDoneError(str(error)) from error
    found = [file for file, _ in files]
    changed = [now.name for now, then in zip(found, bound, strict=True) if now != then]
    if not changed and _digest(message) == payload["message_sha256"]:
        return message
    attached = iter(found)
    lines = [replace(one, value=next(attached).words) if one.label == _ATTACHED else one for one in effect.lines]
    now = {**fields, "attachments": [file.data() for file in found]}
    fresh = {**payload, "fields": now, "message_sha256": _digest(message)}
    words = f"the file {', '.join(changed)} changed" if changed else "the mail would not be what was approved"
    raise NotDoneError(words, replace(effect, lines=lines, payload=fresh))
