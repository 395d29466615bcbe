"""One ``[[account]]`` of the kind ``google_calendar``: which calendars are read, and whose they are."""

from __future__ import annotations

from typing import ClassVar

from pepper_tui.config.base import Seconds, Words
from pepper_tui.connectors.google_account.service import Service
from pepper_tui.connectors.google_account.settings import AtGoogle
from pepper_tui.connectors.google_calendar.service import CALENDAR


class GoogleCalendar(AtGoogle):
    service: ClassVar[Service] = CALENDAR

    calendars: Words = []  # the titles of those that are read; empty: those that are ticked at Google
    scan_interval: Seconds = 60.0  # seconds between two looks
