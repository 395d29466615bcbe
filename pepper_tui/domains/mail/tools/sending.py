"""Sending: every tool that sends goes through one resolved effect and one approval."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pepper_tui.domains.mail.content.message_ids import bare_id
from pepper_tui.domains.mail.outbox import TracedOutbox
from pepper_tui.domains.mail.parts import MailParts
from pepper_tui.domains.mail.tools.composing import approved_message, found_writer, mail_account, same_mail, writer_of
from pepper_tui.domains.mail.tools.resolving import (
    answered_matter,
    resolve_draft,
    resolve_forward,
    resolve_mail,
    resolve_reply,
    revise_mail,
)
from pepper_tui.model import Effect, Namespace, ResolvedEffect
from pepper_tui.tools.tool import About, Tool, ToolContext, tool


async def fate_of_mail(ctx: ToolContext, effect: ResolvedEffect) -> bool | None:
    """Return whether the message has gone, if its outbox can tell."""
    writer = found_writer(ctx.of(MailParts), effect.payload)
    if writer is None or not isinstance(writer.outbox, TracedOutbox) or writer.outbox.account != effect.account:
        return None
    outbox = writer.outbox
    return await outbox.fate(str(effect.payload["message_id"]))


async def probe_mail(ctx: ToolContext, effect: ResolvedEffect) -> bool | None:
    """Return whether the message has gone, by its outbox if that can tell.

    Otherwise true if it is in the user's own mailbox (a copy, or quoted in an answer), else ``None``.
    """
    if (went := await fate_of_mail(ctx, effect)) is not None:
        return went
    mailbox = ctx.of(MailParts).mailbox
    if mailbox is None:
        return None
    message_id = str(effect.payload["message_id"])
    for form in (message_id, bare_id(message_id)):
        if await mailbox.read(form) is not None:
            return True
    return None


async def perform_mail(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Send the message of ``effect``, byte for byte, to its recipients."""
    payload = effect.payload
    message_id, recipients = str(payload["message_id"]), list(payload["recipients"])
    outbox, message = writer_of(ctx, effect).outbox, await approved_message(ctx, effect)
    now = ctx.clock.now()
    noted = {"id": message_id, "call": ctx.call.id, "to": recipients, "at": now}
    await ctx.store.store(noted, namespace=Namespace.SENT, context_id=message_id)
    # Before the send: a crash right after it would lose them, and the user has approved. The address that leaves a list
    # is nobody that the user knows.
    for address in () if payload["fields"].get("bare") else recipients:
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
    return replace(decorate(perform), fate=fate_of_mail)


send_mail = _sending(resolve_mail, "send_mail", "Send a new mail. The user approves exactly what is sent first.")
reply_mail = _sending(
    resolve_reply,
    "reply_mail",
    "Answer a mail in its thread. The user approves it first.",
    answered_matter,
)
forward_mail = _sending(
    resolve_forward, "forward_mail", "Send a mail on to others, with its attachments. The user approves it first."
)
draft_reply = _sending(
    resolve_draft,
    "draft_reply",
    "Propose an answer to a mail. The user may edit it and sends it, or not.",
    answered_matter,
)
