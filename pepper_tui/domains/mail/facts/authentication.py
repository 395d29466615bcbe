"""What the user's own mail server found out about a sender (RFC 8601, Authentication-Results).

Anybody can write such a header into a mail. Only the topmost counts, as each server writes above what came, and only if
it names the user's own server. That name is set in the config or learnt: the server that stands on top of four in five
of the last mails of an account, which no stranger could fill. Digits count as equal, since large providers number their
servers.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import Final

from pepper_tui.model import Json
from pepper_tui.text.organisation import organisation

REMEMBERED: Final = 200  # mails of an account from which its server is learnt
LEAST: Final = 10  # of them with the header
SHARE: Final = 0.8
LONGEST: Final = 16_000
"""Characters of a header that is read. A longer one is not judged: what proves the contrary may stand at its end."""
_RESULT: Final = re.compile(r"^\s*([a-z0-9-]{1,20})(?:/\d+)?\s*=\s*([a-z]{1,12})\b", re.IGNORECASE)
_DOMAIN: Final = {
    "dmarc": re.compile(r"\bheader\.from\s*=\s*([^\s;]{1,320})", re.IGNORECASE),
    "dkim": re.compile(r"\bheader\.[di]\s*=\s*([^\s;]{1,320})", re.IGNORECASE),
    "spf": re.compile(r"\bsmtp\.(?:mail)?from\s*=\s*([^\s;]{1,320})", re.IGNORECASE),
}
"""Where each method tells the domain that it is about; what stands elsewhere says nothing of it."""


class Servers:
    """Knows the user's own servers. ``named`` are those of the config."""

    def __init__(self, named: Iterable[str] = ()) -> None:
        self._named = {_alike(each) for each in named}
        self._seen: dict[str, deque[str]] = {}

    def note(self, raw: Json) -> None:
        """Count a mail of ``raw.mail`` that a server delivered."""
        if raw.get("received"):
            top = next(iter(raw.get("checked") or ()), "")
            self._seen.setdefault(place_of(raw), deque(maxlen=REMEMBERED)).append(server_of(top) if top else "")

    def trusts(self, raw: Json) -> bool:
        """Check whether the topmost header of a mail is by the user's own server."""
        top = next(iter(raw.get("checked") or ()), "")
        if not top:
            return False
        server, seen = server_of(top), self._seen.get(place_of(raw), ())
        if server in self._named:
            return True
        if self._named:
            return False
        count = Counter(seen)[server]
        return bool(server) and count >= LEAST and count >= SHARE * len(seen)

    def authentic(self, raw: Json) -> bool | None:
        """Return whether the sender is who it says, as the user's own server found; ``None`` if that is unknown."""
        return verdict(raw["checked"][0], raw["sender"]["address"]) if self.trusts(raw) else None


def place_of(raw: Json) -> str:
    """Return where a mail came in: the folder tree on this machine, else the account."""
    root = str((raw.get("files") or [[""]])[0][0])
    return root if root.startswith("/") else str(raw.get("account") or root)


def server_of(header: str) -> str:
    """Return the name of the server that wrote ``header``; empty if it gives none."""
    first = next(_parts(header), "").split()
    return _alike(first[0]) if first and "=" not in first[0] else ""


def verdict(header: str, sender: str) -> bool | None:
    """Return what ``header`` says of the address ``sender``.

    The server quotes what the sender chose (the address of the envelope). So quoted words are no results, where two
    contradict each other the worse counts, and a header with escapes, or one that is too long, proves nothing.
    """
    if len(header) > LONGEST:
        return None
    said = _verdict(header, sender)
    return None if said and "\\" in header else said


def _verdict(header: str, sender: str) -> bool | None:
    domain = sender.rpartition("@")[2].lower()
    found: dict[str, set[bool]] = {}
    for part in _parts(header):
        if (result := _RESULT.match(part)) is None:
            continue
        method, passed = result[1].lower(), result[2].lower() == "pass"
        if method not in _DOMAIN or not domain:
            continue
        said = [value.lower().rpartition("@")[2] for value in _DOMAIN[method].findall(part)]
        if passed and (any(_same(domain, each) for each in said) or (method == "dmarc" and not said)):
            found.setdefault(method, set()).add(True)
        elif not passed and result[2].lower() in ("fail", "permerror"):
            found.setdefault(method, set()).add(False)
    if "dmarc" in found:
        return found["dmarc"] == {True}
    if True in found.get("dkim", ()) or found.get("spf") == {True}:
        return True
    return False if False in found.get("spf", ()) and "dkim" not in found else None


def _same(domain: str, other: str) -> bool:
    """Check whether one is the other, or below it; a public suffix (``co.uk``) is nobody's."""
    short, long = sorted((domain, other), key=len)
    return (short == long or long.endswith(f".{short}")) and bool(organisation(short))


def _alike(server: str) -> str:
    return re.sub(r"\d+", "#", server.strip().strip('"').rstrip(".").lower())


def _parts(header: str) -> Iterator[str]:
    """Yield what stands between the semicolons of a header, without comments; quoted words never look like results."""
    held: list[str] = []
    depth, quoted, escaped = 0, False, False
    for letter in header:
        if escaped or letter == "\\":
            escaped = not escaped
        elif letter == '"':
            quoted = not quoted
        elif quoted:
            if not depth:
                held.append("_" if letter in ";=()" or letter.isspace() else letter)
        elif letter == "(":
            depth += 1
        elif letter == ")" and depth:
            depth -= 1
        elif letter == ";" and not depth:
            yield "".join(held)
            held.clear()
        elif not depth:
            held.append(letter)
    yield "".join(held)
