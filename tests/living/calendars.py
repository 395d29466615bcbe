"""Servers of calendars that a test ends, starts again, or lets take everything and answer nothing."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Protocol

from tests.connectors.caldav.servers import PASSWORD, USER, Server, event, running
from tests.connectors.google_calendar.account import ALEX, allow, settings_of
from tests.connectors.http_middle import HttpMiddle
from tests.connectors.ics.test_published import SECRET, Publisher
from tests.google import Google
from tests.google.sign_in import CLIENT

SECRETS: Final = f"cal = '{PASSWORD}'\nclient = '{CLIENT['client_secret']}'"
DAY: Final = "2027-02-"


class CalendarServer(Protocol):
    """``ident``: of its account. ``road`` leads to it. ``own``: the calendar that Pepper may add to; none, if empty."""

    ident: str
    own: str
    road: HttpMiddle

    @property
    def account(self) -> str:
        """Return what stands in the config."""
        ...

    def start(self, port: int = 0) -> None:
        """Run where it ran before, with what it had."""
        ...

    def kill(self) -> None: ...

    def add(self, title: str, day: int) -> None:
        """Let another program add an event of an hour, from 10:00 UTC."""
        ...

    def titles(self) -> list[str]: ...


class Radicale:
    ident, own = "cal", "Work"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self._parts = ExitStack()
        self.server: Server | None = None
        self.start()
        assert self.server is not None
        self.server.make("work", "Work")

    def start(self, port: int = 0) -> None:
        to = self.server.port if self.server else 0
        self.server = self._parts.enter_context(running(self._folder, to))
        self.road = self._parts.enter_context(HttpMiddle(self.server.port, port=port))

    def kill(self) -> None:
        assert self.server is not None
        self.server.kill()
        self._parts.close()

    @property
    def account(self) -> str:
        url = f"http://127.0.0.1:{self.road.port}/"
        return f'kind = "caldav"\nurl = "{url}"\nuser = "{USER}"\npassword = "secret:cal"\n'

    def add(self, title: str, day: int) -> None:
        assert self.server is not None
        self.server.put("work", title, event(title, title, f"202702{day:02}T100000Z"))

    def titles(self) -> list[str]:
        assert self.server is not None
        lines = [line for text in self.server.holds("work").values() for line in text.split("\n")]
        return [line.partition(":")[2].strip() for line in lines if line.startswith("SUMMARY")]


class Published:
    ident, own = "club", ""

    def __init__(self) -> None:
        self._parts = ExitStack()
        self._events: dict[str, str] = {}
        self._port = 0
        self.start()

    def start(self, port: int = 0) -> None:
        self.server = self._parts.enter_context(Publisher(self._port))
        self._port = self.server.server.server_port
        self.road = self._parts.enter_context(HttpMiddle(self._port, port=port))
        self._write()

    def kill(self) -> None:
        self._parts.close()

    @property
    def account(self) -> str:
        return f'kind = "ics"\nurl = "http://127.0.0.1:{self.road.port}/{SECRET[:7]}.ics"\n'

    def add(self, title: str, day: int) -> None:
        whole = event(title, title, f"202702{day:02}T100000Z")
        self._events[title] = whole[whole.index("BEGIN:VEVENT") : whole.index("END:VCALENDAR")]
        self._write()

    def _write(self) -> None:
        whole = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + "".join(self._events.values()) + "END:VCALENDAR\r\n"
        self.server.body = whole.encode()

    def titles(self) -> list[str]:
        return [*self._events]


class AtGoogle:
    ident, own = "me", ALEX

    def __init__(self, home: Path, now: Any) -> None:
        self._google, self._home = Google(ALEX, now=now), home
        self._parts = ExitStack()
        self.start()
        allow(self._google, settings_of(self._google, endpoint=f"http://127.0.0.1:{self.road.port}"), home)

    def start(self, port: int = 0) -> None:
        self._google.start()
        self._parts.callback(self._google.stop)
        self.road = self._parts.enter_context(HttpMiddle(self._google.port, port=port))

    def kill(self) -> None:
        self._parts.close()
        assert not self._google.violations

    @property
    def account(self) -> str:
        told = {"kind": "google_calendar", "address": ALEX, "endpoint": f"http://127.0.0.1:{self.road.port}",
                "client_id": CLIENT["client_id"], "client_secret": "secret:client"}  # fmt: skip
        return "".join(f'{name} = "{value}"\n' for name, value in told.items())

    def add(self, title: str, day: int) -> None:
        self._google.book.calendar("primary").put(title, f"{DAY}{day:02}T11:00:00", f"{DAY}{day:02}T12:00:00")

    def titles(self) -> list[str]:
        return [each["summary"] for each in self._google.book.calendar("primary").events.values()]
