"""Guesses which config values are literal secrets that should be ``secret:NAME``.

Judged by the name (``--token``, ``API_KEY``, ``Authorization:``) or by the form: a vendor's prefix, or many random
letters and digits. It is a guess for ``config check`` to report; it never refuses a start.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final
from urllib.parse import urlsplit

from pepper_tui.config.secret.in_clear import REFERENCE
from pepper_tui.config.secret.names import may_hold_secret

_MAKERS: Final = re.compile(
    r"\b(?:(?:sk|rk|pk)[-_][\w-]{12,}|gh[opsur]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{12,}|xox[abeprs]-[\w-]{10,}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[\w-]{30,}|ya29\.[\w-]{16,}|eyJ[\w-]{10,}\.[\w-]{10,}|hf_\w{16,}|npm_\w{16,}"
    r"|SG\.[\w-]{16,}|dop_v1_\w{16,}|shp\w{2}_\w{16,}|lin_api_\w{16,}|ntn_\w{16,}|tvly-[\w-]{12,})"
)
_RUN: Final = re.compile(r"(?<![A-Za-z0-9])(?<!@)(?<!sha256:)[A-Za-z0-9]{24,}")
_PLAIN: Final = re.compile(r"[+-]?[\d.]*|true|false|yes|no|on|off|none|null|(?:~|\.{0,2})/.*|\$.*|<.*>", re.I | re.S)
_FLAG: Final = re.compile(r"--?([A-Za-z][\w.-]*)")
_ASSIGNED: Final = re.compile(r"-{0,2}([A-Za-z][\w.-]*)=(.*)", re.S)
_HEADER: Final = re.compile(r"([A-Za-z][\w-]*)\s*:\s*(?!//)(.*)", re.S)


def in_arguments(arguments: Sequence[str]) -> Iterator[int]:
    """Yield the positions, from 1, of a program's arguments that hold a secret."""
    before = ""
    for number, argument in enumerate(arguments, 1):
        each = REFERENCE.sub("", argument)
        flag = _FLAG.fullmatch(each)
        called = _ASSIGNED.fullmatch(each) or _HEADER.fullmatch(each)
        if not flag and (is_secret(each, before) or (called is not None and is_secret(called[2], called[1]))):
            yield number
        before = flag[1] if flag else ""


def in_values(values: Mapping[str, str]) -> Iterator[str]:
    """Yield the names of the values (of an environment, or headers) that are secrets."""
    yield from (name for name, value in values.items() if is_secret(value, name))


def is_secret(value: str, name: str = "") -> bool:
    """Check whether ``value``, called ``name``, looks like a secret."""
    value = REFERENCE.sub("", value)
    if "://" in value:
        return _in_url(value)
    if _MAKERS.search(value) or any(_is_random(run) for run in _RUN.findall(value)):
        return True
    bare = re.sub(r"(?i)^\s*(?:bearer|basic|token)\b", "", value).strip()
    return may_hold_secret(name) and not _PLAIN.fullmatch(bare)


def _in_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError:
        return False
    if password:
        return True
    named = (part.partition("=") for part in re.split("[&;]", parts.query))
    if any(is_secret(value, name) for name, _, value in named if "://" not in value):
        return True
    return any(
        _MAKERS.search(part) or any(map(_is_random, _RUN.findall(part))) for part in (parts.path, parts.fragment)
    )


def _is_random(run: str) -> bool:
    """Check whether letters and digits alternate often: in words and dates they are grouped."""
    changes = sum(one.isdigit() != other.isdigit() for one, other in pairwise(run))
    return changes >= 6
