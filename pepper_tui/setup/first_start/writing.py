"""Writes the first config: whole or not at all, for its owner only, never over an existing one unasked."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from pepper_tui.config import CONFIG_FILE, parse_config
from pepper_tui.home import make_private
from pepper_tui.text.errors import PepperError


class ConfigExistsError(PepperError):
    """A config already exists."""


def write_config(home: Path, text: str, *, replace: bool = False) -> Path:
    """Write ``text`` as the config of ``home`` (made with mode 0700) and return its path. Blocking.

    With ``replace`` the previous config is kept beside it as ``config.toml.old``. Raises ``ConfigExistsError``,
    ``ConfigError`` for an invalid text, ``OSError`` with nothing changed.
    """
    path = home / CONFIG_FILE
    parse_config(text, path)
    make_private(home)
    handle, name = tempfile.mkstemp(dir=home, prefix=".config-")  # mode 0600
    new = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if replace and path.exists():
            shutil.copy2(path, path.with_name(f"{CONFIG_FILE}.old"))
            new.replace(path)
            return path
        try:
            os.link(new, path)  # fails if one exists, whoever created it meanwhile
        except FileExistsError as error:
            raise ConfigExistsError(f"{path} already exists") from error
    finally:
        with contextlib.suppress(OSError):
            new.unlink()
    return path
