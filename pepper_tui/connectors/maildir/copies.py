"""What a Maildir says about its mails: folders by their names, marks by the letters at the end of a file's name.

A copy's place is the Maildir, the folder's name and the unique name: a mark does not change it, a move does.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from pepper_tui.domains.mail.at_source.folder_uses import use_by_name
from pepper_tui.domains.mail.at_source.state import Copy, Mark, Use

INBOX: Final = "INBOX"
LETTERS: Final[dict[Mark, str]] = {
    "draft": "D",
    "flagged": "F",
    "forwarded": "P",
    "answered": "R",
    "seen": "S",
    "deleted": "T",
}
_MARKS: Final = {letter: mark for mark, letter in LETTERS.items()}
_ENCODED: Final = re.compile(r"&[A-Za-z0-9+,]*-")
_PLACE: Final = "maildir:"


def letters_in(file_name: str) -> str:
    """Return the letters of the known marks in a file's name, in order."""
    return _known(file_name.partition(":2,")[2])


@lru_cache(maxsize=256)
def _known(info: str) -> str:
    return "".join(sorted(set(info) & _MARKS.keys()))


def letters_of(copy: Copy) -> str:
    """Return the letters of a copy's marks, in order."""
    return "".join(sorted(LETTERS[mark] for mark in copy.marks if mark in LETTERS))


def place_of(root: Path, label: str, name: str) -> str:
    """Return the place of the mail with that unique name in the folder ``label`` of the Maildir ``root``."""
    return f"{_PLACE}{root}/{label}/{name}"


def label_at(place: str, root: Path) -> str:
    """Return the folder of a place; empty if it is not in the Maildir ``root``."""
    start = f"{_PLACE}{root}/"
    return place.removeprefix(start).rpartition("/")[0] if place.startswith(start) else ""


def copy_of(account: str, root: Path, label: str, place: str, letters: str) -> Copy:
    """Return a copy in the folder ``label`` of the Maildir ``root``, with marks by ``letters``."""
    marks = [_MARKS[letter] for letter in letters]
    return Copy(place, account, label, use_of(root, label), marks)


def use_of(root: Path, label: str) -> Use:
    """Return what a folder is for. The Maildir itself is the inbox, unless its own name says otherwise."""
    return use_by_name(root.name if label == INBOX else label) or ("inbox" if label == INBOX else "")


def label_of(root: Path, folder: Path) -> str:
    """Return the name of ``folder`` as the user knows it: some programs write it in seven bits, as IMAP does."""
    if folder == root:
        return INBOX
    name = folder.relative_to(root).as_posix().lstrip(".")
    if not _ENCODED.search(name):
        return name
    from imapclient.imap_utf7 import decode

    try:
        return str(decode(name.encode("ascii")))
    except ValueError:
        return name
