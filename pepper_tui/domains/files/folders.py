"""The only access to the user's files: those in the allowed folders, except hidden files and secrets.

A path is resolved to its real location before anything is decided, and opened part by part from the allowed folder, no
part of it a link: what was checked is what is read. Pepper's own home is never included, whatever name leads there.
Files that may be read and files that may be attached are two sets of folders with this same access.
"""

from __future__ import annotations

import contextlib
import fnmatch
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from pepper_tui.boundary.allowed import inside, opened
from pepper_tui.boundary.plain_file import must_be_plain
from pepper_tui.domains.documents.as_text import NotTextError, plain_text
from pepper_tui.domains.documents.kinds import may_be_document
from pepper_tui.text import clean, one_line
from pepper_tui.tools.errors import ToolError

MAX_READ: Final = 1_000_000  # bytes of one file that are searched
MAX_LISTED: Final = 200
MAX_SEARCHED: Final = 5_000  # files of one search
MAX_SEARCHED_BYTES: Final = 50_000_000
MAX_HITS: Final = 50
MAX_OF_ONE: Final = 5  # hits of one file
DEADLINE: Final = 5.0  # seconds of one search
_SECRET: Final = (
    "*.pem", "*.key", "*.p12", "*.pfx", "*.ppk", "*.jks", "*.keystore", "*.kdbx", "*.kdb", "*.gpg", "*.asc", "*.ovpn",
    "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "secrets.*", "secret.*", "credentials*", "*.env", "*.netrc",
    "passwords*", "passwd*", "shadow*", "*token*.json", "client_secret*", "wallet.dat", "*_history",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a folder. ``size`` in bytes, ``modified`` POSIX seconds."""

    name: str
    is_folder: bool
    size: int
    modified: float


def is_secret(name: str) -> bool:
    """Check whether a file or folder of this name is kept from every tool: it is hidden, or named like a secret."""
    folded = name.casefold()
    return folded.startswith(".") or any(fnmatch.fnmatchcase(folded, pattern) for pattern in _SECRET)


class Folders:
    """Read access to ``allowed`` folders, except what is below ``forbidden``. All methods block.

    ``may`` and ``setting`` are for the words of a refusal: what may be done there, and the key of the config.
    """

    def __init__(
        self, allowed: Sequence[Path], forbidden: Sequence[Path] = (), *, may: str = "read", setting: str = ""
    ) -> None:
        self._allowed, self._forbidden = list(allowed), list(forbidden)
        self._forbidden_now: list[os.stat_result] = []
        for each in forbidden:
            with contextlib.suppress(OSError):
                self._forbidden_now.append(each.stat())
        self._may, self._setting = may, setting or "files.folders"

    @property
    def allowed(self) -> Sequence[Path]:
        return self._allowed

    def entries(self, wanted: str) -> tuple[Path, list[Entry], int]:
        """Return the folder's real path, its entries by name (at most ``MAX_LISTED``), and how many there are in all.

        Raises ``ToolError``.
        """
        base, parts = self._real(wanted or ".")
        found: list[Entry] = []
        with self._opened(base, parts, os.O_DIRECTORY) as descriptor, os.scandir(descriptor) as entries:
            for entry in entries:
                if is_secret(entry.name) or entry.is_symlink() or self._is_forbidden(base.joinpath(*parts, entry.name)):
                    continue
                with contextlib.suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    found.append(Entry(entry.name, entry.is_dir(), status.st_size, status.st_mtime))
        found.sort(key=lambda entry: (not entry.is_folder, entry.name.casefold()))
        return base.joinpath(*parts), found[:MAX_LISTED], len(found)

    def content(self, wanted: str, most: int) -> tuple[Path, bytes, int]:
        """Return the file's real path, its first ``most`` bytes, and its size. Raises ``ToolError``."""
        base, parts = self._real(wanted)
        if not parts:
            raise ToolError(f"{_shown(wanted)} is a folder, no file")
        with self._file(base, parts) as file:
            return base.joinpath(*parts), file.read(most), os.fstat(file.fileno()).st_size

    def search(self, words: str, wanted: str, now: Callable[[], float] = time.monotonic) -> tuple[list[str], list[str]]:
        """Return hits for all of ``words``, in lines (``path:line: text``) or file names, and what was left out.

        Raises ``ToolError``.
        """
        needles = words.casefold().split()
        if not needles:
            raise ToolError("'query' is empty")
        starts = [self._real(wanted)] if wanted else [(folder.resolve(), ()) for folder in self._allowed]
        until = now() + DEADLINE
        hits: list[str] = []
        notes: dict[str, None] = {}
        files = read = 0
        for base, start in starts:
            for parts in self._walk(base, start):
                files += 1
                if len(hits) >= MAX_HITS:
                    return hits[:MAX_HITS], [*notes, f"more than {MAX_HITS} hits; say more"]
                if files > MAX_SEARCHED or read > MAX_SEARCHED_BYTES or now() > until:
                    return hits, [*notes, f"only {files - 1} files were searched; name a folder"]
                path = base.joinpath(*parts)
                if all(each in parts[-1].casefold() for each in needles):
                    hits.append(f"{path}: (its name)")
                with contextlib.suppress(ToolError, NotTextError, OSError):
                    with self._file(base, parts) as file:
                        source = file.read(MAX_READ + 1)
                    if len(source) > MAX_READ:
                        source = source[:MAX_READ]
                        notes[f"of files larger than {MAX_READ} bytes only the beginning was searched"] = None
                    read += len(source)
                    if may_be_document(source):
                        notes["of documents (PDF, Office) only the names were searched"] = None
                        continue
                    lines, more = _lines_with(needles, path, plain_text(source, []))
                    hits += lines
                    if more:
                        notes[f"of one file only the first {MAX_OF_ONE} hits are listed"] = None
        if len(hits) > MAX_HITS:
            notes[f"more than {MAX_HITS} hits; say more"] = None
        return hits[:MAX_HITS], list(notes)

    # ------------------------------------------------------------------------------------------------------- inside

    def _real(self, wanted: str) -> tuple[Path, tuple[str, ...]]:
        """Return the allowed folder, and the parts from there to where ``wanted`` really is. Raises ``ToolError``."""
        if not self._allowed:
            raise ToolError(f"no folder may be {self._may}; set {self._setting}")
        if "\x00" in wanted or clean(wanted) != wanted:
            raise ToolError(f"{_shown(wanted)} is no path")
        for base, real in inside(Path(wanted.strip() or ".").expanduser(), self._allowed):
            parts = real.relative_to(base).parts
            if any(map(is_secret, parts)) or self._is_forbidden(real):
                break  # do not reveal whether it exists
            return base, parts
        raise ToolError(
            f"{_shown(wanted)} is not there, or not in a folder that may be {self._may} ({self._setting});"
            " hidden files, and those that are named as secrets are, never may"
        )

    def _is_forbidden(self, real: Path) -> bool:
        return any(real.is_relative_to(each.resolve()) for each in self._forbidden)

    def _must_be_free(self, descriptor: int) -> None:
        """Raise ``ToolError`` if what was opened is a forbidden folder: it may have been moved there meanwhile."""
        opened = os.fstat(descriptor)
        if any(os.path.samestat(opened, each) for each in self._forbidden_now):
            raise ToolError("that may not be read")

    def _walk(self, base: Path, start: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        """Yield the paths from ``base`` to the files below ``start``, as parts, without following links."""
        stack = [start]
        while stack:
            here = stack.pop()
            if here and not base.joinpath(*here).is_dir():
                yield here
                continue
            try:
                with self._opened(base, here, os.O_DIRECTORY) as descriptor, os.scandir(descriptor) as entries:
                    found = sorted(
                        (entry.name, entry.is_dir(follow_symlinks=False))
                        for entry in entries
                        if not is_secret(entry.name) and not entry.is_symlink()
                    )
            except (OSError, ToolError):
                continue
            stack += [
                (*here, name)
                for name, folder in reversed(found)
                if folder and not self._is_forbidden(base.joinpath(*here, name))
            ]
            yield from ((*here, name) for name, folder in found if not folder)

    @contextlib.contextmanager
    def _file(self, base: Path, parts: Sequence[str]) -> Iterator[BinaryIO]:
        with self._opened(base, parts, 0) as descriptor:
            must_be_plain(descriptor, parts[-1])
            with os.fdopen(os.dup(descriptor), "rb") as file:
                yield file

    @contextlib.contextmanager
    def _opened(self, base: Path, parts: Sequence[str], kind: int) -> Iterator[int]:
        """Open what is at ``parts`` below ``base`` without following a link, and yield its descriptor."""
        try:
            with opened(base, parts, kind, self._must_be_free) as descriptor:
                yield descriptor
        except OSError as error:
            raise ToolError(f"{_shown(parts[-1] if parts else str(base))} can't be read: {error.strerror}") from error


def _lines_with(needles: Sequence[str], path: Path, text: str) -> tuple[list[str], bool]:
    """Return the first lines that hold all ``needles``, and whether there are more."""
    found: list[str] = []
    if not all(each in text.casefold() for each in needles):
        return found, False
    for number, line in enumerate(text.splitlines(), 1):
        folded = line.casefold()
        if all(each in folded for each in needles):
            if len(found) == MAX_OF_ONE:
                return found, True
            found.append(f"{path}:{number}: {one_line(line, 200)}")
    return found, False


def _shown(path: str) -> str:
    return repr(one_line(path, 120))
