"""Changes to the files of a Maildir: flags in their names, moves between its folders. All of it blocks.

Other programs change the same files at the same time. So a file that went away is looked for again, and no file is ever
written over: a move makes a link first, and removes the old name after it.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pepper_tui.connectors.maildir.copies import LETTERS, label_of
from pepper_tui.connectors.maildir.feed import list_maildir
from pepper_tui.connectors.maildir.tree import mail_folders
from pepper_tui.domains.mail.at_source.folder_uses import use_by_name
from pepper_tui.domains.mail.at_source.state import Mark

TRIES: Final = 5
"""How often a file that another program renames meanwhile is looked for."""
_INFO: Final = ":2,"
_OF_A_FOLDER: Final = re.compile(r",(?:U=\d+|FMD5=[0-9a-fA-F]+)")
"""What a sync program writes into a name about the folder that the file is in; elsewhere it would mislead it."""
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS})


@dataclass(frozen=True, slots=True)
class Filed:
    """A file of a Maildir. ``name`` is its unique part, ``label`` its folder, ``flags`` the letters in its name."""

    path: Path
    name: str
    label: str
    flags: str

    @property
    def marks(self) -> list[Mark]:
        return [mark for mark, letter in LETTERS.items() if letter in self.flags]


class BusyError(OSError):
    """Another program kept renaming the file."""


def found(root: Path, names: Iterable[str]) -> dict[str, list[Filed]]:
    """Return the files below ``root`` with these unique names, by name."""
    wanted = set(names)
    there: dict[str, list[Filed]] = {}
    for each in list_maildir(root):
        if each.name in wanted:
            _, _, flags = each.path.name.partition(_INFO)
            there.setdefault(each.name, []).append(Filed(each.path, each.name, each.label, flags))
    return there


def folders(root: Path) -> dict[str, Path]:
    """Return the folders of the Maildir ``root`` by label, itself as INBOX; also those that hold no mail."""
    return {label_of(root, path): path for path in sorted(mail_folders(root)) if (path / "cur").is_dir()}


def folder_for(use: str, labels: Iterable[str], named: str) -> str:
    """Return the label of the folder for ``use``: ``named`` by the config, else by its name; empty if there is none."""
    return named or next(iter(sorted((label for label in labels if use_by_name(label) == use), key=len)), "")


def elsewhere(name: str) -> str:
    """Return a unique name without what a sync program knows its folder by."""
    return _OF_A_FOLDER.sub("", name)


def set_flag(root: Path, file: Filed, letter: str, *, on: bool) -> Filed:
    """Set or remove a flag. Raises ``FileNotFoundError`` if the file is gone, ``BusyError``, or another ``OSError``."""
    for _ in range(TRIES):
        flags = "".join(sorted({*file.flags, letter} if on else {*file.flags} - {letter}))
        if flags == file.flags:
            return file
        try:
            return _placed(file, file.path.parent.parent / "cur", file.name, flags, file.label)
        except FileNotFoundError:
            file = _again(root, file)
    raise BusyError(errno.EBUSY, "another program keeps renaming it")


def move(root: Path, file: Filed, label: str, folder: Path) -> Filed:
    """Move a file to ``folder``, which is called ``label``. Raises as ``set_flag``."""
    for _ in range(TRIES):
        try:
            return _placed(file, folder / "cur", elsewhere(file.name), file.flags, label)
        except FileNotFoundError:
            file = _again(root, file)
    raise BusyError(errno.EBUSY, "another program keeps renaming it")


def _again(root: Path, file: Filed) -> Filed:
    """Look for a file whose name was changed meanwhile, in the same folder. Raises ``FileNotFoundError``."""
    for each in found(root, [file.name]).get(file.name, []):
        if each.label == file.label:
            return each
    raise FileNotFoundError(file.path)


def _placed(file: Filed, folder: Path, name: str, flags: str, label: str) -> Filed:
    """Give a file another folder or name, and never that of another file."""
    for attempt in range(TRIES):
        unique = name if attempt == 0 else _other(name, attempt)
        target = folder / f"{unique}{_INFO}{flags}"
        try:
            _rename(file.path, target)
        except FileExistsError:
            continue
        return Filed(target, unique, label, flags)
    raise FileExistsError(errno.EEXIST, "there are other files of that name")


def _other(name: str, number: int) -> str:
    first, comma, rest = name.partition(",")
    return f"{first}_{number}{comma}{rest}"


def _rename(source: Path, target: Path) -> None:
    if source.parent == target.parent:
        _rename_here(source, target)
        return
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _rename_here(source, target)
        return
    try:
        source.unlink()
    except FileNotFoundError:  # another program has renamed it: under that name it is looked for again
        target.unlink()
        raise


def _rename_here(source: Path, target: Path) -> None:
    """Rename where no link is made: as sure as it gets."""
    if target.exists():
        raise FileExistsError(errno.EEXIST, "it is there already", str(target))
    source.rename(target)
