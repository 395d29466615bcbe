"""XML in an archive: read as a stream, within bounds, so that no part is ever whole in memory.

An archive may hold gigabytes in some kilobytes, and a document type may grow without end: each has its bound here.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Callable, Mapping
from typing import Final
from xml.parsers import expat

from pepper_tui.domains.documents.gathered import Full, Gathered

MAX_UNPACKED: Final = 60_000_000
"""Bytes of one part, unpacked."""
MAX_ALL_UNPACKED: Final = 400_000_000
"""Bytes of all parts, as the archive itself says."""
MAX_DEPTH: Final = 1_000
"""Elements in elements: real documents have some dozens."""
_PIECE: Final = 64 * 1024
Start = Callable[[str, Mapping[str, str]], None]


class BrokenError(Exception):
    """The document is not what its kind should be, in words."""


class Packed:
    """The archive."""

    def __init__(self, source: bytes, into: Gathered) -> None:
        try:
            self._file = zipfile.ZipFile(io.BytesIO(source))
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise BrokenError(f"its archive is broken: {error}") from error
        self._into = into
        if sum(each.file_size for each in self._file.infolist()) > MAX_ALL_UNPACKED:
            raise BrokenError(f"it would unpack to more than {MAX_ALL_UNPACKED // 1_000_000} MB")

    def has(self, name: str) -> bool:
        return name in self._file.NameToInfo

    def stream(self, name: str, start: Start, end: Callable[[str], None], text: Callable[[str], None]) -> None:
        """Call back for each element, without its namespace, and each text of a part.

        Raises ``BrokenError``; ``Full`` where a bound is met.
        """
        depth = 0

        def starts(tag: str, attributes: dict[str, str]) -> None:
            nonlocal depth
            depth += 1
            if depth > MAX_DEPTH:
                raise BrokenError(f"it is nested more than {MAX_DEPTH} deep")
            start(_local(tag), attributes)

        def ends(tag: str) -> None:
            nonlocal depth
            depth -= 1
            end(_local(tag))

        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = starts, ends, text
        parser.StartDoctypeDeclHandler = _refuse
        try:
            self._feed(name, parser)
        except (expat.ExpatError, KeyError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
            locked = "password" in str(error)
            raise BrokenError(
                "it is encrypted with a password" if locked else f"its part {name} is broken: {error}"
            ) from error

    def _feed(self, name: str, parser: expat.XMLParserType) -> None:
        read = 0
        with self._file.open(name) as part:
            while piece := part.read(_PIECE):
                read += len(piece)
                if read > MAX_UNPACKED:
                    raise Full(f"it unpacks to more than {MAX_UNPACKED // 1_000_000} MB")
                self._into.look_at_the_time()
                parser.Parse(piece)
        parser.Parse(b"", True)

    def related(self, name: str) -> dict[str, tuple[str, str]]:
        """Return what a part refers to: by id, the last word of the relation's type, and the part."""
        folder, _, file = name.rpartition("/")
        there = f"{folder}/_rels/{file}.rels"
        found: dict[str, tuple[str, str]] = {}

        def start(tag: str, attributes: Mapping[str, str]) -> None:
            if tag == "Relationship":
                target = attributes.get("Target", "")
                inside = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
                found[attributes.get("Id", "")] = (attributes.get("Type", "").rpartition("/")[2], inside)

        if self.has(there):
            self.stream(there, start, lambda tag: None, lambda text: None)
        return found


def attribute(attributes: Mapping[str, str], name: str) -> str:
    """Return the attribute whose full name (namespace, space, name) ends so; empty if there is none."""
    return next((value for key, value in attributes.items() if key.endswith(name)), "")


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _refuse(*_: object) -> None:
    raise BrokenError("it declares a document type, as no Office program writes it")
