"""The wire format of the parser process: JSON and bytes, each prefixed with its length."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any, Final, Protocol

OUT_OF_MEMORY: Final = 9
"""The exit status of a parser process when an item took too much memory."""
_LENGTH: Final = struct.Struct(">Q")


class Readable(Protocol):
    """A source that returns ``size`` bytes, or fewer if the other end has closed."""

    def read(self, size: int, /) -> bytes: ...


class Writable(Protocol):
    """A sink that takes all the bytes it is given."""

    def write(self, data: bytes, /) -> object: ...


def put(pipe: Writable, head: Any, sources: Sequence[bytes] = ()) -> None:
    """Write one message. Flushing is the caller's."""
    text = json.dumps(head).encode()
    lengths = [len(text), *map(len, sources)]
    pipe.write(_LENGTH.pack(len(lengths)) + b"".join(map(_LENGTH.pack, lengths)) + text)
    for source in sources:
        pipe.write(source)


def take(pipe: Readable) -> tuple[Any, list[bytes]] | None:
    """Read one message; return ``None`` if the other end has closed."""
    count = pipe.read(_LENGTH.size)
    if len(count) < _LENGTH.size:
        return None
    [number] = _LENGTH.unpack(count)
    lengths = pipe.read(_LENGTH.size * number)
    if len(lengths) < _LENGTH.size * number:
        return None
    parts = []
    for (length,) in _LENGTH.iter_unpack(lengths):
        part = pipe.read(length)
        if len(part) < length:
            return None
        parts.append(part)
    text, *sources = parts
    return json.loads(text), sources
