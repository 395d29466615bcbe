"""How the items of the inbox look. An open approval card shows its whole effect: every line, to the character.

Characters that a terminal would obey are not shown, and the card says so. Values that occur nowhere in what the
user ever wrote carry the word ``untrusted``.
"""

from __future__ import annotations

import json
from typing import Final

from rich.style import Style
from rich.text import Text

from pepper_tui.model import Approval, CardLine, Notification, Priority, ToolCall
from pepper_tui.text import clean, one_line
from pepper_tui.ui.board import InboxItem
from pepper_tui.ui.ink import Ink, Pen
from pepper_tui.ui.rows import PRIORITY_GLYPH, arguments_line

WIDE: Final = 70
"""Cells from which a line of the inbox also says why."""
ECHO: Final = 12
"""Characters from which the heading's end counts as the body's beginning."""

_KIND = {
    "approval": ("◆", "needs your yes"),
    "unknown": ("?", "outcome unknown"),
    "brief": ("≡", "brief"),
    "reminder": ("◷", "reminder"),
    "offer": ("◷", "missed"),
    "trouble": ("✗", "trouble"),
}


def title(item: InboxItem) -> str:
    """The item in one line."""
    record = item.record
    if isinstance(record, Approval):
        return one_line(str(record.effect.get("summary", "")) or "An approval without a summary")
    if isinstance(record, Notification):
        return one_line(record.title)
    return f"Did {one_line(record.name, 40)} happen?"


def face(item: InboxItem) -> str:
    """What the card says, as one string: it changes exactly when a reader would have to read it again."""
    record = item.record
    if isinstance(record, Approval):
        return record.digest + json.dumps(record.effect, sort_keys=True, default=str)
    if isinstance(record, Notification):
        return f"{record.kind}\n{record.title}\n{record.body}"
    return f"{record.name}\n{record.arguments}"


def kind_words(item: InboxItem) -> tuple[str, str]:
    """Glyph and word of what the item is, with its priority where that says more."""
    glyph, word = _KIND.get(item.kind, (PRIORITY_GLYPH[item.priority], item.priority.value))
    if (
        item.kind not in ("approval", "unknown")
        and item.kind in _KIND
        and item.priority in (Priority.URGENT, Priority.HIGH)
    ):
        word = f"{item.priority.value} {word}"
    return glyph, word


def _tone(item: InboxItem, ink: Ink) -> Style:
    if item.kind in ("unknown", "trouble") or item.priority is Priority.URGENT:
        return ink.urgent
    if item.kind == "approval" or item.priority is Priority.HIGH:
        return ink.warn
    return ink.accent if item.priority is Priority.NORMAL else ink.dim


def closed(item: InboxItem, pen: Pen) -> Text:
    """One line: what it is, what of; and, where there is room, why."""
    glyph, word = kind_words(item)
    ink = pen.ink
    head = Text.assemble((f"{glyph} ", _tone(item, ink)), (title(item), ink.strong if item.unread else ink.plain))
    if pen.width >= WIDE:
        reason = one_line(getattr(item.record, "reason", ""))
        head.append(f"  {word}" + (f" · {reason}" if reason else ""), ink.dim)
    return pen.between(head, Text(pen.hour(item.at), ink.dim))


def opened(item: InboxItem, pen: Pen) -> list[Text]:
    """All of the card."""
    ink = pen.ink
    glyph, state = kind_words(item)
    record = item.record
    if isinstance(record, Approval):
        state += f" until {pen.hour(record.expires_at)}"
    lines = [pen.between(Text(f"{glyph} {state}", _tone(item, ink)), Text(pen.hour(item.at), ink.dim))]
    match record:
        case Approval():
            lines += [pen.cut(Text(title(item), ink.strong)), *approval_lines(record, pen)]
        case Notification():
            heading, body = told_once(title(item), clean(record.body))
            lines += [Text(heading, ink.strong)] if heading else []
            lines += [Text(line) for line in body.splitlines()]
        case ToolCall():
            lines.append(Text(title(item), ink.strong))
            lines += pen.hang(Text("with  ", ink.dim), Text(arguments_line(record.arguments, 600)))
            if record.error:
                lines += [Text(one_line(record.error, 600))]
    reason = getattr(record, "reason", "")
    if reason:
        lines += pen.hang(Text("because ", ink.dim), Text(one_line(reason, 600), ink.dim))
    return lines


def told_once(heading: str, body: str) -> tuple[str, str]:
    """Heading and body without what the other says too: the body's first words are often the heading, or its end."""
    flat, bare = " ".join(body.split()), heading.removesuffix("…").rstrip()
    if not bare or not flat:
        return heading, body
    if flat.startswith(bare):
        if bare != heading:
            return "", body
        rest = body.lstrip()
        for word in bare.split():
            rest = rest.lstrip().removeprefix(word)
        return heading, rest.lstrip(" .,:;–—-\n")
    for place in (i + 1 for i, letter in enumerate(bare) if letter == " "):
        if len(bare) - place >= ECHO and flat.startswith(bare[place:]):
            return bare[:place].rstrip(" :–—-·"), body
    return heading, body


def approval_lines(approval: Approval, pen: Pen) -> list[Text]:
    """Each line of the effect as it would happen."""
    effect = approval.resolved
    width = min(12, max((len(one_line(line.label, 12)) for line in effect.lines), default=0)) + 2
    lines: list[Text] = []
    if effect.account and not any(line.value == effect.account for line in effect.lines):
        lines += pen.hang(Text(f"{'account':<{max(width, 9)}}", pen.ink.dim), Text(one_line(effect.account)))
    for line in effect.lines:
        if line.value or line.untrusted:
            lines += card_line(line, pen, max(width, 9))
    return lines


def card_line(line: CardLine, pen: Pen, width: int) -> list[Text]:
    """One line of a card; a value of several lines stands below its label behind a bar."""
    ink = pen.ink
    label = Text(f"{one_line(line.label, 12):<{width}}", ink.dim)
    value = clean(line.value)
    marks = Text("")
    if line.untrusted:
        marks.append(" ⚠ untrusted", ink.warn)
    if value != line.value.replace("\r\n", "\n"):
        marks.append(" (characters not shown)", ink.warn)
    tone = ink.warn if line.untrusted else ink.plain
    if not (line.multiline or "\n" in value):
        return pen.hang(label, Text.assemble((value, tone), marks))
    bar = Text("│ ", ink.warn if line.untrusted else ink.dim)
    inner = Pen(ink, pen.width, pen.zone, pen.now)
    body = [part for text in value.split("\n") for part in inner.hang(bar, Text(text))]
    for part in body:
        if not part.plain.startswith("│"):
            part.plain = "│" + part.plain[1:]
    return [Text.assemble(label, marks), *body]
