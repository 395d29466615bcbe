"""Keeps passwords and tokens in files of the home for its owner only. All of it blocks.

The words of an error never contain a value.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
from pathlib import Path
from typing import Final, Protocol

from pepper_tui.boundary.plain_file import open_plain
from pepper_tui.text.errors import Foreseen, PepperError

FOLDER: Final = "secrets"
"""The folder of the home that holds a file for each secret."""
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,79}")


class KeeperError(PepperError, Foreseen):
    """A secret can't be read, written or removed."""


class SecretKeeper(Protocol):
    """Secrets by name. Blocking; raises ``KeeperError``."""

    def read(self, name: str) -> str | None:
        """Return the secret, or None if there is none of that name."""
        ...

    def write(self, name: str, value: str) -> None: ...

    def remove(self, name: str) -> None:
        """Remove the secret, wherever it is kept; nothing happens if there is none."""
        ...


class FileKeeper:
    """A file of mode 0600 for each secret, in a folder of the home that only its owner may enter."""

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER

    def read(self, name: str) -> str | None:
        path = self._folder / _checked(name)
        try:
            with open_plain(path, flags=os.O_NOFOLLOW) as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                if mode & 0o077:
                    raise KeeperError(f"{path}: others may read it (mode {mode:04o})", f"chmod 600 {path}")
                return file.read().decode("utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise KeeperError(f"{path}: {getattr(error, 'strerror', '') or 'it is not UTF-8'}") from None

    def write(self, name: str, value: str) -> None:
        path = self._folder / _checked(name)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.chmod(0o700)
            handle, part = tempfile.mkstemp(dir=self._folder, prefix=".part-")  # O_EXCL, mode 0600
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(value)
                    file.flush()
                    os.fsync(file.fileno())
                Path(part).replace(path)
            except BaseException:
                with contextlib.suppress(OSError):
                    Path(part).unlink()
                raise
        except OSError as error:
            raise KeeperError(f"{path}: {error.strerror}") from None

    def remove(self, name: str) -> None:
        path = self._folder / _checked(name)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise KeeperError(f"{path}: {error.strerror}") from None


def keeper_of(home: Path) -> FileKeeper:
    """Return the keeper of the secrets of ``home``."""
    return FileKeeper(home)


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise KeeperError("the name of a secret is made of letters, digits, - _ and . (80 at most)")
    return name
