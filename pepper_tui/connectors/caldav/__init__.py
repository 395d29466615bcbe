"""Calendars at a CalDAV server (RFC 4791): copied into the store, and read from there. docs/accounts.md is for users.

| file | holds |
| --- | --- |
| ``settings.py`` | the keys of the ``[[account]]`` |
| ``wire.py`` ``errors.py`` | bounded requests to the one server; its failures, in words |
| ``dav.py`` | what is asked of the server, and what its answers say |
| ``copying.py`` ``feed.py`` | the copy of its calendars in the store, and the feed that keeps it |
| ``calendars.py`` | adding events to them |
| ``free_busy.py`` ``scheduling.py`` | when others are taken, asked of a server with scheduling (RFC 6638) |
| ``check.py`` | what the doctor says |
"""

from __future__ import annotations

from functools import partial

from pepper_tui.connectors.caldav.calendars import CalDavCalendars
from pepper_tui.connectors.caldav.check import check
from pepper_tui.connectors.caldav.feed import CalDavFeed
from pepper_tui.connectors.caldav.free_busy import CalDavFreeBusy
from pepper_tui.connectors.caldav.settings import CalDav
from pepper_tui.connectors.connector import Adding, Around, Asked, Built, Connector
from pepper_tui.domains.calendar.objects import KEPT, RETENTION


def _build(settings: CalDav, around: Around) -> Built:
    password = partial(around.secrets.value, settings.password)
    password()  # a secret that can't be read is reported at the start
    calendars = CalDavCalendars(around.ident, settings, password, around.store)
    free_busy = CalDavFreeBusy(around.ident, calendars.wire, around.clock)
    feed = CalDavFeed(around.ident, settings, password)
    return Built([feed], has_calendar=True, calendars=[calendars], free_busy=[free_busy])


CONNECTOR = Connector(
    _build,
    check,
    CalDav,
    retention=RETENTION,
    kept=KEPT,
    holds=("calendars",),
    adding=Adding(
        "Calendars at a CalDAV server (Nextcloud, Fastmail, iCloud, your own)",
        (
            Asked("url", "Address of the server, as https://cloud.example.com/remote.php/dav"),
            Asked("user", "User there"),
            Asked("password", "Password", secret="always"),
        ),
        hint="Many providers take only a password made for programs (an app password), not that of the account.",
    ),
)
