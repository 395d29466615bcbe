"""Calendars in files: .ics files and folders of them, read as signals; adding events writes to them."""

from __future__ import annotations

from pepper_tui.clock import Looks
from pepper_tui.config import Calendar
from pepper_tui.connectors.connector import Around, Built, Connector
from pepper_tui.connectors.ics.calendar_file import CalendarFiles
from pepper_tui.connectors.ics.check import check
from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.calendar.feed import CalendarFeed


def _build(settings: Calendar, around: Around) -> Built:
    config, looks = around.config, Looks(around.clock)
    own = config.own_addresses
    agenda = around.agenda or Agenda(settings.paths, around.zone, own, around.clock)
    feed = CalendarFeed(settings, around.triage, agenda)
    return Built([feed], agenda=agenda, calendars=CalendarFiles(settings.paths, looks))


CONNECTOR = Connector(_build, check)
