"""A calendar file cut into its events; where it was cut before, only what is not as it was is looked at.

Most programs write a file of ten years anew when one event has changed. So the file is parted at the lines that begin
an event, and a part that was there before is known by its hash. That holds only where nothing but events stands after
the first of them, as most write it; any other file, and one with to-dos, is cut as a whole each time (``pieces.py``).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from pepper_tui.domains.calendar.pieces import EVENT, TODO, Piece, finished

_BEGIN: Final = b"\nBEGIN:VEVENT"
_END: Final = b"END:VEVENT"
_TAIL: Final = b"END:VCALENDAR"
_STRANGE: Final = 200  # parts that are looked at one by one


@dataclass(slots=True)
class Parts:
    """The parts of a file, as it was cut last: the ``head`` before the first event, and each event by its hash."""

    head: bytes = b""
    known: dict[int, Signed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signed:
    """What is kept of the text of an event. ``key`` is its UID; what has none is by itself."""

    digest: bytes
    key: Hashable


def signed(piece: Piece) -> Signed:
    return Signed(piece.digest, piece.uid or piece.digest)


@dataclass(slots=True)
class Cut:
    """A file in its events, in their order. ``parts`` is for the next time; None where the file is to be cut whole.

    ``todos`` are its to-dos, in their order.
    """

    events: list[Signed]
    ended: bool
    parts: Parts | None
    todos: Sequence[Piece] = ()
    _texts: list[bytes] = field(default_factory=list)
    _pieces: dict[int, Piece] = field(default_factory=dict)

    def piece(self, number: int) -> Piece:
        """Return the text of one event."""
        if number not in self._pieces:
            assert self.parts is not None
            self._pieces[number] = _alone(self.parts.head, self._texts[number])[0]
        return self._pieces[number]

    def only(self, numbers: Iterable[int]) -> Cut:
        """Return the file as if it held no other events."""
        kept = [*numbers]
        pieces = {at: self.piece(number) for at, number in enumerate(kept)}
        return Cut([self.events[number] for number in kept], self.ended, None, self.todos, [], pieces)


def cut(source: bytes, before: Parts | None) -> Cut:
    """Cut a file. Raises ``ValueError`` if it is not a calendar."""
    parted = _parted(source)
    if before is not None and parted is not None and (found := _again(*parted, before)) is not None:
        return found
    whole, ended = finished(source)
    held, todos = apart(whole)
    events = [signed(each) for each in held]
    parts: Parts | None = None
    if (
        ended
        and not todos
        and parted is not None
        and len(parted[1]) == len(held)
        and _is_plain(parted[0], parted[1], held)
    ):
        parts = Parts(parted[0], dict(zip(map(hash, parted[1]), events, strict=True)))
    return Cut(events, ended, parts, todos, [], dict(enumerate(held)))


def apart(found: Iterable[Piece]) -> tuple[list[Piece], list[Piece]]:
    """Return the events, and the to-dos."""
    both: dict[bytes, list[Piece]] = {EVENT: [], TODO: []}
    for each in found:
        both[each.kind].append(each)
    return both[EVENT], both[TODO]


def _parted(source: bytes) -> tuple[bytes, list[bytes]] | None:
    """Return what stands before the first event, and the events; None if anything else stands between or after."""
    end = source.rfind(_END) + len(_END)
    end += source[end : end + 1] == b"\r"
    if source[end:].strip() != _TAIL:
        return None
    head, *texts = source[:end].split(_BEGIN)
    return head, texts


def _is_plain(head: bytes, texts: list[bytes], held: list[Piece]) -> bool:
    """Check whether each text is one event that ends where the text does, and is UTF-8 by itself."""
    try:
        head.decode()
        for text in texts:
            text.decode()
    except UnicodeDecodeError:
        return False
    one = all(text.rstrip().endswith(_END) and text.count(_END) == 1 for text in texts)
    return one and all(each.whole for each in held)


def _again(head: bytes, texts: list[bytes], before: Parts) -> Cut | None:
    """Return the events where only some are not known; None if the file is to be cut as a whole."""
    if head != before.head:
        return None
    known = before.known
    events = [known.get(hash(text)) for text in texts]
    pieces: dict[int, Piece] = {}
    for number in [number for number, known_as in enumerate(events) if known_as is None]:
        alone = _alone(head, texts[number]) if len(pieces) < _STRANGE else []
        if len(alone) != 1 or not _is_plain(head, [texts[number]], alone):
            return None
        pieces[number] = alone[0]
        known[hash(texts[number])] = events[number] = signed(alone[0])
    if len(known) > 2 * len(events) + _STRANGE:  # what is long gone
        known = {hash(text): each for text, each in zip(texts, events, strict=True) if each is not None}
    return Cut([each for each in events if each is not None], True, Parts(head, known), (), texts, pieces)


def _alone(head: bytes, text: bytes) -> list[Piece]:
    return finished(b"".join((head, _BEGIN, text, b"\n", _TAIL, b"\n")))[0]
