"""A brief made of facts: what calendar, mail, notes and files contain about an event, or about a day."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, Final

from pepper_tui.llm.offline.answers import in_words
from pepper_tui.llm.offline.briefs import keywords
from pepper_tui.model import Json, Signal
from pepper_tui.text import clean, one_line, shorten

log = logging.getLogger(__name__)

Look = Callable[[str, Json], Awaitable[str | None]]
"""Calls a read tool by name with arguments; returns what it found, or ``None`` if the tool is unavailable."""

_PART: Final = 1500  # characters of one part
_EMPTY: Final = ("No mail matches.", "No notes match.", "Nothing matches.", "No file matches.", "No reminders.")


async def brief(signal: Signal, look: Look, zone: tzinfo) -> tuple[str, str]:
    """Return title and text of a brief on the event of ``signal``, or on the day for a timed rule."""
    facts = signal.metadata
    if signal.source == "clock":
        title = "Brief: your day"
        asked: list[tuple[str, str, Json]] = [
            ("Calendar", "agenda", {"start": "today", "days": 1}),
            ("Newest mail", "search_mail", {"query": "", "limit": 8}),
            ("Reminders", "list_reminders", {}),
        ]
        head: list[str] = []
    else:
        topic = str(facts.get("summary") or facts.get("subject") or signal.content)
        title = f"Brief: {one_line(topic, 120)}"
        head = _head(facts, zone)
        query = keywords(topic)
        asked = [
            ("Calendar", "agenda", {"start": _day(facts, zone), "days": 1}),
            ("Mail", "search_mail", {"query": query, "limit": 5}),
            ("Notes", "search_notes", {"query": query}),
            ("Files", "search_files", {"query": query}),
        ]
    parts = [await _part(heading, tool, arguments, look) for heading, tool, arguments in asked]
    body = "\n\n".join(part for part in ("\n".join(head), *parts) if part)
    return title, body or "Nothing was found."


def _head(facts: Mapping[str, Any], zone: tzinfo) -> list[str]:
    lines = []
    start = facts.get("start")
    if isinstance(start, int | float) and not isinstance(start, bool):
        at = datetime.fromtimestamp(float(start), zone)
        lines.append(f"When: {at:%a} {at.day} {at:%b %H:%M}")
    if facts.get("location"):
        lines.append(f"Where: {one_line(str(facts['location']), 160)}")
    if attendees := _joined(facts.get("attendees")):
        lines.append(f"With: {one_line(attendees, 300)}")
    return lines


def _day(facts: Mapping[str, Any], zone: tzinfo) -> str:
    start = facts.get("start")
    if isinstance(start, int | float) and not isinstance(start, bool):
        return datetime.fromtimestamp(float(start), zone).date().isoformat()
    return "today"


async def _part(heading: str, tool: str, arguments: Json, look: Look) -> str:
    try:
        found = await look(tool, arguments)
    except Exception as error:  # a part that can't be read is named, the others stay
        log.info("a brief could not use %s: %s", tool, error)
        return f"{heading}: could not be read ({one_line(str(error), 200)})"
    if found is None:
        return ""
    words = in_words(tool, "succeeded", clean(found).strip(), {})
    first, _, rest = words.partition("\n")
    told = rest if first.endswith(":") else words
    if not told.strip() or told.strip() in _EMPTY:
        return ""
    return f"{heading}:\n{shorten(told.strip(), _PART)}"


def _joined(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(str(each) for each in value)
    return str(value or "")
