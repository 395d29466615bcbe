"""Calendars in files: .ics files and folders of them, read as signals; adding events writes to them."""

from __future__ import annotations

from pepper_tui.clock import Looks
from pepper_tui.config import Calendar
from pepper_tui.connectors.connector import Around, Built, Connector
from pepper_tui.connectors.ics.calendar_file import CalendarFiles
from pepper_tui.connectors.ics.check import check


def _build(settings: Calendar, around: Around) -> Built:
    calendars = CalendarFiles(settings.paths, Looks(around.clock))
    return Built(calendar_paths=[*settings.paths], calendars=calendars)


CONNECTOR = Connector(_build, check)
