"""Reads an mbox file: where each mail begins, and its original bytes.

A mail begins at a line ``From …`` with a time, at the start of the file or after an empty line (which some programs
forget before a line with a whole date), if a header follows, or nothing yet; inside a mail such lines have an extra
``>``. Programs that keep their marks in headers (``Status`` and similar) rewrite them at any time, so these are left
out: a mail that was read or flagged is the same mail.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
from calendar import timegm
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import parsedate
from pathlib import Path
from typing import BinaryIO, Final

from pepper_tui.boundary.plain_file import open_plain
from pepper_tui.connectors.mbox.marks import marks_in
from pepper_tui.domains.mail.at_source.state import Mark as StateMark
from pepper_tui.text.errors import Foreseen, PepperError

BLOCK: Final = 1 << 16  # bytes: searching one for mail beginnings holds the GIL, for 20 ms at worst
HEAD: Final = 1 << 18  # bytes of headers that are searched for programs' marks
SIGN: Final = 4096  # bytes at the beginning, and before the read position, that identify a file
_HEADERS: Final = 1 << 14  # bytes of a known mail in which its marks are looked for
_LINE: Final = 400  # longest line, in bytes, that begins a mail
_BEGIN: Final = re.compile(
    rb"\n(?:\r?\n(From [^\r\n]{1,200}\b\d{2}:\d{2}\b[^\r\n]{0,100}\r?\n)"
    rb"|(From [^\s]{1,200} {1,3}(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}\r?\n))"
    rb"(?=[!-9;-~]{1,70}(?::|\Z)|>?From |\Z)"
)
_FIRST: Final = re.compile(rb"From [^\r\n]{1,300}\r?\n")
_AGAIN: Final = re.compile(rb"\A>From [^\n]{0,300}\n")  # the line of an mbox that this mail came from
_QUOTED: Final = re.compile(rb"^>(>*From )", re.M)
_MARKS: Final = re.compile(
    rb"^(?:Status|X-Status|X-Keywords|X-Mozilla-(?:Status2?|Keys)|X-UID|X-IMAP(?:base)?|Content-Length|Lines)"
    rb":[^\n]*\n(?:[ \t][^\n]*\n)*",
    re.I | re.M,
)


class NotMboxError(PepperError, Foreseen):
    """The data does not begin as an mbox file does."""


class LockedError(PepperError, Foreseen):
    """A mail program is writing the file now."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One mail in the file, from ``start`` to ``end``.

    ``source`` are its own bytes, ``cut`` if there are more. ``arrived`` is the time on the line before it, in POSIX
    seconds (``None``: unreadable). ``marks``: how programs have marked it.
    """

    start: int
    end: int
    source: bytes
    cut: bool
    arrived: float | None
    marks: list[StateMark] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a file was read.

    The next mail begins at ``offset``; ``head`` and ``tail`` are digests of what precedes it.
    """

    offset: int
    head: str
    tail: str


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open the file under the locks that mail programs use. Raises ``LockedError``, ``OSError``. Blocking."""
    if path.with_name(f"{path.name}.lock").exists():
        raise LockedError(f"{path} is locked")
    with open_plain(path) as file:
        for lock in (fcntl.flock, fcntl.lockf):
            try:
                lock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise LockedError(f"{path} is locked") from error
            except OSError:  # the file system has no locks
                continue
        yield file


def mark_at(file: BinaryIO, offset: int) -> Mark:
    """Return the mark for having read up to ``offset``."""
    return Mark(offset, _digest(file, 0, min(SIGN, offset)), _digest(file, max(0, offset - SIGN), offset))


def still_holds(file: BinaryIO, mark: Mark) -> bool:
    """Check that the bytes before the mark are unchanged: the file has only been appended to."""
    return os.fstat(file.fileno()).st_size >= mark.offset and mark_at(file, mark.offset) == mark


def _digest(file: BinaryIO, start: int, end: int) -> str:
    file.seek(start)
    return hashlib.sha256(file.read(end - start)).hexdigest()[:32]


def begins_at(file: BinaryIO, offset: int) -> bool:
    """Check whether a mail begins at ``offset``, or only empty lines follow."""
    return _beginning(file, offset) is not None


def _beginning(file: BinaryIO, offset: int) -> tuple[int, bool] | None:
    """Return where the first mail from ``offset`` begins, after empty lines, and whether there is one at all."""
    file.seek(offset)
    head = file.read(_LINE + 64)
    lead = len(head) - len(head.lstrip(b"\r\n"))
    if not head[lead:]:
        return offset + lead, False
    return (offset + lead, True) if _FIRST.match(head[lead:]) else None


def mails_from(file: BinaryIO, start: int, max_bytes: int) -> Iterator[Stored]:
    """Yield the mails that begin at or after ``start``, in order, reading at most ``max_bytes + 1`` bytes of each.

    Raises ``NotMboxError`` if none begins at ``start`` (empty lines aside). Holds one block and one mail in memory.
    """
    beginning = _beginning(file, start)
    if beginning is None:
        raise NotMboxError("no mail begins there")
    begins, there = beginning
    if not there:
        return
    for end in _ends(file, begins):
        yield _stored(file, begins, end, max_bytes)
        begins = end


def _ends(file: BinaryIO, begins: int) -> Iterator[int]:
    """Yield where each mail from ``begins`` ends: at the next one's beginning, the last at the end of the file."""
    at, kept = begins, b""
    seen = begins
    while True:
        file.seek(at)
        block = file.read(BLOCK)
        if not block:
            yield at
            return
        window, base = kept + block, at - len(kept)
        for match in _BEGIN.finditer(window):
            found = base + match.start(match.lastindex or 0)
            if found > seen:
                seen = found
                yield found
        at += len(block)
        kept = window[-_LINE:]


def _stored(file: BinaryIO, start: int, end: int, max_bytes: int) -> Stored:
    file.seek(start)
    raw = file.read(min(end - start, max_bytes + _LINE))
    first, _, rest = raw.partition(b"\n")
    head, gap, body = _parted(_AGAIN.sub(b"", rest))
    source = _MARKS.sub(b"", head[:HEAD]) + head[HEAD:] + gap + _QUOTED.sub(rb"\1", body)
    if not (cut := end - start > len(raw)):
        source = source[: len(source) - (2 if source.endswith(b"\n\r\n") else 1 if source.endswith(b"\n\n") else 0)]
    return Stored(start, end, source, cut, _arrived(first), marks_in(head[:HEAD]))


def marks_at(file: BinaryIO, start: int) -> list[StateMark] | None:
    """Return how the mail that begins at ``start`` is marked now; ``None`` if none begins there."""
    if not (_beginning(file, start) or (0, False))[1]:
        return None
    file.seek(start)
    return marks_in(_parted(file.read(_HEADERS))[0])


def _parted(source: bytes) -> tuple[bytes, bytes, bytes]:
    """Split a mail into headers, the empty line after them, and body."""
    found = re.search(rb"\n(\r?\n)", source)
    if not found:
        return source, b"", b""
    return source[: found.start() + 1], found[1], source[found.end() :]


def _arrived(line: bytes) -> float | None:
    words = line.decode("latin-1").split()
    for at in range(2, min(len(words), 6)):
        try:
            found = parsedate(" ".join(words[at:]))
            if found is not None:
                return float(timegm(found))
        except (TypeError, ValueError, OverflowError):
            continue
    return None
