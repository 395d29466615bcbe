"""Mail: find, read, wait, write. Every way to send goes through one resolved effect and one approval.

The card shows sender, all recipients, subject and the whole text as they are sent; the payload holds the message to the
byte, with a Message-ID that is decided when the card opens and noted in ``mail.sent`` before the attempt. A message
with files is bound by its hash instead: no byte of a file is stored, and one that has changed since is not sent.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final, TypeVar

from pydantic import Field

from pepper_tui.clock import NoAnswerError, iso
from pepper_tui.domains.mail import message as mail_message
from pepper_tui.domains.mail.attachments import Attachment, read_attachments
from pepper_tui.domains.mail.machines import is_automatic
from pepper_tui.domains.mail.mime import left_out as not_read
from pepper_tui.domains.mail.outbox import Outbox
from pepper_tui.domains.mail.parts import Mailbox, MailParts
from pepper_tui.model import CardLine, Context, ContextFilter, ContextUpdate, Effect, Json, Namespace, ResolvedEffect
from pepper_tui.store import how, left_out
from pepper_tui.text import one_line, sendable, shorten
from pepper_tui.text.addresses import compared
from pepper_tui.tools.errors import NotDoneError, ToolError
from pepper_tui.tools.looking_back import looked_back
from pepper_tui.tools.tool import About, Tool, ToolContext, tool

T = TypeVar("T")
RAW_MAIL: Final = f"{Namespace.RAW}.mail"
_THREAD_LIMIT: Final = 30
_LINE: Final = "-" * 20
_ATTACHED: Final = "Attached"
NEW: Final = "new: you never wrote to them"
ELSEWHERE: Final = "the mail asks for answers to another address than its sender's"


# ------------------------------------------------------------------------------------------------------ reading


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
    lines = [_headline(mail, ctx) for mail in found[:limit]] or ["No mail matches."]
    if len(found) > limit and found[limit].get("found") != "meaning":  # whose neighbours never end
        lines.append(f"[more match than these {limit}: say more words, a shorter time, or a larger limit]")
    if cut := getattr(found, "left_out", ""):
        lines.append(f"[{cut}]")
    return "\n".join(filter(None, [*lines, left_out(query)]))


@tool(effect=Effect.READ)
async def read_mail(ctx: ToolContext, message_id: str) -> str:
    """Read one mail in full.

    Args:
        message_id: as search_mail gives it, or the id of the mail's signal
    """
    return _full(await _mail(ctx, message_id), ctx)


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
    texts = [_full(newest, ctx), *(_full(mail, ctx) for mail in added)]
    left_out = len(mails) - len(texts)
    least = "at least " if getattr(mails, "left_out", "") else ""
    head = f"[{least}{left_out} older mails left out]\n" if left_out or least else ""
    return head + f"\n{_LINE}\n".join(texts)


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
    others: dict[str, None] = {}

    def is_it(mail: Context) -> bool:
        if mail.created_at < ctx.call.created_at or not _matches(mail.data, thread, sender):
            return False
        address = str((mail.data.get("sender") or {}).get("address") or "").lower()
        if parties and address not in parties:
            others[address] = None  # anyone can claim a thread: who is not in it answers for nobody
            return False
        return True

    until = ctx.call.created_at + hours * 3600
    async with ctx.store.watch([RAW_MAIL]) as updates:
        missed = 0
        since = ContextFilter(
            namespaces=[RAW_MAIL], since=ctx.call.created_at, newest_first=False, limit=10_000, include_expired=True
        )
        for mail in await ctx.store.query(since):
            if is_it(mail):
                return _full(mail.data, ctx)
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
                    if is_it(mail):
                        return _full(mail.data, ctx)
                arrival = asyncio.create_task(_next(following))
        finally:
            nap.cancel()
            arrival.cancel()
            await asyncio.wait({nap, arrival})
    words = f"No such mail came within {hours:g} hours."
    if others:
        who = one_line(", ".join(others), 300)
        words += f" Mail that says that it belongs there came from others, who are not in that thread: {who}."
    return words


async def _parties(ctx: ToolContext, thread: str) -> set[str]:
    """Who is in a thread: who wrote or was written to before the wait began, but for the user."""
    sent = await ctx.store.get(thread.strip(), namespace=Namespace.SENT)
    found = {str(one).lower() for one in (sent.data["to"] if sent else ())}
    parts = ctx.of(MailParts)
    for mail in await parts.mailbox.thread(thread) if parts.mailbox else []:
        if mail.get("arrived", 0.0) <= ctx.call.created_at:
            people = [mail.get("sender"), *(mail.get("to") or ()), *(mail.get("cc") or ())]
            found |= {str(one.get("address") or "").lower() for one in people if isinstance(one, dict)}
    return found - {"", parts.outbox.address.lower() if parts.outbox else ""}


async def _next(updates: AsyncIterator[list[ContextUpdate]]) -> list[ContextUpdate]:
    return await anext(updates)


def _mailbox(ctx: ToolContext) -> Mailbox:
    mailbox = ctx.of(MailParts).mailbox
    if mailbox is None:
        raise ToolError("no mailbox is configured; set mail.maildir")
    return mailbox


async def _mail(ctx: ToolContext, message_id: str) -> Json:
    mail = await _mailbox(ctx).read(message_id)
    if mail is None:
        raise ToolError(f"there is no mail {one_line(message_id, 80)!r}")
    return mail


def _matches(data: Json, thread: str, sender: str) -> bool:
    if data.get("backlog") or (sender and not _is_from(data, sender.strip().lower())):
        return False
    if not thread:
        return True
    if is_automatic({"auto_submitted": "", "list_headers": {}, **data}):
        return False  # an absence is no answer
    linked = {_bare(each) for each in _joined(data.get("references")).split()}
    linked |= {_bare(each) for each in _joined(data.get("in_reply_to")).split()}
    wanted = thread.strip().lower()
    return _bare(thread) in linked or wanted in str(data.get("subject", "")).lower()


def _is_from(data: Json, wanted: str) -> bool:
    """Whether ``wanted`` is the sender's address, a part of it, or of a name that does not pose as an address."""
    sender = data.get("sender")
    name, address = (sender.get("name"), sender.get("address")) if isinstance(sender, dict) else ("", sender)
    address = str(address or "").lower()
    if "@" in wanted:
        return address == wanted or (wanted.startswith("@") and address.endswith(wanted))
    return wanted in address or (not data.get("doubts") and wanted in str(name or "").lower())


