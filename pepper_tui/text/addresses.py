"""Single mail addresses: one grammar decides which are found in a text, trusted and written to.

A local part is an RFC 5322 dot-atom of letters and digits of any script (RFC 6531); a quoted local part is never
written to. A domain is dot-separated labels, kept in its ASCII form. Two addresses are equal if their ``canonical``
forms are. ``mailboxes`` reads whole headers.
"""

from __future__ import annotations

import contextlib
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from pepper_tui.text import hidden
from pepper_tui.text.organisation import own_label

_ATOM: Final = r"[\w!#$%&'*+/=?^`{|}~-]"
_LABEL: Final = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
ADDRESS: Final = re.compile(rf"{_ATOM}{{1,64}}+(?:\.{_ATOM}{{1,64}}+){{0,8}}+@{_LABEL}(?:\.{_LABEL}){{0,8}}")
_FRAMES: Final = {"'": "'", "*": "*", "_": "_", "`": "`", "{": "}", "|": "|", "~": "~", "=": "=", "/": "/"}
_NEVER_FIRST: Final = "'*!?`{|}/=~^$%&"
"""Characters that the grammar allows at the start of an address, but that in a user's text only precede one."""
_ALIKE: Final = str.maketrans(
    "аеорсухіјѕԁԛԝвнкмт" + "01i|!5" + "ıαονρ",
    "aeopcyxljsdqwbhkmt" + "ollll" + "s" + "laovp",
)


def canonical(address: str) -> str | None:
    """Return ``address`` in NFC with its domain in ASCII; ``None`` if it can't be written to."""
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
    """Return ``address`` in the form used for comparison: canonical and lower case."""
    return (canonical(address) or address).lower()


def untagged(address: str) -> str:
    """Return an address without the "+tag" by which mail to it may be sorted (RFC 5233)."""
    name, _, domain = address.partition("@")
    return f"{name.partition('+')[0]}@{domain}"


def meant(text: str) -> set[str]:
    """Return the addresses that the user's text means, without characters that frame or precede them."""
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
    """Return which of the ``known`` addresses ``address`` could be mistaken for; an empty string if none."""
    mine, form = compared(address), _skeleton(address)
    for other in known:
        theirs = compared(other)
        if theirs != mine and "@" in theirs and (_near(form, _skeleton(theirs)) or _longer(form, _skeleton(theirs))):
            return theirs
    return ""


class KnownAddresses:
    """Addresses among which the one is found that a stranger's could be mistaken for, in the time of a look-up.

    Stricter than ``alike``: within one domain, and for two people of one domain, only what looks the same counts, as
    its owner gives out names that differ by a letter.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        self._domains: dict[str, str] = {}  # skeleton of a domain -> the domain
        self._by_local: dict[str, dict[str, str]] = {}  # skeletons: local part -> domain -> address
        for each in known:
            self.add(each)

    def __contains__(self, address: str) -> bool:
        return compared(address) in self._known

    def add(self, address: str) -> None:
        """Count ``address`` as known."""
        plain = compared(address)
        if plain not in self._known and "@" in plain:
            self._known.add(plain)
            local, domain = _skeleton(plain)
            self._domains.setdefault(domain, plain.rpartition("@")[2])
            self._by_local.setdefault(local, {})[domain] = plain

    def alike(self, address: str) -> str:
        """Return which known address, or else known domain, ``address`` could be mistaken for; empty if none."""
        plain = compared(address)
        if plain in self._known or "@" not in plain:
            return ""
        local, domain = _skeleton(plain)
        for other, known in self._by_local.get(local, {}).items():
            near = len(own_label(plain.rpartition("@")[2])) > _SHORT and _one_apart(domain, other)
            if domain == other or near or domain.startswith(f"{other}."):
                return known
        mine, theirs = plain.rpartition("@")[2], self._domains.get(domain, "")
        return theirs if theirs and theirs != mine else ""


_SHORT: Final = 2  # letters that somebody chose for a domain, within which one letter makes no look-alike


def same_look(text: str) -> str:
    """Return ``text`` with letters that look alike made the same."""
    return "".join(filter(str.isalnum, _look(text)))


def _look(text: str) -> str:
    return unicodedata.normalize("NFKD", text).casefold().translate(_ALIKE).replace("rn", "m")


def _skeleton(address: str) -> tuple[str, str]:
    local, _, domain = compared(address).rpartition("@")
    with contextlib.suppress(UnicodeError):
        domain = domain.encode("ascii").decode("idna")
    local, domain = _look(local), _look(domain)
    return "".join(filter(str.isalnum, local)), "".join(each for each in domain if each.isalnum() or each == ".")


def _near(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Check whether both parts look the same, or one does and the other is one letter away."""
    if one == other:
        return True
    if one[0] == other[0] and len(one[1]) > 5:
        return _one_apart(one[1], other[1])
    return one[1] == other[1] and len(one[0]) > 3 and _one_apart(one[0], other[0])


def _longer(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Check whether the domain of ``one`` begins with the whole of the other's, as in "example.org.evil.example"."""
    return one[0] == other[0] and one[1].startswith(f"{other[1]}.")


def _one_apart(one: str, other: str) -> bool:
    """Check whether the two differ by one letter inserted, dropped, changed, or swapped with its neighbour."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rest, others = one[start:], other[start:]
    swapped = rest[:2] == others[:2][::-1] and rest[2:] == others[2:]
    return swapped or rest[1:] == others[1:] or rest[1:] == others or rest == others[1:]


def nobody_reads(address: str) -> bool:
    """Check whether the address names a machine as its sender."""
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
