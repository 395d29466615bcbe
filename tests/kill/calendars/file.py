"""A calendar in a file. Other programs write it while Pepper does not run, as nobody can lock it."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from tests.kill.calendars.place import At, Deed, calendar, event, events_in


class FilePlace:
    calendar = wanted = "own"
    feed = "feed.calendar"
    config = ""
    history: list[Deed] | None = None

    def __init__(self, folder: Path) -> None:
        self.path = folder / "own.ics"

    def begin(self) -> None:
        self._write(calendar())

    def sign_in(self, home: Path) -> None:
        """A file asks for nothing."""

    def end(self) -> None:
        """Nothing runs."""

    def put(self, title: str, start: float) -> str:
        before, _, _ = self._read().rpartition("END:VCALENDAR")
        self._write(f"{before}{event(title, title, start)}END:VCALENDAR\r\n")
        return title

    def move(self, uid: str, start: float) -> bool:
        title = self.lying()[uid].title
        self.drop(uid)
        before, _, _ = self._read().rpartition("END:VCALENDAR")
        self._write(f"{before}{event(uid, title, start)}END:VCALENDAR\r\n")
        return True

    def drop(self, uid: str) -> bool:
        kept = [each for each in self._read().split("BEGIN:VEVENT\r\n")[1:] if f"UID:{uid}\r\n" not in each]
        bodies = [f"BEGIN:VEVENT\r\n{each.partition('END:VEVENT')[0]}END:VEVENT\r\n" for each in kept]
        self._write(calendar(*bodies))
        return True

    def lying(self) -> dict[str, At]:
        return dict(events_in(self._read()))

    def disturb(self, chance: random.Random, kill: Callable[[], None]) -> None:
        """A disk does not fail."""

    def calm(self) -> None:
        """Nothing was disturbed."""

    def problems(self) -> list[str]:
        uids = [uid for uid, _ in events_in(self._read())]
        left = [each.name for each in self.path.parent.glob(f".{self.path.name}*")]
        return [f"twice: {uid} lies twice in the file" for uid in {each for each in uids if uids.count(each) > 1}] + [
            f"lost: {name} is left beside the file"
            for name in left[1:]  # one may be: the next write removes it
        ]

    def _read(self) -> str:
        return self.path.read_bytes().decode()

    def _write(self, text: str) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_bytes(text.encode())
        fresh.rename(self.path)
