"""How the items of the inbox look. An open approval card shows its whole effect: every line, to the character.

A matter's card shows each open request, oldest first, behind a bar, so that no text in it can pass for a line of
Pepper's own; then the draft; then what is planned. Characters that can't be seen are spelled out and counted on the
card. Values that occur nowhere in the user's own writing are marked.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from pepper_tui.model import Approval, CardLine, Effect, Notification, Priority, ToolCall
from pepper_tui.text import clean, hidden, one_line, spelled, unseen_words
from pepper_tui.ui.screen.ink import Ink, Pen, age, wrap
from pepper_tui.ui.screen.lists.rows import PRIORITY_GLYPH
from pepper_tui.ui.shared.matters import LATER, MORE, InboxItem, deferred_words
from pepper_tui.ui.shared.names import (
    arguments_line,
    awaited_from,
    call_words,
    count_of,
    goes_to_somebody,
    label_words,
    more_from,
    more_words,
    name_of,
    not_done,
    question_words,
    recipient,
    sender_in_full,
    sender_name,
    shown_value,
    subject_of,
    trust_words,
)

WIDE: Final = 70
"""Cells from which on a line of the inbox also says why."""
_LEAST: Final = 8  # cells that are left of what is being sent
ECHO: Final = 12
"""Length in characters from which the heading's end counts as the body's beginning."""

_KIND = {
    "approval": ("◆", "needs your yes"),
    "unknown": ("?", "outcome unknown"),
    "brief": ("≡", "brief"),
    "reminder": ("◷", "reminder"),
    "offer": ("◷", "missed"),
    "question": ("?", "asks you"),
    "trouble": ("✗", "trouble"),
    "sending": ("▸", "approved"),
    "sent": ("✓", "sent"),
}


def title(item: InboxItem) -> str:
    """Return the item in one line."""
    record = item.record
    if item.kind == MORE:
        return more_words(item)
    if item.head is not None:
        return one_line(item.head.title)
    if isinstance(record, Approval):
        return one_line(str(record.effect.get("summary", "")) or "An approval without a summary")
    if isinstance(record, Notification):
        return one_line(record.title)
    return f"Did it happen? {call_words(record)}" if item.kind == "unknown" else call_words(record)


def face(item: InboxItem) -> str:
    """Return what the card says, as one string: it changes exactly when a reader would have to read it again."""
    record = item.record
    parts: list[object] = [item.kind]
    if isinstance(record, Approval):
        parts += [record.digest, record.effect, record.problem, bool(record.retry_of)]
    elif isinstance(record, ToolCall):
        parts += [record.name, record.arguments, record.summary, record.error]
    told = [(n.id, n.kind, n.title, n.body, n.who, n.sender, n.subject, n.trust, n.reason) for n in item.notices]
    plans = [[f.id, f.who, f.parties, f.due] for f in item.follow_ups], [[r.id, r.text, r.due] for r in item.reminders]
    put_off = [[a.id, a.act] for a in item.deferred]
    return json.dumps([*parts, told, item.folded, plans, put_off], sort_keys=True, default=str)


def kind_words(item: InboxItem) -> tuple[str, str]:
    """Return glyph and word for what the item is, with its priority if that adds something."""
    glyph, word = _KIND.get(item.kind, (PRIORITY_GLYPH[item.priority], item.priority.value))
    if (question := item.question) is not None:
        return glyph, question_words(question)
    if item.approval is not None and item.approval.problem:
        return "✗", word
    if item.kind in _KIND and item.head is not None and item.priority in (Priority.URGENT, Priority.HIGH):
        word = f"{item.priority.value} {word}" if item.approval is None else f"{word} · {item.priority.value}"
    return glyph, word


def _tone(item: InboxItem, ink: Ink) -> Style:
    failed = item.approval is not None and item.approval.problem
    if failed or item.kind in ("unknown", "trouble") or item.priority is Priority.URGENT:
        return ink.urgent
    if item.kind == "sent":
        return ink.ok
    if item.kind == "approval" or item.priority is Priority.HIGH:
        return ink.warn
    return ink.accent if item.kind == "sending" else ink.dim


def closed(item: InboxItem, pen: Pen, undo: str = "u") -> Text:
    """Return one line: what it is, whose, about what, and if there is room, why.

    ``undo`` is the key that takes it back.
    """
    glyph, word = kind_words(item)
    ink = pen.ink
    mark = Text(f"{glyph} ", _tone(item, ink))
    tone = ink.strong if item.unread else ink.plain
    if item.inert:
        when = pen.hour if isinstance(item.record, ToolCall) else pen.until
        return pen.cut(Text.assemble(mark, (way_words(item, when, f"{undo} takes it back", pen.width - 2), ink.plain)))
    rest = Text.assemble((subject_of(item), tone))
    if item.approval is not None and item.head is not None:
        rest.append(f"  → {recipient(item.approval)}", ink.warn)
    if pen.width >= WIDE:
        reason = one_line(getattr(item.record, "reason", ""))
        rest.append(f"  {word}" + (f" · {reason}" if reason else ""), ink.dim)
    return pen.columns(mark, Text(name_of(item), tone), rest, age(item.at, pen.now), count_of(item))


def opened(item: InboxItem, pen: Pen) -> list[Text]:
    """Return all lines of the card."""
    ink = pen.ink
    glyph, state = kind_words(item)
    record = item.record
    ends = item.approval.expires_at if item.approval is not None else getattr(record, "expires_at", None)
    if ends is not None:
        state += f" until {pen.hour(ends)}"
    lines = [pen.between(Text(f"{glyph} {state}", _tone(item, ink)), Text(pen.hour(item.at), ink.dim))]
    if item.approval is not None and item.approval.problem:
        lines += pen.hang(
            Text(f"{not_done(item.approval)}: ", ink.urgent), Text(one_line(item.approval.problem, 600), ink.urgent)
        )
    if item.matter and (item.approval or len(item.notices) > 1 or item.folded):
        lines += _requests(item, pen)
    elif item.kind == MORE:
        lines.append(Text(title(item), ink.strong))
        for notice in item.notices:
            lines += pen.hang(Text("│ ", ink.dim), Text(one_line(notice.title, 400)))
    elif isinstance(record, Notification):
        heading, body = told_once(title(item), clean(record.body))
        lines += [Text(heading, ink.strong)] if heading else []
        if record.sender and record.sender not in heading:
            lines += pen.hang(Text("from ", ink.dim), Text(sender_in_full(record), ink.dim))
        lines += [Text(line) for line in body.splitlines()]
    if isinstance(record, Approval):
        summary = one_line(str(record.effect.get("summary", "")) or "An approval without a summary")
        lines += [pen.cut(Text(summary, ink.strong)), *approval_lines(record, pen)]
    elif isinstance(record, ToolCall):
        lines.append(Text(title(item), ink.strong))
        lines += pen.hang(Text("with  ", ink.dim), Text(arguments_line(record.arguments, 600)))
        if record.error:
            lines += [Text(one_line(record.error, 600))]
    lines += [line for words in planned(item, pen.until) for line in pen.hang(Text("◷ ", ink.dim), Text(words))]
    reasons = dict.fromkeys(one_line(getattr(each, "reason", "") or "", 600) for each in (record, item.head))
    for reason in (words for words in reasons if words):
        lines += pen.hang(Text("because ", ink.dim), Text(reason, ink.dim))
    return lines


def _requests(item: InboxItem, pen: Pen) -> list[Text]:
    """Return the requests of a matter, each behind a bar: sender, time, and full text."""
    ink, lines = pen.ink, []
    if item.head is not None:
        lines = pen.hang(Text(""), Text(title(item), ink.strong))
    for notice in item.notices:
        tone = {Priority.URGENT: ink.urgent, Priority.HIGH: ink.warn}.get(notice.priority, ink.dim)
        said = Text.assemble((f"{who_and_when(item, notice, pen.hour(notice.created_at))}: ", ink.dim))
        said.append(request_text(item, notice))
        mark = Text(f"{PRIORITY_GLYPH[notice.priority]} ", tone)
        for number, part in enumerate(wrap(said, max(8, pen.width - 2))):
            lines.append(Text.assemble(mark if number == 0 else Text("│ ", ink.dim), part))
    lines += [Text(f"and {count} more from {more_from(trust)}", ink.warn) for trust, count in item.folded]
    return lines


def who_and_when(item: InboxItem, notice: Notification, when: str) -> str:
    """Say who sent a request and when, with the address unless the sender is the one who names the card."""
    named = item.head is not None and notice.sender == item.head.sender and notice.trust == item.head.trust
    who = sender_name(notice) if named and notice.trust != "unknown" else sender_in_full(notice)
    return " · ".join(part for part in (who or _KIND.get(notice.kind, ("", "notice"))[1], when) if part)


def request_text(item: InboxItem, notice: Notification) -> str:
    """Return a request's text, with its subject if that differs from the card's."""
    subject = one_line(notice.subject)
    same = item.head is not None and _bare(subject) == _bare(one_line(item.head.subject))
    body = clean(notice.body).strip() or one_line(notice.title)
    return f"{subject}: {body}" if subject and not same and not body.startswith(subject) else body


def _bare(subject: str) -> str:
    return subject.casefold().removeprefix("re: ")


def planned(item: InboxItem, until: Callable[[float], str]) -> list[str]:
    """Say what is planned about the matter."""
    lines = [f"waits for {awaited_from(each)}'s answer until {until(each.due)}" for each in item.follow_ups]
    lines += [f"reminds {until(each.due)}: {one_line(each.text, 100)}" for each in item.reminders]
    put_off = deferred_words(item.deferred, ())
    return [*lines, *([put_off] if put_off else [])]


def way_words(item: InboxItem, when: Callable[[float], str], take_back: str = "", width: int = 0) -> str:
    """Say what is being sent, with its window and how to ``take_back``; or that it was sent, and when.

    Of what is being sent as much is said as leaves room, in ``width`` cells, for the rest.
    """
    record = item.record
    if isinstance(record, Approval):
        sends = goes_to_somebody(record)
        what = name_of(item) if sends else one_line(str(record.effect.get("summary", "")))
        if item.seconds is None:
            return f"{what}: {'sending' if sends else 'being done'}"
        left = when(record.acts_at or 0.0) if item.seconds == LATER else f"in {item.seconds} s"
        rest = f": {'sends' if sends else 'is done'} {left}" + (f" · {take_back}" if take_back else "")
        named = Text(what)
        if width:
            named.truncate(max(_LEAST, width - cell_len(rest)), overflow="ellipsis")
        return named.plain + rest
    if not isinstance(record, ToolCall):
        return ""
    ended = when(record.ended_at or record.created_at)
    if record.effect is Effect.SEND:
        return f"sent to {name_of(item).removeprefix('→ ')} {ended}"
    return f"done {ended}: {call_words(record)}"


def told_once(heading: str, body: str) -> tuple[str, str]:
    """Return heading and body without repetition: the body often begins with the heading, or its end."""
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
    """Return each line of the effect as it would happen."""
    effect = approval.resolved
    width = min(12, max((len(line.label) for line in effect.lines if not line.outside), default=0)) + 2
    lines: list[Text] = []
    if effect.account and not any(line.value == effect.account for line in effect.lines):
        lines += pen.hang(Text(f"{'account':<{max(width, 9)}}", pen.ink.dim), Text(one_line(effect.account)))
    for line in effect.lines:
        if line.value or line.untrusted:
            lines += card_line(line, pen, max(width, 9))
    return lines


def card_line(line: CardLine, pen: Pen, width: int) -> list[Text]:
    """Draw one line of a card.

    A value with several lines is set below its label behind a bar, and so is any value whose label comes from outside.
    """
    ink = pen.ink
    label = Text(label_words(line), ink.accent if line.outside else ink.dim)
    label.pad_right(max(1, width - label.cell_len))
    value = spelled(shown_value(line))
    marks = Text("")
    if line.untrusted:
        marks.append(f" {trust_words(line)}", ink.dim if line.quiet else ink.urgent if line.warning else ink.warn)
    if unseen := hidden(line.value):
        marks.append(f" ⚠ {unseen_words(unseen)}", ink.urgent)
    loud = line.untrusted and not line.quiet
    tone = ink.warn if loud else ink.plain
    if not (line.multiline or line.outside or "\n" in value):
        return pen.hang(label, Text.assemble((value, tone), marks))
    bar = Text("│ ", ink.warn if loud else ink.dim)
    inner = Pen(ink, pen.width, pen.zone, pen.now)
    body = [part for text in value.split("\n") for part in inner.hang(bar, Text(text))]
    for part in body:
        if not part.plain.startswith("│"):
            part.plain = "│" + part.plain[1:]
    if not line.outside:
        return [*wrap(Text.assemble(label, marks), pen.width), *body]
    first, _, rest = label.plain.partition(" ")  # a long name wraps under itself, never in Pepper's own column
    return [*inner.hang(Text(f"{first} ", ink.dim), Text.assemble((rest.rstrip(), ink.accent), marks)), *body]
