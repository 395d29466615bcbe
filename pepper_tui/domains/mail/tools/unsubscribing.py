"""Leaving a mailing list, as one of its mails says it can be left (RFC 2369, RFC 8058).

One click is one POST to an https address, followed nowhere; else a mail to the address that the list names. The card
shows exactly which. An address that only a person can open in a browser is told, never asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from pepper_tui.domains.mail import message as mail_message
from pepper_tui.domains.mail.parts import MailParts
from pepper_tui.domains.mail.tools.composing import compose, mail_account, same_mail
from pepper_tui.domains.mail.tools.reading import known_mail
from pepper_tui.domains.mail.tools.resolving import revise_mail
from pepper_tui.domains.mail.tools.sending import perform_mail, probe_mail
from pepper_tui.domains.mail.writing.list_headers import ways
from pepper_tui.model import CardLine, Effect, Json, ResolvedEffect
from pepper_tui.text import one_line, sendable, shorten
from pepper_tui.text.web_address import canonical, origin
from pepper_tui.tools.errors import NotDoneError, ToolError
from pepper_tui.tools.tool import ToolContext, tool

ONE_CLICK: Final = "List-Unsubscribe=One-Click"


async def resolve_unsubscribe(ctx: ToolContext, message_id: str) -> ResolvedEffect:
    """Args:
    message_id: a mail of the list
    """  # noqa: D415
    mail = await known_mail(ctx, message_id)
    headers = mail.get("list_headers") or {}
    said = ways(str(headers.get("list-unsubscribe") or ""))
    if page := _one_click(headers, said):
        lines = [
            CardLine("List", _named(mail)),
            CardLine("Address", page),
            CardLine("Goes to", origin(page)[1]),
            CardLine("Sends", ONE_CLICK, settled=True),
        ]
        payload: Json = {"address": page, "form": ONE_CLICK}
        return ctx.effect(account="", summary=f"Unsubscribe at {shorten(page, 160)}", lines=lines, payload=payload)
    if to := next((way for way in said if way.lower().startswith("mailto:")), ""):
        writer = ctx.of(MailParts).accounts.answering(mail)
        return await compose(ctx, writer, mail_asked_for(to))
    web = next((way for way in said if way.lower().startswith(("https:", "http:"))), "")
    if web:
        raise ToolError(f"that list is left on a page that you have to open yourself: {one_line(web, 1000)}")
    raise ToolError("that mail does not say how its list can be left")


def _one_click(headers: Mapping[str, Any], said: list[str]) -> str:
    """Return the address that takes the one click, if the mail offers that."""
    if str(headers.get("list-unsubscribe-post") or "").replace(" ", "").lower() != ONE_CLICK.lower():
        return ""
    for way in said:
        if way.lower().startswith("https:"):
            try:
                return canonical(way)
            except ValueError:
                continue
    return ""


def mail_asked_for(mailto: str) -> Json:
    """Return the mail that a ``mailto`` address asks for: one recipient, a subject, a text; nothing else of it."""
    parts = urlsplit(mailto)
    said = {key.lower(): value for key, value in parse_qsl(parts.query.replace("+", "%2B"))}
    to = mail_message.parse_addresses(unquote(parts.path), "to")
    if len(to) != 1:
        raise ToolError("that mail does not say how its list can be left")
    subject = mail_message.one_header(said.get("subject", "unsubscribe"), "subject")
    body = sendable(said.get("body", "")).strip() or "unsubscribe"
    return {
        "to": to, "cc": [], "subject": subject, "body": f"{body}\n", "in_reply_to": "", "references": [], "quoted": "",
        "quote": "none", "bare": True,
    }  # fmt: skip


def _named(mail: Mapping[str, Any]) -> str:
    listed = str((mail.get("list_headers") or {}).get("list-id") or "")
    return one_line(listed or str((mail.get("sender") or {}).get("address") or ""), 200)


async def _revise(ctx: ToolContext, effect: ResolvedEffect, fields: dict[str, str]) -> ResolvedEffect:
    if "fields" not in effect.payload:
        raise ToolError("an address can't be edited")
    return await revise_mail(ctx, effect, fields)


async def _probe(ctx: ToolContext, effect: ResolvedEffect) -> bool | None:
    return await probe_mail(ctx, effect) if "message_id" in effect.payload else None


@tool(
    effect=Effect.SEND,
    resolve=resolve_unsubscribe,
    revise=_revise,
    probe=_probe,
    account=mail_account,
    same=same_mail,
    taints=False,
    timeout=300.0,
)
async def unsubscribe(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Leave the mailing list or newsletter of a mail, as the mail says it can be left. The user approves it first."""
    payload = effect.payload
    if "message_id" in payload:
        return await perform_mail(ctx, effect)
    post = ctx.of(MailParts).post
    if post is None:
        raise NotDoneError("nothing is sent to the web here")
    address = str(payload["address"])
    await post(address, str(payload["form"]))
    return f"Asked {origin(address)[1]} to unsubscribe you; it may take some days until nothing comes any more."