def _bare(message_id: str) -> str:
    return message_id.strip().strip("<>")


def _joined(value: Any) -> str:
    """An address field, or a list of ids, as text: a string, a list of strings, or of objects with name and address."""
    if value is None:
        return ""
    if isinstance(value, dict):
        name, address = str(value.get("name") or ""), str(value.get("address") or value.get("email") or "")
        return f"{name} <{address}>" if name else address
    if isinstance(value, list | tuple):
        if len(value) == 2 and all(isinstance(v, str) for v in value) and "@" in value[1] and "@" not in value[0]:
            return f"{value[0]} <{value[1]}>" if value[0] else value[1]
        return ", ".join(_joined(each) for each in value)
    return str(value)


def _date(data: Json, ctx: ToolContext) -> str:
    date = data.get("date") if data.get("date") is not None else data.get("arrived")
    return iso(float(date), ctx.zone) if isinstance(date, int | float) else str(date or "")


def _headline(data: Json, ctx: ToolContext) -> str:
    first = one_line(str(data.get("reply") or data.get("text", "")), 120)
    sender = one_line(_joined(data.get("sender")), 80)
    return (
        f"{data.get('message_id') or data.get('id')} | {_date(data, ctx)} | from {sender}"
        f" | {one_line(str(data.get('subject', '')), 120)} | {first}{how(data.get('found', 'text'))}"
    )


