"""How days and what is on them look: a heading for each day, one line for each entry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from rich.text import Text

from pepper_tui.domains.calendar.days.records import DayEntry, DaysPage
from pepper_tui.text import clean, one_line
from pepper_tui.ui.screen.ink import Pen
from pepper_tui.ui.screen.lists.drawn_rows import Row
from pepper_tui.ui.shared.keys import KeyNames

_TIMES: Final = 13  # cells of the times
_REPEATS: Final = {"event": "yes: a key asks whether it means this time, all later ones, or all"}
_NEAR: Final = {-1: "yesterday", 0: "today", 1: "tomorrow"}


def page_rows(page: DaysPage, pen: Pen, *, empty_days: bool) -> tuple[list[Row], dict[str, DayEntry]]:
    """Return the rows, and the entry of each that is one. What lasts several days is on each of them.

    ``empty_days``: also days with nothing on them have a heading.
    """
    rows: list[Row] = []
    entries: dict[str, DayEntry] = {}
    first, today = date.fromisoformat(page.first), datetime.fromtimestamp(pen.now, pen.zone).date()
    for day in (first + timedelta(days=each) for each in range(page.days)):
        begins, ends = (
            datetime.combine(each, datetime.min.time(), pen.zone).timestamp() for each in (day, day + timedelta(days=1))
        )
        on_it = [one for one in page.entries if _is_on(one, day, begins, ends)]
        if on_it or empty_days:
            rows.append(_heading(day, today, len(on_it)))
        for entry in on_it:
            row = f"{entry.id}@{day.isoformat()}"
            entries[row] = entry
            rows.append(_entry(row, entry, _times(entry, begins, ends, pen), _state(entry, pen.now)))
    rows += [_left_out(number, words) for number, words in enumerate(page.left_out)]
    return rows, entries


def _is_on(entry: DayEntry, day: date, begins: float, ends: float) -> bool:
    if entry.kind == "todo":
        return entry.day == day.isoformat()
    return entry.start < ends and (entry.end > begins or entry.start == entry.end >= begins)


def _state(entry: DayEntry, now: float) -> str:
    if entry.kind == "todo":  # it is not over before it is done
        return ""
    if entry.end <= now:
        return "over"
    return "now" if entry.start <= now and not entry.all_day else ""


def _times(entry: DayEntry, begins: float, ends: float, pen: Pen) -> str:
    if entry.kind == "todo" and (entry.all_day or entry.start < begins):
        due = datetime.fromtimestamp(entry.start, pen.zone)
        return f"was {due.day} {due:%b}" if entry.start < begins else "due"
    if entry.all_day:
        return "all day"
    start, end = (f"{datetime.fromtimestamp(at, pen.zone):%H:%M}" for at in (entry.start, entry.end))
    before, after = entry.start < begins, entry.end > ends
    if before and after:
        return "all day"
    if before:
        return f"until {end}"
    return f"{start} …" if after else start if entry.end == entry.start else f"{start}–{end}"


def _heading(day: date, today: date, count: int) -> Row:
    near = _NEAR.get((day - today).days, "")
    year = "" if day.year == today.year else f" {day.year}"

    def draw(pen: Pen) -> list[Text]:
        ink = pen.ink
        tone = ink.accent if day == today else ink.dim if day < today else ink.strong
        said = Text(f"{day:%a} {day.day} {day:%b}{year}", tone)
        said.append(f" · {near}" if near else "", ink.dim)
        return [pen.between(said, Text("" if count else "nothing", ink.dim))]

    return Row(f"day:{day.isoformat()}", (near, year, count), draw, height=1, inert=True)


def _entry(row: str, entry: DayEntry, times: str, state: str) -> Row:
    waits = "not answered" in entry.notes
    notes = [*entry.notes, *(["now"] if state == "now" else [])]
    aside = " · ".join([*notes, *([entry.calendar] if entry.calendar else [])])

    def draw(pen: Pen) -> list[Text]:
        ink = pen.ink
        quiet = state == "over" or "declined" in entry.notes
        mark = ("? ", ink.warn) if waits else ("▸ ", ink.accent) if state == "now" else ("  ", ink.dim)
        said = Text.assemble(mark, (f"{times:<{_TIMES}}", ink.dim), (entry.title, ink.dim if quiet else ink.plain))
        said.append(f"  {entry.place}" if entry.place else "", ink.dim)
        room = max(0, pen.width // 3)
        return [pen.between(said, Text(one_line(aside, room) if room else "", ink.warn if waits else ink.dim))]

    return Row(row, (entry.title, times, entry.place, aside, state), draw, height=1)


def _left_out(number: int, words: str) -> Row:
    def draw(pen: Pen) -> list[Text]:
        return pen.hang(Text("✗ ", pen.ink.urgent), Text(one_line(words, 400), pen.ink.dim))

    return Row(f"left:{number}", words, draw, inert=True)


def entry_lines(entry: DayEntry, pen: Pen, names: KeyNames) -> list[Text]:
    """Return one entry in full, and the keys that it takes."""
    ink = pen.ink
    start, end = (datetime.fromtimestamp(at, pen.zone) for at in (entry.start, entry.end))
    when = f"{start:%A} {start.day} {start:%B %Y}"
    if not entry.all_day:
        until = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%a} {end.day} {end:%b %H:%M}"
        when += f", {start:%H:%M}" + (f"–{until}" if end > start else "")
    elif (last := (end - timedelta(seconds=1)).date()) > start.date():
        when += f" to {last:%A} {last.day} {last:%B}"
    told = [
        ("When", when),
        ("Repeats", _REPEATS.get(entry.kind, "yes") if entry.repeats else ""),
        ("Where", entry.place),
        ("Calendar", entry.calendar),
        ("From", entry.organizer),
        ("With", ", ".join(entry.people)),
        ("Your answer", ", ".join(entry.notes) if entry.kind == "event" else ""),
        ("Due", ", ".join(entry.notes) if entry.kind == "todo" else ""),
    ]
    lines = [*pen.hang(Text(""), Text(entry.title, ink.strong))]
    for label, words in told:
        if words:
            lines += pen.hang(Text(f"{label:<12}", ink.dim), Text(clean(words)))
    if entry.text.strip():
        lines += [Text(""), *(Text(line) for line in clean(entry.text).splitlines())]
    return [*lines, Text(""), *pen.hang(Text(""), Text(f"In the list: {' · '.join(hints(entry, names))}", ink.dim))]


def hints(entry: DayEntry | None, names: KeyNames) -> Sequence[str]:
    """Return what keys do with the entry; without one, what they do anywhere in the agenda."""
    if entry is None:
        ids = [("agenda.new", "new"), ("agenda.order", "span"), ("agenda.go", "day")]
    elif entry.kind == "reminder":
        ids = [("agenda.cancel", "cancel the reminder")]
    elif entry.kind == "todo":
        ids = [("agenda.cancel", "done")]
    elif entry.asks:
        ids = [
            ("agenda.accept", "accept"), ("agenda.maybe", "maybe"), ("agenda.decline", "decline"),
            ("agenda.propose", "another time"),
        ]  # fmt: skip
    else:
        ids = [("agenda.move", "move"), ("agenda.rename", "rename"), ("agenda.cancel", "cancel")]
    return [f"{names.of(key)} {word}" for key, word in ids]
