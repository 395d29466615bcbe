"""The calendars of an account at Google, by its API: copied into the store. docs/accounts.md is for users.

| file | holds |
| --- | --- |
| ``settings.py`` | the keys of the ``[[account]]`` |
| ``service.py`` | its commands, and what the user may allow |
| ``listing.py`` | what is asked of Google: calendars, and what changed in one |
| ``rendering.py`` ``descriptions.py`` | an event as iCalendar, and what it says without HTML |
| ``series.py`` | a series with its changed occurrences as one object |
| ``copying.py`` ``feed.py`` | the copy of its calendars in the store, and the feed that keeps it |
| ``calendars.py`` ``own_events.py`` | adding and changing events, and how those of Pepper's own are known again |
| ``changing.py`` ``differences.py`` | what is left to do until an event is as wanted, and what of it differs |
| ``free_busy.py`` | when others are taken, as far as Google shows it |
| ``check.py`` | what the doctor says |

Signing in, and each call, are of ``google_account/``.
"""

from __future__ import annotations

from pepper_tui.connectors.connector import Adding, Around, Asked, Built, Connector
from pepper_tui.connectors.google_account.signing import sign_in, sign_out
from pepper_tui.connectors.google_calendar.calendars import GoogleCalendars
from pepper_tui.connectors.google_calendar.check import check
from pepper_tui.connectors.google_calendar.feed import GoogleCalendarFeed
from pepper_tui.connectors.google_calendar.free_busy import GoogleFreeBusy
from pepper_tui.connectors.google_calendar.listing import CalendarAccount
from pepper_tui.connectors.google_calendar.settings import GoogleCalendar
from pepper_tui.domains.calendar.objects import KEPT, RETENTION


def _build(settings: GoogleCalendar, around: Around) -> Built:
    around.secrets.value(settings.client_secret)  # a secret that can't be read is reported at the start
    account = CalendarAccount(around.ident, settings, around.home, around.secrets, around.clock)
    calendars = GoogleCalendars(account, around.store)
    return Built(
        [GoogleCalendarFeed(account)], has_calendar=True, calendars=[calendars], free_busy=[GoogleFreeBusy(account)]
    )


CONNECTOR = Connector(
    _build,
    check,
    GoogleCalendar,
    sign_in=sign_in,
    sign_out=sign_out,
    retention=RETENTION,
    kept=KEPT,
    holds=("calendars",),
    adding=Adding(
        "Calendars at Google, by its API; you sign in in your browser",
        (
            Asked("address", "Your address there"),
            Asked("client_file", "File of your client, as Google's console gave it", unless="client_id"),
        ),
        hint="It needs a client of your own at Google: docs/accounts.md says how to get one.",
    ),
)
