"""Google Calendar as Pepper uses it: its commands, and what the user may allow: reading first, more when it is needed.

Google counts requests, 600 a minute and user where nobody has asked for more.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from pepper_tui.connectors.google_account.service import May, Service

READ: Final = "https://www.googleapis.com/auth/calendar.readonly"
EVENTS: Final = "https://www.googleapis.com/auth/calendar.events"
ALL: Final = "https://www.googleapis.com/auth/calendar"


def _least(wanted: Collection[May]) -> list[str]:
    return [READ, EVENTS] if "add" in wanted else [READ]


CALENDAR: Final = Service(
    called="google_calendar",
    api="calendar",
    version="v3",
    endpoint="https://www.googleapis.com",
    prices=dict.fromkeys(
        (
            "calendarList.get",
            "calendarList.list",
            "events.delete",
            "events.get",
            "events.insert",
            "events.list",
            "events.patch",
            "freebusy.query",
        ),
        1,
    ),
    units=600,
    whose=("calendarList.get", {"calendarId": "primary"}, "id"),
    words={"read": "read your calendars", "add": "add or change events"},
    gives={READ: frozenset({"read"}), EVENTS: frozenset({"add"}), ALL: frozenset({"read", "add"})},
    least=_least,
)
