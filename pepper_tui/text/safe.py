"""Makes text from outside safe to show, log, notify or prompt.

Drawable characters are an allow-list (``drawn``). Characters that draw nothing, draw elsewhere, or have a disputed
width are spelled out: ``⟨U+3164⟩``, a run of one ``⟨U+3164⟩×60``. Joiners and selectors stay where a script or an emoji
needs them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from typing import Final

# ECMA-48 sequences: CSI, then the string kinds (OSC, DCS, SOS, PM, APC) up to BEL or ST, then two-byte escapes.
# A body excludes ESC and every C1 opener: no character is read for two sequences, so hostile text takes linear time.
_SEQUENCE: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x1b\x07\x90\x98\x9b-\x9f]{0,4096}(?:\x1b\\|\x07|\x9c)"
    r"|\x1b[ -/]{0,8}[0-~]"
)
_CONTROLS: Final = [*range(0x00, 0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0)]  # C0 but tab and newline, DEL, C1
_TABLE: Final[dict[int, str | None]] = {**dict.fromkeys(_CONTROLS), 0x2028: "\n", 0x2029: "\n", 0x85: "\n"}
_DIRECTIONS: Final = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_TAG: Final = re.compile(
    r"<(?=\s{0,8}(?:[/!?]\s{0,8})?(?:[^\W\d]|--))(?!\w[\w.!#$%&'*+/=?^`{|}~-]{0,127}@[A-Za-z0-9.-]{1,255}>)"
)
"""The start of anything that could open or close a tag; an address or a Message-ID in angle brackets can't."""
_SPELT_TAG: Final = re.compile(r"&(?=(?:amp;)*lt;)")
_HEARD_TAG: Final = re.compile(r"&((?:amp;)*)lt;")
_PLAIN: Final = re.compile(r"[\t\n -~\xa0-\xac\xae-\u02ff\u2010-\u2015\u2018-\u201e\u2026\u20ac\u27e8\u27e9]*")
_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9_.$()\[\]-]")
_TRAILING: Final = "\u200c\u200d\ufe0e\ufe0f"
MARKS_IN_A_RUN: Final = 4
"""Marks kept on one character; further ones are spelled out."""

SPELLED_IN_A_RUN: Final = 16
"""Different characters that are spelled out in a row; the rest is only counted."""


@cache
def _drawn() -> re.Pattern[str]:
    """Compile the pattern that matches text drawn as it stands (``drawn``), or hidden text.

    A long run takes several matches.
    """
    from pepper_tui.text import drawn

    among = drawn.among
    base, marks, pictographs, joining = map(among, (drawn.BASES, drawn.MARKS, drawn.PICTOGRAPHS, drawn.JOINING))
    picture = (
        rf"[{pictographs}](?:(?<=[{among(drawn.TONED)}])[\U0001f3fb-\U0001f3ff]"
        rf"|(?<=[{among(drawn.PRESENTED)}])[\ufe0e\ufe0f])?+"
    )
    kept = [
        rf"[{base}]{{1,64}}+",
        r"[\t\n \xa0\u2009\u202f\u3000]{1,64}+",
        rf"(?<=[{base}{pictographs}])[{marks}]{{1,{MARKS_IN_A_RUN}}}+"
        rf"(?:(?<=[{among(drawn.VIRAMAS)}])\u200d|[\u200c\u200d](?=[{joining}]))?+",
        rf"(?<=[{joining}])[\u200c\u200d](?=[{joining}])",
        rf"{picture}(?:\u200d{picture}){{0,4}}+",
        r"(?<=[0-9#*])\ufe0f\u20e3",
        r"[\U0001f1e6-\U0001f1ff]{2}",
        rf"(?<=[{among(drawn.PRESENTED)}])(?<![{pictographs}])[\ufe0e\ufe0f]",
    ]
    # whatever follows a hidden character and has no other base is hidden, too
    hidden = (
        rf"[\U0001f1e6-\U0001f1ff]|[^{base}{pictographs}\U0001f1e6-\U0001f1ff\t\n \xa0\u2009\u202f\u3000]{{1,4096}}+"
    )
    # each match is of bounded length, as the GIL is held while it is searched
    return re.compile(rf"(?P<drawn>(?:{'|'.join(kept)}){{1,64}}+)|{hidden}")


def know_characters() -> None:
    """Compile the table of drawn characters, which takes 40 ms.

    Call it in a thread, or the first unusual character pays for it.
    """
    _drawn()


def _runs(text: str) -> Iterator[tuple[bool, str]]:
    """Split ``text`` into runs, each with a flag for whether it is drawn as it stands."""
    for drawn, matches in groupby(_drawn().finditer(text), lambda match: match["drawn"] is not None):
        yield drawn, "".join(match[0] for match in matches)


