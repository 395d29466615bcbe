"""Tasks that the offline model gives to workers, and how it does them there: facts put together, nothing judged.

A task is text of ``Key: value`` lines, so that a real model can read it as well. A worker's plan follows from the task
alone: first its calls, then, when their results are there, the answer.
"""

from __future__ import annotations

import re
from typing import Final

from pepper_tui.model import Json
from pepper_tui.text import clean, one_line, shorten

_BRIEF: Final = "Brief"
_WAIT: Final = "Wait for the next mail in thread"
_LINE: Final = re.compile(r"^([A-Z][a-z ]+): (.*)$", re.MULTILINE)
_HEADINGS: Final = {
    "agenda": "Calendar",
    "search_mail": "Mail",
    "search_notes": "Notes",
    "search_files": "Files",
    "search_context": "Known",
    "wait_for_mail": "The mail that came",
}
_PART: Final = 1500
_SMALL: Final = frozenset(
    (
        *("a", "an", "and", "at", "for", "from", "in", "of", "on", "or", "the", "to", "with", "about", "my", "me"),
        *("meeting", "call", "sync", "weekly", "re", "fw", "fwd"),
    )
)


def brief_task(topic: str, *, start: str = "", watch: str = "", with_whom: str = "") -> str:
    """Return a task that asks for a brief on ``topic``; ``start`` is an ISO time."""
    lines = [f"{_BRIEF}: {one_line(topic, 160)}"]
    lines += [
        f"{key}: {one_line(value, 200)}"
        for key, value in (("Start", start), ("With", with_whom), ("Watch", watch))
        if value
    ]
    lines.append("Say what the calendar, the mail, the notes and the files hold on it. Short, facts only.")
    return "\n".join(lines)


def follow_task(thread: str, hours: float, subject: str = "") -> str:
    """Return a task that waits for the next mail of ``thread``, at most ``hours``."""
    lines = [f"{_WAIT}: {one_line(thread, 400)}", f"Hours: {hours:g}"]
    if subject:
        lines.append(f"Subject: {one_line(subject, 160)}")
    return "\n".join(lines)


def fields_of(task: str) -> dict[str, str]:
    """Return the ``Key: value`` lines of a task."""
    return {key: value.strip() for key, value in _LINE.findall(task)}


def title_of(task: str) -> str:
    """Return a short name of what a task was for."""
    fields = fields_of(task)
    if _BRIEF in fields:
        return f"Brief: {fields[_BRIEF]}"
    if _WAIT in fields:
        return f"Followed: {fields.get('Subject') or fields[_WAIT]}"
    return one_line(task, 120)


def is_brief(task: str) -> bool:
    return _BRIEF in fields_of(task)


def keywords(topic: str) -> str:
    """Return the words of ``topic`` that are worth a search."""
    words = [w for w in re.findall(r"[\w@.'-]+", topic) if w.lower().strip(".") not in _SMALL]
    return " ".join(words[:6]) or topic


def first_calls(task: str) -> list[tuple[str, Json]]:
    """Return the calls that a task begins with, as tool names and arguments."""
    fields = fields_of(task)
    if _WAIT in fields:
        try:
            hours = float(fields.get("Hours", "24"))
        except ValueError:
            hours = 24.0
        return [("wait_for_mail", {"thread": fields[_WAIT], "hours": hours})]
    topic = keywords(fields.get(_BRIEF) or one_line(task, 200))
    calls: list[tuple[str, Json]] = []
    if _BRIEF in fields:
        day = fields.get("Start", "")[:10]
        calls.append(("agenda", {"start": day if re.fullmatch(r"\d{4}-\d\d-\d\d", day) else "today", "days": 1}))
    calls.append(("search_mail", {"query": topic, "limit": 5}))
    calls.append(("search_notes", {"query": topic}))
    calls.append(("search_files", {"query": topic}))
    return calls


def answer(task: str, results: list[Json]) -> str:
    """Return a worker's answer, made from the facts of its results."""
    fields = fields_of(task)
    parts: list[str] = []
    if _BRIEF in fields:
        head = fields[_BRIEF]
        head += f"\nStart: {fields['Start']}" if fields.get("Start") else ""
        head += f"\nWith: {fields['With']}" if fields.get("With") else ""
        parts.append(head)
    elif _WAIT not in fields:
        parts.append("No language model is set, so this task was only searched for, not worked on.")
    for result in results:
        name, content = str(result.get("name", "")), clean(str(result.get("content", ""))).strip()
        heading = _HEADINGS.get(name, name)
        if result.get("state", "succeeded") != "succeeded":
            parts.append(f"{heading}: could not be read ({one_line(content, 200)})")
        elif content:
            parts.append(f"{heading}:\n{shorten(content, _PART)}")
    return "\n\n".join(parts) if parts else "Nothing was found."
