"""A mail as a model reads it: one line of a list, or in full."""

from __future__ import annotations

from typing import Any

from pepper_tui.clock import iso
from pepper_tui.domains.mail.content.mime import left_out as not_read
from pepper_tui.model import Json
from pepper_tui.store import how
from pepper_tui.text import one_line
from pepper_tui.tools.tool import ToolContext


def joined(value: Any) -> str:
    """Return an address field, or a list of ids, as text.

    It is a string, a list of strings, or of objects with name and address.
    """
    if value is None:
        return ""
    if isinstance(value, dict):
        name, address = str(value.get("name") or ""), str(value.get("address") or value.get("email") or "")
        return f"{name} <{address}>" if name else address
    if isinstance(value, list | tuple):
        if len(value) == 2 and all(isinstance(v, str) for v in value) and "@" in value[1] and "@" not in value[0]:
            return f"{value[0]} <{value[1]}>" if value[0] else value[1]
        return ", ".join(joined(each) for each in value)
    return str(value)


def _date(data: Json, ctx: ToolContext) -> str:
    date = data.get("date") if data.get("date") is not None else data.get("arrived")
    return iso(float(date), ctx.zone) if isinstance(date, int | float) else str(date or "")


def headline(data: Json, ctx: ToolContext) -> str:
    """Return a mail as one line of a list."""
    first = one_line(str(data.get("reply") or data.get("text", "")), 120)
    sender = one_line(joined(data.get("sender")), 80)
    stands = f" | {one_line(str(data['state']), 100)}" if data.get("state") else ""
    return (
        f"{data.get('message_id') or data.get('id')} | {_date(data, ctx)}{stands} | from {sender}"
        f" | {one_line(str(data.get('subject', '')), 120)} | {first}{_how(data)}"
    )


def _how(data: Json) -> str:
    """Return how a mail was found, if its own words do not explain it."""
    found = data.get("found", "text")
    if found == "some":
        return " (only some of the words)"
    return f" (at the server, {one_line(str(data.get('label') or ''), 40)})" if found == "server" else how(found)


def full(data: Json, ctx: ToolContext) -> str:
    """Return a mail's heading and its whole text."""
    lines = [f"message_id: {data.get('message_id') or data.get('id')}", f"date: {_date(data, ctx)}"]
    lines += [
        f"{label}: {one_line(joined(data.get(label)), 1000)}"
        for label in ("sender", "to", "cc", "reply_to")
        if data.get(label)
    ]
    lines.append(f"subject: {one_line(str(data.get('subject', '')), 500)}")
    if data.get("state"):
        lines.append(f"state: {one_line(str(data['state']), 100)}")
    if careful := [*(data.get("doubts") or ()), *(data.get("signs") or ())]:
        lines.append(f"careful: {one_line('; '.join(map(str, careful)), 500)}")
    if partly := not_read(data):
        lines.append(f"not all of it was read: {partly}")
    named = [
        str(each.get("name", "")) if isinstance(each, dict) else str(each) for each in data.get("attachments") or []
    ]
    if named:
        lines.append(f"attachments: {one_line(', '.join(named), 500)}")
    return "\n".join([*lines, "", str(data.get("text", ""))])
