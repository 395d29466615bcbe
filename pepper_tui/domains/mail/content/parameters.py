"""What a part's Content-* headers say, read as leniently as mail programs do.

The library's parser stops at the first character that the grammar forbids, and with it a boundary, a name or a charset
is lost. Here a value without quotes goes up to the next semicolon.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_to_bytes

from pepper_tui.domains.mail.content.words import readable, words
from pepper_tui.text.charsets import decoded

_VALUE: Final = re.compile(r"\s*([^;\s]*)")
_KEY: Final = re.compile(r"[\s;]*([^\s;=\"]{1,100})\s*=[ \t\r\n]*")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)(?:"|\Z)', re.DOTALL)
_STARRED: Final = re.compile(r"([^*]+)\*(?:(\d{1,3})(\*)?)?\Z")
_COMMENT: Final = re.compile(r"\s\(.*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Told:
    """A header's value, in lower case, and its parameters. Those of RFC 2231 are decoded, and go before plain ones."""

    value: str
    parameters: dict[str, str] = field(default_factory=dict)

    def header(self) -> str:
        """Return the header as any parser reads it."""
        quoted = (
            f'{key}="{text.replace(chr(92), chr(92) * 2).replace(chr(34), chr(92) + chr(34))}"'
            for key, text in self.parameters.items()
        )
        return "; ".join([self.value, *quoted])


@lru_cache(maxsize=500)
def told(header: str) -> Told:
    """Return what ``header`` says."""
    begins = _VALUE.match(header)
    value, at = (begins[1].strip("\"'").lower(), begins.end()) if begins else ("", 0)
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    while found := _KEY.match(header, at):
        key, at = found[1].lower(), found.end()
        if quoted := _QUOTED.match(header, at):
            text, at = re.sub(r"\\([\\\"])", r"\1", quoted[1]), quoted.end()
            at = end if (end := header.find(";", at)) >= 0 else len(header)
        else:
            end = end if (end := header.find(";", at)) >= 0 else len(header)
            text, at = header[at:end].strip(), end
            if len(text) > 1 and text[0] == text[-1] == "'":
                text = text[1:-1]
        if starred := _STARRED.match(key):
            coded = starred[2] is None or bool(starred[3])
            pieces.setdefault(starred[1], {}).setdefault(int(starred[2] or 0), (text, coded))
        else:
            plain.setdefault(key, text)
    return Told(value, {**{key: _plain(key, text) for key, text in plain.items()}, **_joined(pieces)})


def _plain(key: str, text: str) -> str:
    if key in ("filename", "name"):
        return words(text)
    return _COMMENT.sub("", text)


def _joined(pieces: dict[str, dict[int, tuple[str, bool]]]) -> dict[str, str]:
    """Return the values that were cut into numbered pieces, or encoded, by RFC 2231."""
    found: dict[str, str] = {}
    for key, numbered in pieces.items():
        charset, source = "", b""
        for number, (text, coded) in sorted(numbered.items()):
            own = text
            if coded and number == min(numbered) and text.count("'") >= 2:
                charset, _, own = text.split("'", 2)
            raw = own.encode("utf-8", "surrogateescape")
            source += unquote_to_bytes(raw) if coded else raw
        found[key] = decoded(source, charset, []) if charset else words(readable(source))
    return found
