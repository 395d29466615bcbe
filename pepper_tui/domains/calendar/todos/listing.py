"""To-dos in answers: those that are due in some days, and beside today those that are overdue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, tzinfo
from typing import Final

from pepper_tui.domains.calendar.telling.day import day_of
from pepper_tui.domains.calendar.todos.todo import HasTodos, Todo
from pepper_tui.text import one_line

MOST: Final = 50
"""To-dos of one stretch of days, and overdue ones, that are listed; how many more there are is said."""
MOST_LISTED: Final = 200
_DEFECTS: Final = 3
_HIGH: Final = 4
"""Priorities up to this one are high (RFC 5545, 3.8.1.9)."""


async def todos_in(agenda: object) -> list[Todo]:
    """Return the to-dos that are not done, and due at some time, the first due first."""
    found = await agenda.todos.read() if isinstance(agenda, HasTodos) else []
    return sorted((each for each in found if not each.done and each.due is not None), key=_order)


def unread_todos(agenda: object) -> str:
    """Return what of the to-dos could not be read, in a line; empty if all was."""
    found = agenda.todos.defects if isinstance(agenda, HasTodos) else []
    more = f"; and {len(found) - _DEFECTS} more" if len(found) > _DEFECTS else ""
    return "; ".join(one_line(each, 160) for each in found[:_DEFECTS]) + more


def due_lines(
    todos: Sequence[Todo], begins: float, ends: float, now: float, today: date, zone: tzinfo,
    named: Callable[[str], str],
) -> list[tuple[float, str]]:  # fmt: skip
    """Return a line for each that is due in [begins, ends), and when it is due.

    Where ``now`` is in between, those that are overdue come first, whenever they were due.
    """
    there = [each for each in todos if begins <= (each.due or 0.0) < ends]
    if begins <= now < ends:
        there += [each for each in todos if (each.due or 0.0) < begins]
    there.sort(key=_order)
    lines = [(each.due or 0.0, _line(each, now, today, zone, named)) for each in there[:MOST]]
    if len(there) > MOST:
        lines.append((there[MOST - 1].due or 0.0, f"{len(there) - MOST} more to-dos are due; these are the first."))
    return lines


def listed(todos: Sequence[Todo], now: float, zone: tzinfo, named: Callable[[str], str]) -> list[str]:
    """Return a line for each, by when it is due; those that are due at no time come last."""
    today = datetime.fromtimestamp(now, zone).date()
    there = sorted(todos, key=lambda each: (each.due is None, *_order(each)))
    lines = [_line(each, now, today, zone, named) for each in there[:MOST_LISTED]]
    more = len(there) - MOST_LISTED
    return [*lines, f"{more} more to-dos; these are the first."] if more > 0 else lines


def _order(todo: Todo) -> tuple[float, int]:
    return todo.due or 0.0, todo.priority or 10


def _line(todo: Todo, now: float, today: date, zone: tzinfo, named: Callable[[str], str]) -> str:
    when = "at no time"
    if todo.due is not None:
        at = datetime.fromtimestamp(todo.due, zone)
        when = day_of(at.date(), today) + ("" if todo.all_day else f", {at:%H:%M}")
    place = f", {one_line(todo.location, 200)}" if todo.location else ""
    place += f" [{called}]" if (called := named(todo.calendar)) else ""
    overdue = todo.is_overdue(now, zone)
    notes = ["to-do"] + (["overdue"] if overdue else []) + (["high priority"] if 0 < todo.priority <= _HIGH else [])
    notes += ["repeats"] if todo.repeats else []
    return f"{'was due ' if overdue else ''}{when}: {todo.title}{place} ({', '.join(notes)})"
