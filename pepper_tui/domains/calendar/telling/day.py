"""A day as answers name it."""

from __future__ import annotations

from datetime import date


def day_of(day: date, today: date) -> str:
    """Return the day with its date, and that it is today or tomorrow."""
    words = {0: "today, ", 1: "tomorrow, "}.get((day - today).days, "")
    return f"{words}{day:%a} {day.day} {day:%b %Y}"
