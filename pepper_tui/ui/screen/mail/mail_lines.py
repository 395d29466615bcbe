"""How a mail looks when it is read: few headers, what is doubtful, its own words, its quotes folded, its files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rich.text import Text

from pepper_tui.domains.documents.file_text import FileText
from pepper_tui.domains.mail.listing.records import ThreadMail
from pepper_tui.text import clean, one_line
from pepper_tui.ui.screen.ink import Pen, wrap

SHOWN: Final = 20_000
"""Characters of a mail that are shown before all of it is asked for."""
FEW: Final = 3
"""Quoted lines that are not folded."""
_NAMED: Final = 4
"""Recipients that are named before all headers are asked for."""
_QUOTED: Final = re.compile(r"[ \t]{0,3}(?:>|\|[ \t]*>)")
_BEGINS: Final = re.compile(
    r"(?:-{2,} ?(?:original message|forwarded message|ursprüngliche nachricht|message d'origine)\b"
    r"|(?:on|am|le|el|il|op) .{5,200}(?:wrote|schrieb|écrit|escribió|scritto|schreef).{0,80}:\s*$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Looks:
    """What is shown of a mail. ``current``: it is the one that keys are about."""

    opened: bool = True
    quotes: bool = False
    all: bool = False
    current: bool = False


def mail_lines(mail: ThreadMail, pen: Pen, looks: Looks, keys: tuple[str, str], files: str = "") -> list[Text]:
    """Return its lines. ``keys``: those that show quotes, and all of a mail; ``files``: those of files, in words."""
    ink = pen.ink
    glyph = "▾" if looks.opened else "▸"
    bar = Text(f"{glyph} ", ink.accent if looks.current else ink.dim)
    who = "you" if mail.own else person_words(mail.sender)
    head = Text.assemble(bar, (who, ink.strong if mail.unread or looks.opened else ink.plain))
    if mail.unread:
        head.append(" ●", ink.accent)
    if "flagged" in mail.marks:
        head.append(" ⚑", ink.warn)
    if "answered" in mail.marks:
        head.append(" ↩", ink.dim)
    if mail.attachments:
        head.append(" +", ink.accent)
    if not looks.opened:
        own = clean(mail.text[:600]).split("\n")
        begin = " ".join(line.strip() for line in own if line.strip() and not _QUOTED.match(line))
        head.append(f"  {begin[:200]}", ink.dim)
    lines = [pen.between(head, Text(date_words(mail.at, pen), ink.dim))]
    if not looks.opened:
        return lines
    inner = Pen(ink, max(8, pen.width - 2), pen.zone, pen.now)
    below = [*_headers(mail, inner, looks), *_careful(mail, inner), Text("")]
    below += body_lines(mail.text, inner, looks, keys)
    below += _files(mail.attachments, inner, files)
    return [*lines, *(Text.assemble("  ", line) for line in below), Text("")]


def person_words(person: dict[str, Any]) -> str:
    """Return a name with its address, as the address decides who it is."""
    name, address = one_line(str(person.get("name") or ""), 80), one_line(str(person.get("address") or ""), 120)
    return f"{name} <{address}>" if name and address else name or address or "unknown sender"


def date_words(at: float, pen: Pen) -> str:
    then, today = datetime.fromtimestamp(at, pen.zone), datetime.fromtimestamp(pen.now, pen.zone)
    if then.date() == today.date():
        return f"{then:%H:%M}"
    year = "" if then.year == today.year else f" {then.year}"
    return f"{then:%a} {then.day} {then:%b}{year} {then:%H:%M}"


def _headers(mail: ThreadMail, pen: Pen, looks: Looks) -> list[Text]:
    ink, lines = pen.ink, []
    rows = [("to", _people(mail.to, looks)), ("cc", _people(mail.cc, looks))]
    if looks.all:
        place = "/".join(filter(None, [mail.account, *mail.folders[:1]]))
        rows += [
            ("reply to", _people(mail.reply_to, looks)),
            ("subject", one_line(mail.subject, 500)),
            ("in", one_line(", ".join([place, *mail.folders[1:]]), 300)),
            *((one_line(label, 24), one_line(value, 1000)) for label, value in mail.headers),
        ]
    width = max([len(label) for label, value in rows if value] or [0]) + 2
    for label, value in rows:
        if value:
            lines += pen.hang(Text(f"{label:<{width}}", ink.dim), Text(value, ink.dim))
    return lines


def _people(people: Sequence[dict[str, Any]], looks: Looks) -> str:
    shown = people if looks.all else people[:_NAMED]
    words = ", ".join(person_words(each) for each in shown)
    return f"{words} and {len(people) - len(shown)} more" if len(shown) < len(people) else words


def _careful(mail: ThreadMail, pen: Pen) -> list[Text]:
    lines = []
    for doubt in mail.doubts:
        lines += pen.hang(Text("⚠ careful: ", pen.ink.urgent), Text(one_line(doubt, 400), pen.ink.urgent))
    if mail.cut:
        lines += pen.hang(Text("⚠ not all of it was read: ", pen.ink.warn), Text(one_line(mail.cut, 400), pen.ink.warn))
    return lines


def body_lines(text: str, pen: Pen, looks: Looks, keys: tuple[str, str]) -> list[Text]:
    """Return the text, its quotes folded unless they are asked for."""
    ink, quotes_key, all_key = pen.ink, *keys
    whole = text if looks.all else text[:SHOWN]
    said = clean(whole).rstrip().split("\n")
    lines: list[Text] = []
    quoted: list[str] = []

    def fold() -> None:
        if quoted and not looks.quotes and len(quoted) > FEW:
            lines.append(Text(f"│ {len(quoted)} quoted lines · {quotes_key} shows them", ink.dim))
        else:
            lines.extend(part for each in quoted for part in pen.hang(Text("│ ", ink.dim), Text(_bare(each), ink.dim)))
        quoted.clear()

    old = False  # below a line that begins the old mail, unmarked as it may be
    for at, line in enumerate(said):
        begins = bool(_BEGINS.match(line.strip()[:400])) and at > 0
        old = old or (begins and "--" in line)
        if old or begins or _QUOTED.match(line) or (quoted and not line.strip() and _more_quoted(said, at)):
            quoted.append(line)
            continue
        fold()
        lines.extend(wrap(Text(line), pen.width))
    fold()
    if len(whole) < len(text):
        lines.append(Text(f"… {len(text) - len(whole):,} more characters · {all_key} shows all", ink.warn))
    return lines if text.strip() else [Text("(no text)", ink.dim)]


def _more_quoted(said: Sequence[str], at: int) -> bool:
    following = next((line for line in said[at + 1 : at + 3] if line.strip()), "")
    return bool(_QUOTED.match(following))


def _bare(line: str) -> str:
    return line.strip().removeprefix(">").removeprefix(" ")


def _files(attachments: Sequence[dict[str, Any]], pen: Pen, ways: str) -> list[Text]:
    if not attachments:
        return []
    ink, lines = pen.ink, [Text("")]
    for number, each in enumerate(attachments, 1):
        name = one_line(str(each.get("name") or "unnamed"), 120)
        facts = f"  {one_line(str(each.get('type') or ''), 60)} · {size_words(each.get('size'))}"
        lines += pen.hang(Text(f"+ {number} ", ink.accent), Text.assemble(name, (facts, ink.dim)))
    return [*lines, *pen.hang(Text(""), Text(ways, ink.dim))] if ways else lines


def file_lines(name: str, reading: FileText, pen: Pen) -> list[Text]:
    """Return the text of a file that came with a mail, as it is shown to be read."""
    lines = wrap(Text(name, pen.ink.accent), pen.width)
    for note in reading.notes:
        lines += pen.hang(Text("⚠ ", pen.ink.warn), Text(one_line(note, 400), pen.ink.warn))
    lines.append(Text(""))
    for line in (clean(reading.text) or "(there is no text in it)").split("\n"):
        lines += wrap(Text(line), pen.width)
    return lines


def size_words(size: object) -> str:
    """Return a size in bytes for people."""
    if not isinstance(size, int | float):
        return "size unknown"
    if size < 1000:
        return f"{size:.0f} bytes"
    return f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"