def _full(data: Json, ctx: ToolContext) -> str:
    lines = [f"message_id: {data.get('message_id') or data.get('id')}", f"date: {_date(data, ctx)}"]
    lines += [
        f"{label}: {one_line(_joined(data.get(label)), 1000)}"
        for label in ("sender", "to", "cc", "reply_to")
        if data.get(label)
    ]
    lines.append(f"subject: {one_line(str(data.get('subject', '')), 500)}")
    if data.get("doubts"):
        lines.append(f"careful: {one_line('; '.join(map(str, data['doubts'])), 500)}")
    if partly := not_read(data):
        lines.append(f"not all of it was read: {partly}")
    named = [
        str(each.get("name", "")) if isinstance(each, dict) else str(each) for each in data.get("attachments") or []
    ]
    if named:
        lines.append(f"attachments: {one_line(', '.join(named), 500)}")
    return "\n".join([*lines, "", str(data.get("text", ""))])


# ------------------------------------------------------------------------------------------------------ sending


def mail_account(parts: MailParts) -> str:
    """The account that mail would be sent from now; empty where there is none."""
    return parts.outbox.account if parts.outbox else ""


def same_mail(payload: Json) -> Json:
    """A mail without what is fresh each time (Message-ID, date): what a person calls the same mail."""
    fields: Json = payload["fields"]
    return fields


def _outbox(ctx: ToolContext) -> Outbox:
    outbox = ctx.of(MailParts).outbox
    if outbox is None:
        raise ToolError("no way to send is configured; set mail.smtp and mail.address")
    return outbox


async def compose(
    ctx: ToolContext, fields: Json, attached: Sequence[str] = (), warning: str = "", *, quiet: bool = False
) -> ResolvedEffect:
    """The effect of sending ``fields`` (to, cc: lists; subject, body, in_reply_to; references: list) with files.

    ``warning``, ``quiet``: how the recipient is marked, where the user does not know them.
    """
    outbox = _outbox(ctx)
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
    if files:  # their bytes stay where they are until the attempt: the message is built then, and must be this one
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
    """What is attached, and the message with it. Blocking."""
    files = read_attachments(paths, parts.attach_from)
    return [file for file, _ in files], _built(outbox, fields, message_id, at, files)


async def _at_files(ctx: ToolContext, function: Callable[..., T], *args: Any) -> T:
    parts = ctx.of(MailParts)
    place = ", ".join(map(str, parts.attach_from.allowed)) if parts.attach_from else ""
    return await parts.looks.look(place, function, *args)


def _digest(message: str) -> str:
    return hashlib.sha256(message.encode()).hexdigest()


