"""Finds the headers of tables in the text of a config."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from typing import Final

_HEADER: Final = re.compile(r"\s*(\[{1,2}[^\[\]=]+\]{1,2})\s*(?:#.*)?$")


def headers(lines: Sequence[str]) -> list[tuple[int, str]]:
    """Return each header's place in ``lines``, and its text without spaces, as ``[[account]]``.

    A line is one only if all before it is complete: none in a text over several lines is.
    """
    return [
        (at, "".join(found[1].split()))
        for at, line in enumerate(lines)
        if (found := _HEADER.match(line)) and _complete("".join(lines[:at]))
    ]


def _complete(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True
