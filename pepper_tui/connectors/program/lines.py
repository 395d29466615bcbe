"""A stream of bytes cut into lines of bounded length, however long what has no end grows."""

from __future__ import annotations

from typing import Final

MAX_LINE: Final = 256 * 1024  # bytes


class Lines:
    """Cuts a stream into lines of bounded length. ``dropped`` counts those that were longer."""

    def __init__(self, longest: int = MAX_LINE) -> None:
        self._longest = longest
        self._rest = b""
        self._skipping = False
        self.dropped = 0

    def cut(self, chunk: bytes) -> list[bytes]:
        """The lines that ``chunk`` ends, without their ends."""
        *ended, rest = (self._rest + chunk).split(b"\n")
        found: list[bytes] = []
        for line in ended:
            if self._skipping or len(line) > self._longest:
                self.dropped += not self._skipping
                self._skipping = False
            elif line.strip():
                found.append(line)
        if not self._skipping and len(rest) > self._longest:
            self.dropped += 1
            self._skipping = True
        self._rest = b"" if self._skipping else rest
        return found

    def last(self) -> list[bytes]:
        """What the stream ended with, without a line end."""
        rest, self._rest = self._rest, b""
        return [rest] if rest.strip() else []
