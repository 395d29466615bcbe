"""What a filter of the mail list asks for: words, ``from:``, ``in:``, ``is:`` and ``has:attachment``.

The one place where the list reads a query: whoever brings a richer language replaces this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pepper_tui.domains.mail.listing.index import Entry, Sign
from pepper_tui.text import one_line

_IS: Final[Mapping[str, tuple[int, bool]]] = {
    "unread": (Sign.UNREAD, True),
    "read": (Sign.UNREAD, False),
    "flagged": (Sign.FLAGGED, True),
    "answered": (Sign.ANSWERED, True),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """``words`` are looked up in the texts, all else in the index. ``asks_where``: a folder was named."""

    words: str = ""
    senders: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    signs: tuple[tuple[int, bool], ...] = ()

    @property
    def asks_where(self) -> bool:
        return bool(self.folders)

    def fits(self, entry: Entry) -> bool:
        """Check all but the words."""
        if entry.signs & Sign.HIDDEN and not self.asks_where:
            return False
        named = entry.who.casefold()
        return (
            all(one in named or one in entry.address for one in self.senders)
            and all(_is_in(entry, one) for one in self.folders)
            and all(bool(entry.signs & sign) is has for sign, has in self.signs)
        )


def wanted(query: str) -> Wanted:
    """Return what ``query`` asks for. Raises ``ValueError`` with words for a filter that is not known."""
    words: list[str] = []
    senders: list[str] = []
    folders: list[str] = []
    signs: list[tuple[int, bool]] = []
    for part in query.split():
        key, colon, value = part.partition(":")
        value = value.casefold().strip('"')
        if not colon or not key.isalpha() or part.startswith(("http:", "https:")):
            words.append(part)
        elif not value:
            continue  # it is being typed
        elif key == "from":
            senders.append(value)
        elif key == "in":
            folders.append(value)
        elif key == "is" and value in _IS:
            signs.append(_IS[value])
        elif key == "has" and value.startswith("att"):
            signs.append((Sign.ATTACHED, True))
        elif key in ("is", "has"):
            raise ValueError(f"{one_line(part, 40)}: there are is:{', is:'.join(_IS)} and has:attachment")
        else:
            raise ValueError(f"{one_line(key, 20)}: is no filter here; there are from:, in:, is: and has:")
    return Wanted(" ".join(words), tuple(senders), tuple(folders), tuple(signs))


def _is_in(entry: Entry, folder: str) -> bool:
    label = entry.folder.casefold()
    return label == folder or label.endswith((f"/{folder}", f".{folder}")) or entry.account.casefold() == folder
