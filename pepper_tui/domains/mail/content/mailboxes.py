"""Mail addresses by one grammar (RFC 5322, 3.4), for senders and recipients alike.

It takes one pass over the text, so linear time. The address of a mailbox is what its angle brackets hold, whatever its
name says; a mailbox that can be read in two ways has none. Comments and folding are left out, groups are expanded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_ATOM: Final = r"[^\s\x00-\x20\x7f()<>\[\]:;@\\,.\"]+"
_SPEC: Final = re.compile(
    rf'(?:{_ATOM}(?:\.{_ATOM})*|"(?:[^"\\\r\n]|\\[^\r\n])*")@(?:{_ATOM}(?:\.{_ATOM})*|\[[^\[\]\\\s]*\])'
)
_COMMON: Final = re.compile(r"([^\s\"(),;:<>\\][^\"(),;:<>\\]*)<([^\"(),;:<>\\]*)>")
"""A name without any letter that means something, and an address: most headers by far."""
_IN_NAME: Final = re.compile(r"[^\s<>\"'(),;:@]{1,64}@[^\s<>\"'(),;:@]{1,255}")


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox. ``address`` is empty if none can be read; both are as written, except for quotes."""

    name: str
    address: str

    @property
    def named(self) -> str:
        """An address in the name that is not the mailbox's own; empty if there is none."""
        own = self.address.casefold()
        found = (each[0].strip(".") for each in _IN_NAME.finditer(self.name))
        return next((each for each in found if each.casefold() != own), "")


def parse_address(text: str) -> Address | None:
    """Return the single mailbox in ``text``; ``None`` if there is none, or more than one."""
    found = parse_addresses(text)
    return found[0] if len(found) == 1 and found[0].address else None


def parse_addresses(header: str) -> list[Address]:
    """Return the mailboxes in a header's value, in order, also those without a readable address."""
    if common := _COMMON.fullmatch(header):
        return [_mailbox([("text", common[1]), ("angle", common[2])])]
    return [found for found in map(_mailbox, _split(header)) if found.name or found.address]


def parse_recipients(text: str) -> list[Address]:
    """Return the mailboxes that a person or a model wrote. A group is no address here; nothing is skipped unread."""
    return [_mailbox(tokens) for tokens in _split(text, groups=False) if any(held.strip() for _, held in tokens)]


def _split(header: str, groups: bool = True) -> Iterator[list[tuple[str, str]]]:
    """Yield the tokens of each mailbox: kind (``text``, ``quoted``, ``angle``) and content."""
    tokens: list[tuple[str, str]] = []
    held: list[str] = []
    kind, depth, at, end = "text", 0, 0, len(header)

    def keep() -> None:
        nonlocal kind
        if held:
            tokens.append((kind, "".join(held)))
            held.clear()
        kind = "text"

    while at < end:
        letter = header[at]
        at += 1
        if depth:
            if letter == "\\":
                at += 1
            else:
                depth += {"(": 1, ")": -1}.get(letter, 0)
        elif kind == "quoted":
            held.append(letter)
            if letter == "\\" and at < end:
                held.append(header[at])
                at += 1
            elif letter == '"':
                keep()
        elif kind == "angle":
            if letter == ">":
                tokens.append((kind, "".join(held)))
                held.clear()
                kind = "text"
            else:
                held.append(letter)
        elif letter == "(":
            depth = 1
            held.append(" ")
        elif letter == '"':
            keep()
            kind = "quoted"
            held.append(letter)
        elif letter == "<":
            keep()
            kind = "angle"
        elif letter in ",;":
            keep()
            yield tokens
            tokens = []
        elif letter == ":" and groups:  # what came before is a group's name
            held.clear()
            tokens = []
        else:
            held.append(letter)
    if kind == "text":
        keep()
    else:
        tokens.append(("broken", "".join(held)))
    yield tokens


def _mailbox(tokens: list[tuple[str, str]]) -> Address:
    angles = [held.strip() for kind, held in tokens if kind == "angle"]
    words = [_unquoted(held) if kind == "quoted" else held for kind, held in tokens if kind != "angle"]
    name = " ".join(" ".join(words).split())
    broken = any(kind == "broken" for kind, _ in tokens)
    if angles:
        after = tokens[-1][0] != "angle" and tokens[-1][1].strip()
        whole = len(angles) == 1 and not after and not broken and _SPEC.fullmatch(angles[0])
        return Address(name, angles[0] if whole else "")
    alone = "".join(held for _, held in tokens).strip()
    if not broken and _SPEC.fullmatch(alone):
        return Address("", alone)
    return Address(name, "")


def _unquoted(held: str) -> str:
    return re.sub(r"\\(.)", r"\1", held[1:-1])