def _spelled(run: str) -> str:
    words, told = [], 0
    for character, same in groupby(run):
        count = sum(1 for _ in same)
        words.append(f"⟨U+{ord(character):04X}⟩" + (f"×{count}" if count > 1 else ""))
        told += count
        if len(words) == SPELLED_IN_A_RUN and told < len(run):
            words.append(f"⟨{len(run) - told} more⟩")
            break
    return "".join(words)


def spelled(text: str) -> str:
    """Return ``text`` with every character that is not drawn as it stands spelled out, controls included.

    Nothing is dropped.
    """
    text = text.replace("\r\n", "\n")
    if _PLAIN.fullmatch(text):
        return text
    return "".join(run if drawn else _spelled(run) for drawn, run in _runs(text))


def hidden(text: str) -> int:
    """Count the characters of ``text`` that are not drawn as they stand."""
    text = text.replace("\r\n", "\n")
    if _PLAIN.fullmatch(text):
        return 0
    return sum(len(match[0]) for match in _drawn().finditer(text) if match["drawn"] is None)


def as_name(text: str) -> str:
    """Return a name chosen by a server or a model, complete, with only letters that can't pose as others.

    Everything else is spelled out.
    """
    return _NOT_IN_A_NAME.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text)


def unseen_words(count: int) -> str:
    """Return the words for a text that holds ``count`` characters which can't be seen."""
    return f"contains characters that can't be seen: {count} of them"


def visible(text: str) -> str:
    """Return ``text`` without hidden characters: for what the user types, and for comparing and searching."""
    text = without_controls(text)
    return text if _PLAIN.fullmatch(text) else _drawn().sub(lambda match: match["drawn"] or "", text)


def without_controls(text: str) -> str:
    """Return ``text`` without escape sequences and controls (except newline and tab), otherwise unchanged."""
    return _SEQUENCE.sub("", text.replace("\r\n", "\n")).translate(_TABLE)


def sendable(text: str) -> str:
    """Return ``text`` as it may be sent: without controls and characters that change the text direction."""
    return without_controls(text).translate(_DIRECTIONS)


def clean(text: str, limit: int | None = None) -> str:
    """Return ``text`` without anything that a terminal, a widget or a reader's eye would obey.

    Whole escape sequences are removed first, then each control (except newline and tab); other hidden characters are
    spelled out. Linear in the length. ``limit`` caps the result in characters, with an ellipsis.
    """
    if limit is not None and len(text) > limit * 4 + 4096:
        text = text[: limit * 4 + 4096]
    if not (text.isascii() and text.isprintable()):  # most short text is plain ASCII, with nothing to replace
        text = spelled(without_controls(text))
    return text if limit is None else shorten(text, limit)


def one_line(text: str, limit: int = 200) -> str:
    """Return ``text`` cleaned, with each run of white space as one space, in at most ``limit`` characters."""
    return shorten(" ".join(clean(text, limit * 8).split()), limit)


def shorten(text: str, limit: int) -> str:
    """Return ``text``, or its first ``limit - 1`` characters and an ellipsis."""
    return text if len(text) <= limit else text[: max(0, limit - 1)].rstrip(_TRAILING) + "…"


def begun(text: str, limit: int) -> str:
    """Return ``text``, or its first ``limit`` characters and how many follow."""
    return text if len(text) <= limit else f"{text[:limit]}\n[{len(text) - limit} more characters are not shown]"


def as_json(value: object, limit: int | None = None, indent: int | None = None) -> str:
    """Return ``value`` as JSON.

    Every string and key is cleaned first, so that JSON does not spell out an escape sequence.
    """
    text = json.dumps(_cleaned(value), ensure_ascii=False, indent=indent, default=str)
    return text if limit is None else shorten(text, limit)


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(key)): _cleaned(each) for key, each in value.items()}
    return [_cleaned(each) for each in value] if isinstance(value, list | tuple) else value


def escape(text: str) -> str:
    """Return ``text`` cleaned and escaped for a tagged prompt, where it can neither open nor close a tag.

    Everything else stays as it is, so that a model copies it correctly: ``R&D: 3 < 4``, ``<id@example.org>``.
    ``unescaped`` reverses it.
    """
    return _TAG.sub("&lt;", _SPELT_TAG.sub("&amp;", clean(text)))


def attribute(text: str) -> str:
    """Return ``text`` for an attribute of a tag: ``escape`` on one line, without quotation marks or bare brackets."""
    return escape(text).replace('"', "&quot;").replace(">", "&gt;").replace("\n", " ")


def unescaped(text: str) -> str:
    """Return what a model means by ``text``: the reverse of ``escape``."""
    return _HEARD_TAG.sub(lambda found: f"&{found[1][4:]}lt;" if found[1] else "<", text)
