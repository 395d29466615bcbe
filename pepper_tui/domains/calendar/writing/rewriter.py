"""The caller's side of ``rewriting``: events written anew in a parser process of its own. Blocking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pepper_tui.boundary.process import NotRead, ParserProcess
from pepper_tui.domains.calendar.pieces import Piece, zones_of
from pepper_tui.model import Json

PROCESS: Final = ParserProcess("pepper_tui.domains.calendar.writing.rewriting")


class Rewriter:
    """Writes events anew. All methods raise ``ValueError`` in words for events that can't be."""

    def __init__(self, process: ParserProcess = PROCESS) -> None:
        self._process = process

    def answered(
        self, held: Sequence[Piece], own: Sequence[str], address: str, name: str, answer: str,
        of: float | None = None, zone: str = "UTC",
    ) -> str:  # fmt: skip
        """Return the calendar of these events with the user's answer; see ``rewriting.answered``."""
        who: dict[str, Any] = {"own": [*own], "address": address, "name": name}
        return self._text("answered", held, **who, answer=answer, of=of, zone=zone)

    def cancelled(self, held: Sequence[Piece]) -> str:
        """Return the calendar of these events, cancelled."""
        return self._text("cancelled", held)

    def reply(
        self, held: Sequence[Piece], address: str, name: str, answer: str, comment: str, stamp: float,
        proposed: tuple[float, float] | None = None, of: float | None = None, zone: str = "UTC",
    ) -> str:  # fmt: skip
        """Return the answer to an invitation; see ``rewriting.reply``. ``proposed``: another start and end."""
        start, end = proposed or (0.0, 0.0)
        options: dict[str, Any] = {"address": address, "name": name, "answer": answer, "comment": comment}
        return self._text("reply", held, **options, stamp=stamp, start=start, end=end, of=of, zone=zone)

    def edited(
        self, held: Sequence[Piece], changes: Json, of: float | None, shown: float, zone: str, now: float
    ) -> str:  # fmt: skip
        """Return the calendar of these events with ``changes``; see ``rewriting.edited``."""
        return self._text("edited", held, changes=changes, of=of, shown=shown, zone=zone, now=now)

    def removed(self, held: Sequence[Piece], of: float, *, following: bool, zone: str, now: float) -> str:
        """Return the calendar of these events without a time of theirs; see ``rewriting.removed``."""
        return self._text("removed", held, of=of, following=following, zone=zone, now=now)

    def completed(self, held: Sequence[Piece], *, done: bool, now: float) -> str:
        """Return the calendar of this to-do, done or open again; see ``rewriting.completed``."""
        return self._text("completed", held, done=done, now=now)

    def _text(self, function: str, held: Sequence[Piece], **options: Any) -> str:
        source = b"\r\n".join(each.text for each in held)
        named = [zone.decode("latin-1") for zone in zones_of(held)]
        why = ""
        for zones in [named, []] if named else [[]]:  # a time zone that can't be used is left out
            [answer] = self._process.parse(function, [source], zones=zones, **options)
            if isinstance(answer, dict) and "text" in answer:
                return str(answer["text"])
            why = answer.why if isinstance(answer, NotRead) else str(answer["failed"])
        raise ValueError(f"the event can't be written: {why}")
