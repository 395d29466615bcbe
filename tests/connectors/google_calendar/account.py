"""An account at the double of Google, signed in: its settings, its copies in a store, and a whole engine with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pepper_tui.boundary.secret_keeper import keeper_of
from pepper_tui.clock import ManualClock
from pepper_tui.config import Secrets
from pepper_tui.connectors.calendar_copies import Copied
from pepper_tui.connectors.google_account.sign_in.grant import Client, Grant, grant_of, keep
from pepper_tui.connectors.google_calendar.copying import Copier
from pepper_tui.connectors.google_calendar.listing import CalendarAccount
from pepper_tui.connectors.google_calendar.service import EVENTS, READ
from pepper_tui.connectors.google_calendar.settings import GoogleCalendar
from pepper_tui.domains.calendar.objects import OBJECTS, CalendarObject
from pepper_tui.model import ContextFilter
from pepper_tui.store import ContextStore
from tests.connectors.caldav.test_account import CalendarDesk
from tests.engine.desk import BARE
from tests.google import Google
from tests.google.sign_in import CLIENT

ALEX = "alex@example.com"
SECRET = {"CLIENT_SECRET": CLIENT["client_secret"]}


def settings_of(google: Google, **more: Any) -> GoogleCalendar:
    client = {"client_id": CLIENT["client_id"], "client_secret": "env:CLIENT_SECRET"}
    return GoogleCalendar.model_validate({"address": ALEX, "endpoint": google.url, **client, **more})


def allow(google: Google, settings: GoogleCalendar, home: Path, *scopes: str) -> None:
    """A sign-in that took place."""
    held = google.allow(*(scopes or (READ, EVENTS)), user=settings.address)
    grant = Grant(settings.address, CLIENT["client_id"], settings.api, held["refresh_token"], held["scopes"])
    keep(grant, settings, keeper_of(home))


def kept(settings: GoogleCalendar, home: Path) -> Grant | None:
    return grant_of(settings, Client(CLIENT["client_id"], CLIENT["client_secret"]), keeper_of(home))


class Copy:
    """The copy of the account ``me``. One that begins anew has the store alone."""

    def __init__(self, google: Google, store: ContextStore, clock: ManualClock, home: Path) -> None:
        self.google, self.store, self.clock, self.home = google, store, clock, home
        allow(google, settings_of(google), home)
        self.begin()

    def begin(self, *wanted: str) -> None:
        settings = settings_of(self.google, calendars=list(wanted))
        self.account = CalendarAccount("me", settings, self.home, Secrets(self.home, SECRET), self.clock)
        self._copier = Copier(self.account, self.store, self.clock)

    async def look(self) -> Copied:
        return await self._copier.look()

    async def there(self) -> dict[str, CalendarObject]:
        """The objects, by Google's ids."""
        found = CalendarObject.readable(await self.store.query(ContextFilter(namespaces=[OBJECTS], limit=None)))
        return {each.place.rpartition("/")[2]: each for each in found if not each.gone}

    async def updates(self) -> int:
        """How often an object was stored."""
        return sum(each.version for each in await self.store.query(ContextFilter(namespaces=[OBJECTS], limit=None)))


def config_of(google: Google, **more: Any) -> str:
    told = {
        "id": "me", "kind": "google_calendar", "address": ALEX, "endpoint": google.url,
        "client_id": CLIENT["client_id"], "client_secret": "secret:client", **more,
    }  # fmt: skip
    return f"{BARE}[[account]]\nscan_interval = 60\n" + "".join(f'{name} = "{value}"\n' for name, value in told.items())


def at_google(home: Path, clock: ManualClock, google: Google, *scopes: str) -> CalendarDesk:
    """An engine whose account is signed in at ``google``."""
    allow(google, settings_of(google), home, *scopes)
    return CalendarDesk(home, clock, config_of(google), f"client = '{CLIENT['client_secret']}'")
