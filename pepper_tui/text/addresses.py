"""One address by itself: found in a text, trusted, and sent to by one grammar; ``mailboxes`` reads whole headers.

A local part is an RFC 5322 dot-atom, of letters and digits of any script (RFC 6531); a quoted one is not sent to. A
domain is dot-separated labels, kept in its ASCII form. Two addresses are the same where their ``canonical`` forms are.
"""

from __future__ import annotations

import contextlib
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from pepper_tui.text import hidden

_ATOM: Final = r"[\w!#$%&'*+/=?^`{|}~-]"
_LABEL: Final = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
ADDRESS: Final = re.compile(rf"{_ATOM}{{1,64}}+(?:\.{_ATOM}{{1,64}}+){{0,8}}+@{_LABEL}(?:\.{_LABEL}){{0,8}}")
_FRAMES: Final = {"'": "'", "*": "*", "_": "_", "`": "`", "{": "}", "|": "|", "~": "~", "=": "=", "/": "/"}
_NEVER_FIRST: Final = "'*!?`{|}/=~^$%&"
"""Signs that grammar lets an address begin with, and that stand before one in a text of the user's instead."""
_ALIKE: Final = str.maketrans(
    "аеорсухіјѕԁԛԝвнкмт" + "01i|!5" + "ıαονρ",
    "aeopcyxljsdqwbhkmt" + "ollll" + "s" + "laovp",
)


def canonical(address: str) -> str | None:
    """``address`` with its domain in ASCII, in NFC; ``None`` where it is none that can be written to."""
    address = unicodedata.normalize("NFC", address.strip())
    if not ADDRESS.fullmatch(address) or hidden(address):
        return None
    local, _, domain = address.rpartition("@")
    if len(local) > 64:
        return None
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    return f"{local}@{domain}"


def compared(address: str) -> str:
    """``address`` as it is compared with others: canonical, lower case."""
    return (canonical(address) or address).lower()


def meant(text: str) -> set[str]:
    """The addresses that the user means by what they wrote: without the signs that frame or precede one there."""
    found = set()
    for match in ADDRESS.finditer(text):
        address = match[0]
        while address and (
            address[0] in _NEVER_FIRST or _FRAMES.get(address[0]) == text[match.end() : match.end() + 1]
        ):
            address = address[1:]
        if canonical(address):
            found.add(compared(address))
    return found


def alike(address: str, known: Iterable[str]) -> str:
    """That of the ``known`` addresses which ``address`` could be taken for; empty where there is none."""
    mine, form = compared(address), _skeleton(address)
    for other in known:
        theirs = compared(other)
        if theirs != mine and "@" in theirs and (_near(form, _skeleton(theirs)) or _longer(form, _skeleton(theirs))):
            return theirs
    return ""


def _skeleton(address: str) -> tuple[str, str]:
    local, _, domain = compared(address).rpartition("@")
    with contextlib.suppress(UnicodeError):
        domain = domain.encode("ascii").decode("idna")
    local, domain = (unicodedata.normalize("NFKD", part).casefold().translate(_ALIKE) for part in (local, domain))
    local, domain = local.replace("rn", "m"), domain.replace("rn", "m")
    return "".join(filter(str.isalnum, local)), "".join(each for each in domain if each.isalnum() or each == ".")


def _near(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether both parts look the same, or one of them does and the other is one letter away."""
    if one == other:
        return True
    if one[0] == other[0] and len(one[1]) > 5:
        return _one_apart(one[1], other[1])
    return one[1] == other[1] and len(one[0]) > 3 and _one_apart(one[0], other[0])


def _longer(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether the domain of ``one`` begins with all of the other's, as "example.org.evil.example" does."""
    return one[0] == other[0] and one[1].startswith(f"{other[1]}.")


def _one_apart(one: str, other: str) -> bool:
    """Whether one letter was put in, left out, changed, or swapped with its neighbour."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rest, others = one[start:], other[start:]
    swapped = rest[:2] == others[:2][::-1] and rest[2:] == others[2:]
    return swapped or rest[1:] == others[1:] or rest[1:] == others or rest == others[1:]


def nobody_reads(address: str) -> bool:
    """Whether the address says that a machine writes from it."""
    local = address.partition("@")[0]
    return bool(_NOBODY.match(local) or _MACHINE.search(local))


_NOBODY: Final = re.compile(
    r"(?:no|do|donot|not)[._-]?(?:not[._-]?)?reply|noreply|mailer-daemon|postmaster|bounces?(?:[+._-]|$)", re.IGNORECASE
)
_MACHINE: Final = re.compile(
    r"no[._-]?reply|do[._-]?not[._-]?reply|^(?:automated|auto|notifications?|notify|alerts?|newsletters?|news|marketing"
    r"|mailer|surveys?|robot|bot)(?:$|[+._-])",
    re.IGNORECASE,
)
