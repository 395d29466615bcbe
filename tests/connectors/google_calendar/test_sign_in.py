"""Signing in for a calendar: what is asked for, whose it must be, and that it is apart from Gmail's."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from pepper_tui.boundary.secret_keeper import keeper_of
from pepper_tui.clock import ManualClock
from pepper_tui.config import Config, Secrets
from pepper_tui.connectors.finding import Finding, Patient
from pepper_tui.connectors.google_account.sign_in.grant import note_wanted
from pepper_tui.connectors.google_calendar import CONNECTOR
from pepper_tui.connectors.google_calendar.service import CALENDAR, EVENTS, READ
from pepper_tui.text.errors import PepperError
from tests.connectors.gmail.account import kept as kept_by_gmail
from tests.connectors.gmail.test_sign_in import Talk
from tests.connectors.gmail.test_sign_in import settings_of as gmail_settings
from tests.connectors.google_calendar.account import ALEX, SECRET, allow, kept, settings_of
from tests.google import Google
from tests.google.discovery import discovery


async def sign_in(google: Google, home: Path, clock: ManualClock, talk: Talk) -> str:
    assert CONNECTOR.sign_in is not None
    return await CONNECTOR.sign_in(settings_of(google), home, Secrets(home, SECRET), clock, talk)


def scopes_in(talk: Talk) -> list[str]:
    return parse_qs(urlsplit(talk.address).query)["scope"][0].split()


async def test_it_asks_to_read_first_and_for_more_once_that_was_missed(
    google: Google, tmp_path: Path, clock: ManualClock
) -> None:
    said = await sign_in(google, tmp_path, clock, talk := Talk())
    assert (said, scopes_in(talk)) == (f"Signed in as {ALEX}: Pepper may read your calendars.", [READ])
    assert kept_by_gmail(gmail_settings(google), tmp_path) is None
    grant = kept(settings_of(google), tmp_path)
    assert grant is not None
    note_wanted("add", grant, settings_of(google), keeper_of(tmp_path))
    said = await sign_in(google, tmp_path, clock, talk := Talk())
    assert said == f"Signed in as {ALEX}: Pepper may read your calendars and add or change events."
    assert scopes_in(talk) == [READ, EVENTS]
    assert CONNECTOR.sign_out is not None
    assert await CONNECTOR.sign_out(settings_of(google), tmp_path, Secrets(tmp_path, SECRET)) == (
        f"Signed out of {ALEX}."
    )
    assert not google.service.sign_in.grants[-1].live
    assert kept(settings_of(google), tmp_path) is None


async def test_what_goes_wrong_is_told_and_nothing_is_kept(google: Google, tmp_path: Path, clock: ManualClock) -> None:
    google.service.sign_in.ticked = frozenset([EVENTS])
    with pytest.raises(PepperError, match="was not allowed to let Pepper read your calendars"):
        await sign_in(google, tmp_path, clock, Talk())
    google.service.sign_in.ticked = None
    primary = google.book.calendars[ALEX]
    google.fault("calendar.calendarList.get", meanwhile=lambda: setattr(primary, "id", "alex@work.example"))
    with pytest.raises(PepperError, match=r"you signed in as alex@work\.example, and the account is"):
        await sign_in(google, tmp_path, clock, Talk())
    assert not any(grant.live for grant in google.service.sign_in.grants)
    assert kept(settings_of(google), tmp_path) is None


async def test_the_doctor_says_what_it_finds(google: Google, tmp_path: Path) -> None:
    assert CONNECTOR.check is not None
    check = CONNECTOR.check

    async def found(*calendars: str) -> Finding:
        patient = Patient(tmp_path, Config(), Secrets(tmp_path, SECRET), {}, ident="me")
        [one] = [each async for each in check(settings_of(google, calendars=list(calendars)), patient)]
        return one

    one = await found()
    assert (one.state, one.detail) == ("trouble", f"{ALEX} is not signed in to Google")
    assert one.remedy == "run: pepper accounts signin me"
    allow(google, settings_of(google), tmp_path, READ)
    one = await found()
    assert (one.state, one.detail) == ("ok", f"1 calendar: {ALEX}; Pepper may read your calendars")
    one = await found("Choir")
    assert (one.state, one.detail) == ("trouble", f"no calendar Choir; there are: {ALEX}")
    google.book.calendars[ALEX].selected = False
    one = await found()
    assert (one.state, one.detail) == ("note", f"none is ticked at Google, so none is read; there are: {ALEX}")


def test_every_command_is_googles_and_within_what_is_asked_for() -> None:
    api = discovery("calendar", "v3")
    assert {f"calendar.{command}" for command in CALENDAR.prices} <= set(api.idents)
    commands = {each.ident.removeprefix("calendar."): each for each in api._commands}
    for command in CALENDAR.prices:
        writes = command in ("events.insert", "events.patch", "events.delete")
        assert commands[command].scopes & {EVENTS if writes else READ}


async def test_nothing_of_googles_is_imported_before_the_first_call() -> None:
    code = (
        "import sys; import pepper_tui.connectors.google_calendar; "
        "print([m for m in ('googleapiclient', 'google.auth', 'httplib2', 'icalendar') if m in sys.modules])"
    )
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