async def _message(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """The message that was approved. Raises ``NotDoneError`` where a file that belongs to it is another by now."""
    payload = effect.payload
    if payload["message"]:
        return str(payload["message"])
    fields, message_id, at = payload["fields"], payload["message_id"], payload["at"]
    bound = [Attachment.of(file) for file in fields["attachments"]]
    paths = [file.path for file in bound]
    try:
        found, message = await _at_files(
            ctx, _with_files, ctx.of(MailParts), _outbox(ctx), fields, paths, message_id, at
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
    """
    recipients = mail_message.parse_addresses(to, "to"), mail_message.parse_addresses(cc, "cc")
    return await compose(ctx, _fields(*recipients, subject, body), attachments)


async def resolve_reply(
    ctx: ToolContext, message_id: str, body: str, attachments: tuple[str, ...] = ()
) -> ResolvedEffect:
    """Args:
    message_id: the mail to answer
    body: the text, without the quoted mail
    attachments: paths of files to attach, from the folders that the user allows
    """
    data = await _mail(ctx, message_id)
    named = data.get("reply_to") or [data.get("sender") or {}]
    to = mail_message.parse_addresses(", ".join(str(one.get("address") or "") for one in named), "to")
    if not to:
        raise ToolError("that mail names nobody to answer")
    subject = " ".join(sendable(str(data.get("subject", ""))).split())[: mail_message.MAX_SUBJECT - 4]
    fields = _fields(to, [], subject if subject.lower().startswith("re:") else f"Re: {subject}".strip(), body)
    own = str(data.get("message_id") or data.get("claimed_id") or "")
    answered = mail_message.message_ids([own if own.startswith("<") else f"<{own}>"])
    earlier = [r if r.startswith("<") else f"<{r}>" for r in _joined(data.get("references")).replace(",", " ").split()]
    fields["in_reply_to"] = answered[0] if answered else ""
    fields["references"] = mail_message.message_ids([*earlier, *answered])[-20:]
    sender = str((data.get("sender") or {}).get("address") or "")
    if data.get("doubts"):
        return await compose(ctx, fields, attachments, "; ".join(map(str, data["doubts"][:2])))
    if [compared(each) for each in to] == [compared(sender)]:
        return await compose(ctx, fields, attachments, NEW, quiet=True)
    return await compose(ctx, fields, attachments, ELSEWHERE)


async def answered_matter(ctx: ToolContext, arguments: Json) -> str:
    """The matter of the thread that an answer belongs to."""
    thread = (await _mail(ctx, str(arguments.get("message_id", "")))).get("thread")
    return f"mail:{thread}" if thread else ""


async def resolve_draft(
    ctx: ToolContext, message_id: str, body: str, reason: str = "", attachments: tuple[str, ...] = ()
) -> ResolvedEffect:
    """Args:
    message_id: the mail to answer
    body: the proposed text, without the quoted mail
    reason: why this reply is proposed, shown to the user
    attachments: paths of files to attach, from the folders that the user allows
    """
    return await resolve_reply(ctx, message_id, body, attachments)


async def revise_mail(ctx: ToolContext, effect: ResolvedEffect, fields: dict[str, str]) -> ResolvedEffect:
    """The mail with the user's changes: a new message with its own Message-ID."""
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


async def probe_mail(ctx: ToolContext, effect: ResolvedEffect) -> bool | None:
    """True where the message lies in the user's own mailbox (a copy, or an answer's quoted original); else unknown."""
    mailbox = ctx.of(MailParts).mailbox
    if mailbox is None:
        return None
    message_id = str(effect.payload["message_id"])
    for form in (message_id, _bare(message_id)):
        if await mailbox.read(form) is not None:
            return True
    return None


async def perform_mail(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Send the message of ``effect``, byte for byte, to its recipients."""
    payload, outbox = effect.payload, _outbox(ctx)
    message_id, recipients = str(payload["message_id"]), list(payload["recipients"])
    message = await _message(ctx, effect)
    now = ctx.clock.now()
    noted = {"id": message_id, "call": ctx.call.id, "to": recipients, "at": now}
    await ctx.store.store(noted, namespace=Namespace.SENT, context_id=message_id)
    for address in recipients:  # before the send: a crash right after it would lose them, and the user has said yes
        key = address.lower()
        if await ctx.store.get(key, namespace=Namespace.PEOPLE) is None:
            person = {"id": key, "address": address, "first_written": now}
            await ctx.store.store(person, namespace=Namespace.PEOPLE, context_id=key)
    await outbox.send(recipients, message, lambda: ctx.checkpoint("data_sent"))
    return f"Sent to {', '.join(recipients)} as {message_id}."


def _sending(resolve: Any, name: str, description: str, about: About | None = None) -> Tool:
    async def perform(ctx: ToolContext, effect: ResolvedEffect) -> str:
        return await perform_mail(ctx, effect)

    perform.__doc__ = description
    decorate = tool(
        effect=Effect.SEND,
        resolve=resolve,
        revise=revise_mail,
        probe=probe_mail,
        account=mail_account,
        same=same_mail,
        name=name,
        taints=False,
        timeout=300.0,
        about=about,
    )
    return decorate(perform)


send_mail = _sending(resolve_mail, "send_mail", "Send a new mail. The user approves exactly what is sent first.")
reply_mail = _sending(
    resolve_reply,
    "reply_mail",
    "Answer a mail, to its sender, in its thread. The user approves it first.",
    answered_matter,
)
draft_reply = _sending(
    resolve_draft,
    "draft_reply",
    "Propose an answer to a mail. The user may edit it and sends it, or not.",
    answered_matter,
)


def mail_tools(parts: MailParts) -> list[Tool]:
    every = (search_mail, read_mail, read_thread, wait_for_mail, send_mail, reply_mail, draft_reply)
    return [each.with_given(parts) for each in every]
