"""Calendars at Radicale, on a road that breaks, and that knows what Pepper has done there."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from tests.connectors.caldav.servers import USER, Server, running
from tests.connectors.http_middle import BREAKS, Asked, HttpMiddle
from tests.kill.calendars.place import At, Deed, calendar, event, events_in

NAME: Final = "work"
_CHANGES: Final = ("PUT", "PUT", "DELETE")
_LOOKS: Final = ("REPORT", "PROPFIND", "GET")


class CalDavPlace:
    calendar = f"cal/{NAME}"
    wanted = "Work"
    feed = "feed.cal"

    def __init__(self, folder: Path) -> None:
        self.config = ""
        self.history: list[Deed] | None = []
        self._folder = folder / "radicale"
        self._parts = ExitStack()
        self._lock = threading.Lock()
        self._written: Counter[bytes] = Counter()
        self._bare: list[str] = []
        self._stamp = 0

    def begin(self) -> None:
        self._folder.mkdir()
        self._server: Server = self._parts.enter_context(running(self._folder))
        self._server.make(NAME, self.wanted)
        self._road = self._parts.enter_context(HttpMiddle(self._server.port, self._done))
        self.config = f"""
[[account]]
id = "cal"
kind = "caldav"
url = "http://127.0.0.1:{self._road.port}/"
user = "{USER}"
password = "env:CALDAV_PASSWORD"
scan_interval = 0.7
timeout = 2.0
"""

    def sign_in(self, home: Path) -> None:
        """The password is in the environment."""

    def end(self) -> None:
        self._parts.close()

    def put(self, title: str, start: float) -> str:
        self._server.put(NAME, title, calendar(event(title, title, start)))
        self._deed(Deed(False, "put", title, start))
        return title

    def move(self, uid: str, start: float) -> bool:
        self._stamp += 1
        return self._changed(Deed(False, "move", uid, start))

    def drop(self, uid: str) -> bool:
        return self._changed(Deed(False, "drop", uid))

    def _changed(self, deed: Deed) -> bool:
        """Do it to what lies there, unless that changes meanwhile."""
        try:
            name, title = self._at(deed.uid)
            path = f"{NAME}/{quote(name)}"
            headers = {"If-Match": self._server.ask("GET", path).headers["etag"], "Content-Type": "text/calendar"}
            text = calendar(event(deed.uid, title, deed.start, self._stamp)) if deed.kind == "move" else ""
            self._server.ask("PUT" if text else "DELETE", path, text, **headers)
        except (AssertionError, LookupError):
            return False
        self._deed(deed)
        return True

    def lying(self) -> dict[str, At]:
        return dict(found for text in self._server.holds(NAME).values() for found in events_in(text))

    def disturb(self, chance: random.Random, kill: Callable[[], None]) -> None:
        if chance.random() < 0.35:
            self._road.meanwhile(chance.choice(_CHANGES), chance.choice(("before", "after")), kill)
        elif chance.random() < 0.6:
            self._road.break_at(chance.choice(_CHANGES), chance.choice(BREAKS))
        else:
            self._road.break_at(chance.choice(_LOOKS), chance.choice(BREAKS))
        if chance.random() < 0.15:
            self._server.forget_marks()

    def calm(self) -> None:
        self._road.let_through()

    def problems(self) -> list[str]:
        twice = [f"twice: Radicale was given the same {count} times: {text[:60]!r}"
                 for text, count in self._written.items() if count > 1]  # fmt: skip
        return twice + [f"lost: {each} would have overwritten whatever lay there" for each in self._bare]

    def _at(self, uid: str) -> tuple[str, str]:
        """File name and title of an event."""
        for name, text in self._server.holds(NAME).items():
            for found, at in events_in(text):
                if found == uid:
                    return name, at.title
        raise LookupError(uid)

    def _deed(self, deed: Deed) -> None:
        with self._lock:
            assert self.history is not None
            self.history.append(deed)

    def _done(self, asked: Asked) -> None:
        if asked.method not in ("PUT", "DELETE") or asked.status >= 300:
            return
        if not {"if-match", "if-none-match"} & asked.headers.keys():
            self._bare.append(f"{asked.method} {asked.path}")
        if asked.method == "DELETE":
            uid = unquote(asked.path.rpartition("/")[2]).removesuffix(".ics")
            self._deed(Deed(True, "drop", uid))
            return
        with self._lock:
            self._written[asked.body] += 1
        [(uid, at)] = events_in(asked.body.decode())
        self._deed(Deed(True, "put" if "if-none-match" in asked.headers else "move", uid, at.start))
