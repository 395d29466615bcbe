"""Calendars at the double of Google: storms, lost answers, sync tokens that end. Each change of an event is noted."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from pepper_tui.config import load_config
from pepper_tui.connectors.google_calendar.settings import GoogleCalendar
from tests.google import Google
from tests.google.calendar.book import Calendar
from tests.google.sign_in import CLIENT
from tests.kill.calendars.place import ADDRESS, LASTS, ZONE, At, Deed

_CHANGES: Final = ("insert", "insert", "patch", "delete")
_LOOKS: Final = ("list", "get")
_WHENS: Final = ("before", "in", "after")


class GooglePlace:
    """``google`` is a double that is there already, or none."""

    calendar = "dates/me-example-org"
    wanted = ADDRESS
    feed = "feed.dates"

    def __init__(self, google: Google | None) -> None:
        self.config = ""
        self.history: list[Deed] | None = []
        self._google, self._own = google or Google(ADDRESS), google is None
        self._by_us = True
        self._kept = Calendar._kept

    def begin(self) -> None:
        if self._own:
            self._google.start()
        self._book.__dict__["_kept"] = self._noted
        rows = {"id": "dates", "kind": "google_calendar", "address": ADDRESS, "endpoint": self._google.url,
                "client_id": CLIENT["client_id"], "client_secret": "env:CLIENT_SECRET"}  # fmt: skip
        told = "\n".join(f'{name} = "{value}"' for name, value in rows.items())
        self.config = f"\n[[account]]\nscan_interval = 0.7\ntimeout = 2.0\n{told}\n"

    def sign_in(self, home: Path) -> None:
        # not before: it loads what only a test of the engine needs
        from tests.connectors.google_calendar.account import allow

        [own] = [each.own for each in load_config(home).account if each.id == "dates"]
        allow(self._google, GoogleCalendar.model_validate(own), home)

    def end(self) -> None:
        if self._own:
            self._google.stop()

    def put(self, title: str, start: float) -> str:
        """Google takes small letters, and digits."""
        ident = title.lower().ljust(6, "v")
        self._by_another(lambda: self._book.insert({"id": ident, "summary": title, **_times(start)}))
        return f"{ident}@google.com"

    def move(self, uid: str, start: float) -> bool:
        return self._by_another(lambda: self._book.patch(self._at(uid), _times(start)))

    def drop(self, uid: str) -> bool:
        return self._by_another(lambda: self._book.cancel(self._at(uid)))

    def lying(self) -> dict[str, At]:
        with self._google.service.lock:
            return {_uid(each): At(_start(each), each["summary"]) for each in self._book.events.values()
                    if each["status"] != "cancelled"}  # fmt: skip

    def disturb(self, chance: random.Random, kill: Callable[[], None]) -> None:
        change, service = f"calendar.events.{chance.choice(_CHANGES)}", self._google.service
        drops: dict[str, Any] = {"when": chance.choice(_WHENS), "drop": True}
        match chance.randrange(7):
            case 0 | 1:
                self._google.fault(change, meanwhile=kill, when=chance.choice(("before", "after")))
            case 2 | 3:
                self._google.fault(change, **drops)
            case 4:
                self._google.fault(f"calendar.events.{chance.choice(_LOOKS)}", **drops, times=chance.randint(1, 3))
            case 5:
                self._google.fault("calendar.*", status=chance.choice([403, 429, 500, 503]), times=chance.randint(1, 6))
            case _:
                with service.lock:
                    chance.choice([self._book.expire_sync_tokens, service.sign_in.expire_access])()

    def calm(self) -> None:
        with self._google.service.lock:
            self._google.service.faults.clear()

    def problems(self) -> list[str]:
        told = [f"twice: Google has told guests: {each}" for each in self._book.invitations]
        return told + [f"lost: Google would not know this: {each}" for each in self._google.violations if self._own]

    @property
    def _book(self) -> Calendar:
        return self._google.book.calendar("primary")

    def _at(self, uid: str) -> str:
        there = (each for each in self._book.events.values() if each["status"] != "cancelled")
        return next(str(each["id"]) for each in there if _uid(each) == uid)

    def _by_another(self, act: Callable[[], object]) -> bool:
        with self._google.service.lock:
            self._by_us = False
            try:
                act()
            except StopIteration:  # it is not there any more
                return False
            finally:
                self._by_us = True
        return True

    def _noted(self, ident: str, event: Mapping[str, Any], made: bool = False) -> Any:
        kept = self._kept(self._book, ident, dict(event), made)
        assert self.history is not None
        kind: Any = "drop" if kept["status"] == "cancelled" else "put" if made else "move"
        self.history.append(Deed(self._by_us, kind, _uid(kept), _start(kept)))
        return kept


def _uid(event: Mapping[str, Any]) -> str:
    ours = ((event.get("extendedProperties") or {}).get("private") or {}).get("pepperUid")
    return str(ours or event["iCalUID"])


def _start(event: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(event["start"]["dateTime"]).timestamp()


def _times(start: float) -> dict[str, Any]:
    return {
        name: {"dateTime": datetime.fromtimestamp(at, ZONE).isoformat(), "timeZone": ZONE.key}
        for name, at in (("start", start), ("end", start + LASTS))
    }
