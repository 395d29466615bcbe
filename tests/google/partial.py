"""The parameter ``fields``: what a client wants of an answer, as in ``messages(id,payload/headers),nextPageToken``."""

from __future__ import annotations

import re
from typing import Any

from tests.google.errors import invalid

Mask = dict[str, "Mask"]
"""A field's name -> what is wanted of it; nothing means all."""


def masked(body: Any, fields: str) -> Any:
    tokens = re.findall(r"[A-Za-z]+|[*,()/]", fields)
    if "".join(tokens) != fields.replace(" ", ""):
        raise invalid("Invalid field selection")
    mask = _read(tokens)
    if tokens:
        raise invalid("Invalid field selection")
    return _taken(body, mask)


def _read(tokens: list[str]) -> Mask:
    mask: Mask = {}
    while tokens and tokens[0] != ")":
        name = tokens.pop(0)
        inner: Mask = {}
        mask.setdefault(name, inner)
        if tokens and tokens[0] == "/":
            tokens.pop(0)
            deep = tokens.pop(0) if tokens else ""
            rest = _read([deep, *_enclosed(tokens)])
            mask[name].update(rest)
        elif tokens and tokens[0] == "(":
            mask[name].update(_read(_enclosed(tokens)[1:-1]))
        if tokens and tokens[0] == ",":
            tokens.pop(0)
    return mask


def _enclosed(tokens: list[str]) -> list[str]:
    """Takes what belongs to the name just read: further steps of its path, and a list in parentheses."""
    taken: list[str] = []
    depth = 0
    while tokens and (depth or tokens[0] not in (",", ")")):
        depth += (tokens[0] == "(") - (tokens[0] == ")")
        taken.append(tokens.pop(0))
    return taken


def _taken(value: Any, mask: Mask) -> Any:
    if not mask or "*" in mask:
        return value
    if isinstance(value, list):
        return [_taken(each, mask) for each in value]
    if isinstance(value, dict):
        return {name: _taken(each, mask[name]) for name, each in value.items() if name in mask}
    return value
