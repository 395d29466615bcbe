"""Calendars in iCalendar files: those of this machine, read and added to, and those that others publish.

| file | holds |
| --- | --- |
| ``calendar_file.py`` | adding an event to a file |
| ``settings.py`` ``published.py`` | a calendar under an address: the keys of its ``[[account]]``, and its feed |
| ``check.py`` | what the doctor says |
"""

from __future__ import annotations

from functools import partial

from pepper_tui.clock import Looks
from pepper_tui.config import Calendar
from pepper_tui.connectors.connector import Adding, Around, Asked, Built, Connector
from pepper_tui.connectors.ics.calendar_file import CalendarFiles
from pepper_tui.connectors.ics.check import check
from pepper_tui.connectors.ics.published import PublishedFeed, reach_of
from pepper_tui.connectors.ics.settings import IcsAddress
from pepper_tui.domains.calendar.objects import KEPT, RETENTION


def _build(settings: Calendar | IcsAddress, around: Around) -> Built:
    if isinstance(settings, Calendar):
        calendars = CalendarFiles(settings.paths, Looks(around.clock))
        return Built(calendar_paths=[*settings.paths], calendars=[calendars])
    reach = partial(reach_of, settings, around.ident, around.secrets)
    reach()  # a secret that can't be read is reported at the start
    return Built([PublishedFeed(around.ident, settings, reach)], has_calendar=True)


CONNECTOR = Connector(
    _build,
    check,
    IcsAddress,
    retention=RETENTION,
    kept=KEPT,
    holds=("calendars",),
    adding=Adding(
        "A calendar that is published under an address (iCal, webcal); it is only read",
        (Asked("url", "Address, as https://… or webcal://…", secret="maybe"),),
        hint="A calendar file of this machine is no account: add it to paths of [calendar] in config.toml.",
    ),
)
