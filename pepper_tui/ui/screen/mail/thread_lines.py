"""How a thread looks in the list: one line where there is room, else two. Each sign has one meaning (``SIGNS``)."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Final

from rich.text import Text

from pepper_tui.domains.mail.listing.records import ThreadRow
from pepper_tui.text import one_line
from pepper_tui.ui.screen.ink import Pen

ONE_LINE: Final = 72
"""Cells from which a thread takes one line."""
PLACE: Final = 100
"""Cells from which its account and folder are shown."""
_PEOPLE: Final = 24
_FOLDER: Final = 16
_DAY: Final = 8
SIGNS: Final = (
    ("■", "selected"),
    ("●", "unread"),
    ("⚑", "flagged"),
    ("+", "attachment"),
    ("↩", "answered"),
    ("⚠", "may not be who it seems"),
)


def height_at(width: int) -> int:
    """Return how many lines a thread takes."""
    return 1 if width >= ONE_LINE else 2


def face(row: ThreadRow) -> tuple[object, ...]:
    """Return what a row's lines depend on."""
    return (
        row.newest, row.count, row.unread, row.subject, row.begin, row.folder, row.account,
        row.flagged, row.answered, row.attached, row.doubtful, tuple(row.people),
    )  # fmt: skip


def thread_lines(row: ThreadRow, pen: Pen, *, selected: bool) -> list[Text]:
    """Return the row's lines."""
    ink = pen.ink
    tone = ink.strong if row.unread else ink.plain
    mark = Text("■ ", ink.accent) if selected else Text("● ", ink.accent) if row.unread else Text("  ")
    day = Text(when(row.at, pen.now, pen.zone), ink.dim)
    people = Text(people_words(row), tone)
    count = f" {row.count}" if row.count > 1 else ""
    about = Text.assemble(_signs(row, pen), (one_line(row.subject, 200) or "(no subject)", tone))
    begin = one_line(row.begin, 200)
    if begin:
        about.append(f"  {begin}", ink.dim)
    if height_at(pen.width + 2) == 2:
        people.truncate(max(4, pen.width - day.cell_len - len(count) - 3), overflow="ellipsis")
        return [pen.between(Text.assemble(mark, people, (count, ink.dim)), day), pen.cut(Text.assemble("  ", about))]
    people.truncate(_PEOPLE - len(count), overflow="ellipsis")
    people.append(count, ink.dim)
    people.truncate(_PEOPLE, pad=True)
    day.pad_left(max(0, _DAY - day.cell_len))
    ends = day
    if pen.width >= PLACE:
        place = Text(place_words(row), ink.dim)
        place.truncate(_FOLDER, overflow="ellipsis", pad=True)
        ends = Text.assemble(place, " ", day)
    return [pen.between(Text.assemble(mark, people, "  ", about), ends)]


def _signs(row: ThreadRow, pen: Pen) -> Text:
    ink = pen.ink
    shown = Text()
    for has, sign, style in (
        (row.doubtful, "⚠", ink.urgent),
        (row.flagged, "⚑", ink.warn),
        (row.attached, "+", ink.accent),
        (row.answered, "↩", ink.dim),
    ):
        if has:
            shown.append(f"{sign} ", style)
    return shown


def people_words(row: ThreadRow) -> str:
    """Return who wrote: one in full, several by their first names, the latest last."""
    named = [one_line(who, 60) or "you" for who in row.people]
    if len(named) == 1:
        return named[0]
    return ", ".join(who if "@" in who else who.split(" ")[0].strip(",") or who for who in named)


def place_words(row: ThreadRow) -> str:
    """Return where the newest mail is."""
    folder = one_line(row.folder, 60)
    folder = folder.rsplit("/", 1)[-1]
    return "/".join(filter(None, [one_line(row.account, 30), folder]))


def when(at: float, now: float, zone: tzinfo) -> str:
    """Return a local date, as short as it can be told from others."""
    then, today = datetime.fromtimestamp(at, zone), datetime.fromtimestamp(now, zone)
    if then.date() == today.date():
        return f"{then:%H:%M}"
    if then.year == today.year:
        return f"{then.day} {then:%b}"
    return f"{then:%b %Y}"


def row_words(row: ThreadRow, now: float, zone: tzinfo) -> str:
    """Return a row in words, to copy or to say."""
    marks = [
        word
        for has, word in (
            (row.unread, "unread"),
            (row.flagged, "flagged"),
            (row.attached, "attachment"),
            (row.answered, "answered"),
            (row.doubtful, "careful: may not be who it seems"),
        )
        if has
    ]
    mails = f"{row.count} mails" if row.count > 1 else ""
    facts = [people_words(row), mails, one_line(row.subject, 200) or "(no subject)", when(row.at, now, zone)]
    return ". ".join(filter(None, [*facts, ", ".join(marks), place_words(row)]))
