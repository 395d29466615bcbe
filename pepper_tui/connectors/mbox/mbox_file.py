"""An mbox file: where each mail begins, and its bytes as they were before they were put there.

A mail begins at a line ``From …`` with a time, at the start of the file or after an empty line; within a mail such
lines carry a ``>`` more. Programs that keep their marks in headers (``Status`` and its like) rewrite those at any time,
so these are left out: a mail that was read or flagged is the same mail.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
from calendar import timegm
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate
from pathlib import Path
from typing import BinaryIO, Final

from pepper_tui.boundary.plain_file import open_plain
from pepper_tui.text.errors import Foreseen

BLOCK: Final = 1 << 16  # bytes: one look for where mails begin holds the interpreter, for 20 ms in the worst of them
HEAD: Final = 1 << 18  # bytes of the headers in which marks of programs are looked for
SIGN: Final = 4096  # bytes at the beginning, and before the place read up to, by which a file is known again
_LINE: Final = 400  # bytes that a line which begins a mail may have
_BEGIN: Final = re.compile(rb"\n\r?\n(From [^\r\n]{1,200}\b\d{2}:\d{2}\b[^\r\n]{0,100}\r?\n)")
_FIRST: Final = re.compile(rb"From [^\r\n]{1,300}\r?\n")
_QUOTED: Final = re.compile(rb"^>(>*From )", re.M)
_MARKS: Final = re.compile(
    rb"^(?:Status|X-Status|X-Keywords|X-Mozilla-(?:Status2?|Keys)|X-UID|X-IMAP(?:base)?|Content-Length|Lines)"
    rb":[^\n]*\n(?:[ \t][^\n]*\n)*",
    re.I | re.M,
)


class NotMboxError(Exception, Foreseen):
    """What is read does not begin as an mbox file does."""


class LockedError(Exception, Foreseen):
    """A mail program is writing the file now."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One mail in the file, from ``start`` up to ``end``; ``source`` are its own bytes, ``cut`` where there are more.
    ``arrived`` is what the line before it says, POSIX seconds (``None``: nothing that can be read)."""

    start: int
    end: int
    source: bytes
    cut: bool
    arrived: float | None


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a file was read: the next mail begins at ``offset``; ``head`` and ``tail`` sign what lies before."""

    offset: int
    head: str
    tail: str


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file, under the locks that mail programs take. Raises ``LockedError``, ``OSError``. Blocking."""
    if path.with_name(f"{path.name}.lock").exists():
        raise LockedError(path)
    with open_plain(path) as file:
        for lock in (fcntl.flock, fcntl.lockf):
            try:
                lock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise LockedError(path) from error
            except OSError:  # a file system without locks
                continue
        yield file


def mark_at(file: BinaryIO, offset: int) -> Mark:
    """The mark of having read up to ``offset``."""
    return Mark(offset, _digest(file, 0, min(SIGN, offset)), _digest(file, max(0, offset - SIGN), offset))


def still_holds(file: BinaryIO, mark: Mark) -> bool:
    """Whether what lies before the mark is what it was: so the file has only been appended to."""
    return os.fstat(file.fileno()).st_size >= mark.offset and mark_at(file, mark.offset) == mark


def _digest(file: BinaryIO, start: int, end: int) -> str:
    file.seek(start)
    return hashlib.sha256(file.read(end - start)).hexdigest()[:32]


def begins_at(file: BinaryIO, offset: int) -> bool:
    """Whether a mail begins at ``offset``, or nothing but empty lines follows."""
    return _beginning(file, offset) is not None


def _beginning(file: BinaryIO, offset: int) -> tuple[int, bool] | None:
    """Where the first mail from ``offset`` on begins, after empty lines, and whether there is one at all."""
    file.seek(offset)
    head = file.read(_LINE + 64)
    lead = len(head) - len(head.lstrip(b"\r\n"))
    if not head[lead:]:
        return offset + lead, False
    return (offset + lead, True) if _FIRST.match(head[lead:]) else None


def mails_from(file: BinaryIO, start: int, max_bytes: int) -> Iterator[Stored]:
    """The mails that begin at or after ``start``, in their order; of each at most ``max_bytes + 1`` bytes are read.

    Raises ``NotMboxError`` where none begins at ``start`` (but for empty lines). Memory: one block and one mail.
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
    """Where each mail from ``begins`` on ends: the next one's beginning, for the last one the end of the file."""
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
            found = base + match.start(1)
            if found > seen:
                seen = found
                yield found
        at += len(block)
        kept = window[-_LINE:]


def _stored(file: BinaryIO, start: int, end: int, max_bytes: int) -> Stored:
    file.seek(start)
    raw = file.read(min(end - start, max_bytes + _LINE))
    first, _, rest = raw.partition(b"\n")
    head, gap, body = _parted(rest)
    source = _MARKS.sub(b"", head[:HEAD]) + head[HEAD:] + gap + _QUOTED.sub(rb"\1", body)
    if not (cut := end - start > len(raw)):
        source = source[: len(source) - (2 if source.endswith(b"\n\r\n") else 1 if source.endswith(b"\n\n") else 0)]
    return Stored(start, end, source, cut, _arrived(first))


def _parted(source: bytes) -> tuple[bytes, bytes, bytes]:
    """Headers, the empty line after them, body."""
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
