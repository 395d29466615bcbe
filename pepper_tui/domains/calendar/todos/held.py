"""The to-dos that calendar files and the copies of accounts hold, as they were last read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, tzinfo
from typing import Final

from pepper_tui.boundary.process import ParserProcess
from pepper_tui.domains.calendar.bounded import CalendarParser
from pepper_tui.domains.calendar.pieces import Piece
from pepper_tui.domains.calendar.shelf import Shelved
from pepper_tui.domains.calendar.todos.todo import Todo
from pepper_tui.model import Json
from pepper_tui.text import one_line

PROCESS: Final = ParserProcess("pepper_tui.domains.calendar.todos.reading")
NAMED: Final = 100  # defects that are listed individually


class TodoShelf:
    """Reads to-dos; those of one UID in one file are one item. ``waits``: something is still to be read.

    ``defects``: what could not be read. Events are whole without it, so it stands apart from theirs.
    """

    def __init__(
        self, zone: tzinfo, look: Callable[[], Awaitable[object]], parser: CalendarParser | None = None
    ) -> None:
        """Set up the shelf. ``look`` reads what has changed, and lets it be taken."""
        self._zone, self._look, self._parser = zone, look, parser or CalendarParser(PROCESS)
        self._items: Sequence[tuple[str, str, Piece]] = ()  # with the names of their files and calendars
        self._said: dict[bytes, Json | str] = {}
        self._waiting: list[Piece] = []
        self._told = True  # all that is said is in ``found``
        self.found: list[Todo] = []
        self.defects: list[str] = []
        self.unread: frozenset[tuple[str, str]] = frozenset()

    @property
    def waits(self) -> bool:
        return bool(self._waiting)

    async def read(self) -> list[Todo]:
        """Return every to-do that there is now, done or not."""
        await self._look()
        return self.found

    def take(self, files: Sequence[Shelved]) -> None:
        """Take what ``files`` hold now."""
        items = [(file.name, file.calendar, item) for file in files for held in file.todos.values() for item in held]
        if items == self._items:
            return
        there = {item.digest: item for _, _, item in items}
        self._items = items
        self._said = {digest: said for digest, said in self._said.items() if digest in there}
        self._waiting = [item for digest, item in there.items() if digest not in self._said]
        self._told = False

    def read_some(self, most: int, until: float) -> bool:
        """Read some of what waits; return whether they were all reached by ``until`` (monotonic)."""
        some = self._waiting[:most]
        said = self._parser.events(some, until, "todo")
        self._said |= said
        self._waiting = [*(item for item in some if item.digest not in said), *self._waiting[most:]]
        self._told = False
        return len(said) == len(some)

    def sum_up(self) -> None:
        """Make ``found`` of what is read."""
        if self._told:
            return
        found: list[Todo] = []
        defects: list[str] = []
        unread: set[tuple[str, str]] = set()
        waiting = 0
        for name, calendar, item in self._items:
            said = self._said.get(item.digest)
            try:
                told = "" if said is None else self._taken(said, calendar, found)
            except (ValueError, OverflowError) as error:  # years outside the range of datetime
                told = f"can't be read: {type(error).__name__}"
            if said is None or isinstance(said, str) or told.startswith("can't"):
                unread.add((calendar, item.uid))
            waiting += said is None
            if told:
                defects.append(f"{name}: {one_line(item.title, 60) or '(no title)'} (to-do): {told}")
        more = [f"{len(defects) - NAMED} more to-dos"] if len(defects) > NAMED else []
        waits = [f"{waiting} to-dos are not read yet"] if waiting else []
        self.found, self.unread = found, frozenset(unread)
        self.defects = [*defects[:NAMED], *more, *waits]
        self._told = True

    def _taken(self, said: Json | str, calendar: str, found: list[Todo]) -> str:
        """Add to ``found`` what was read of an item, and return what was not."""
        if isinstance(said, str):
            return one_line(said, 160)
        found += [
            Todo.of({**fields, "due": self._seconds(fields["due"]), "calendar": calendar}) for fields in said["todos"]
        ]
        named = one_line(", ".join(said["broken"]), 60)
        return f"its {named} can't be read, so what is known of it is incomplete" if named else ""

    def _seconds(self, when: float | str | None) -> float | None:
        if isinstance(when, str):
            return datetime.fromisoformat(when).replace(tzinfo=self._zone).timestamp()
        return when
