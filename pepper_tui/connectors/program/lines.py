"""Splits a byte stream into lines of bounded length, even if one never ends."""

from __future__ import annotations

from typing import Final

MAX_LINE: Final = 256 * 1024  # bytes


class Lines:
    """Splits a stream into lines of bounded length. ``dropped`` counts longer ones."""

    def __init__(self, longest: int = MAX_LINE) -> None:
        self._longest = longest
        self._rest = b""
        self._skipping = False
        self.dropped = 0

    def cut(self, chunk: bytes) -> list[bytes]:
        """Return the lines completed by ``chunk``, without their line ends."""
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
        """Return the last line of the stream, if it has no line end."""
        rest, self._rest = self._rest, b""
        return [rest] if rest.strip() else []
