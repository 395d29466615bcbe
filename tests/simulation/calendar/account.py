"""The calendar of a world at the double of Google, in process, below the sockets of the client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from pepper_tui.connectors.google_calendar.service import EVENTS, READ
from tests.google.calendar.book import Calendar
from tests.google.service import Service
from tests.google.sign_in import CLIENT
from tests.simulation.mail.account import Surroundings
from tests.simulation.mail.google import SECRET, Double
from tests.simulation.mail.road import WAITS, Road

IDENT: Final = "dates"
ADDRESS: Final = "me@dates.example"
CALENDAR: Final = "dates/me-dates-example"
PORT: Final = 11
URL: Final = f"http://127.0.0.1:{PORT}"
LASTS: Final = 1800.0


def is_change(name: str) -> bool:
    """Whether a request, by method and path, changes something."""
    return name.startswith(("POST", "PATCH", "DELETE")) and "/calendar/" in name


class DatesAccount(Double):
    """``done`` is told each change that Pepper makes: what it was, the UID, and the start from then on."""

    def __init__(self, around: Surroundings, done: Callable[[str, str, float], None]) -> None:
        self.road = Road(around.chance, around.kill, is_change, "/events")
        self.service = Service([ADDRESS], around.now)
        self.book = self.service.books[ADDRESS].calendar("primary")
        self._done, self._keep = done, Calendar._kept
        self._by_pepper = True
        self.book.__dict__["_kept"] = self._kept
        self.grant = self.service.sign_in.allow(ADDRESS, [READ, EVENTS])
        self.config: dict[str, Any] = {
            "id": IDENT,
            "kind": "google_calendar",
            "address": ADDRESS,
            "endpoint": URL,
            "client_id": CLIENT["client_id"],
            "client_secret": f"env:{SECRET}",
            "scan_interval": around.chance.choice((40.0, 150.0)),
            "timeout": WAITS,
        }

    def elsewhere(self, act: Callable[[], object]) -> None:
        """Let another program do it."""
        self._by_pepper = False
        try:
            act()
        finally:
            self._by_pepper = True

    def put(self, number: int, title: str, start: float) -> None:
        ident = f"other{number:06}"
        self.elsewhere(lambda: self.book.insert({"id": ident, "summary": title, **_times(start)}))

    def move(self, uid: str, start: float) -> None:
        self.elsewhere(lambda: self.book.patch(self._ident(uid), _times(start)))

    def drop(self, uid: str) -> None:
        self.elsewhere(lambda: self.book.cancel(self._ident(uid)))

    def lying(self) -> dict[str, tuple[float, str]]:
        """Start and title of each event, by UID."""
        return {_uid(each): (_start(each), each["summary"]) for each in self._there()}

    def calm(self) -> None:
        self.road.calm()
        self.service.faults.clear()

    def _there(self) -> list[Mapping[str, Any]]:
        return [each for each in self.book.events.values() if each["status"] != "cancelled"]

    def _ident(self, uid: str) -> str:
        return next(str(each["id"]) for each in self._there() if _uid(each) == uid)

    def _kept(self, ident: str, event: Mapping[str, Any], made: bool = False) -> Any:
        kept = self._keep(self.book, ident, dict(event), made)
        if self._by_pepper:
            what = "drop" if kept["status"] == "cancelled" else "put" if made else "move"
            self._done(what, _uid(kept), _start(kept))
        return kept


def _uid(event: Mapping[str, Any]) -> str:
    ours = ((event.get("extendedProperties") or {}).get("private") or {}).get("pepperUid")
    return str(ours or event["iCalUID"])


def _start(event: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(event["start"]["dateTime"]).timestamp()


def _times(start: float) -> dict[str, Any]:
    spans = (("start", start), ("end", start + LASTS))
    return {name: {"dateTime": datetime.fromtimestamp(at, UTC).isoformat(), "timeZone": "UTC"} for name, at in spans}
