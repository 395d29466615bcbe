"""The log file of one home: private, of bounded size, and free of terminal control sequences.

While the screen is up, there is no error output to log to.
"""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final, cast

from pepper_tui.boundary.plain_file import must_be_plain
from pepper_tui.text.errors import LogLine

LOG_FILE: Final = "pepper.log"
BYTES: Final = 1_000_000  # per file
KEPT: Final = 3  # older files, as pepper.log.1 to .3
_FORM: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _Safe(LogLine):
    """Log lines without the values of secrets; tracebacks can quote requests."""

    def __init__(self, without: Callable[[str], str]) -> None:
        super().__init__(_FORM)
        self._without = without

    def format(self, record: logging.LogRecord) -> str:
        return self._without(super().format(record))


class LogFile(RotatingFileHandler):
    """A rotating log with files of mode 0600. Failed writes are dropped: health reports a full disk."""

    def _open(self) -> io.TextIOWrapper:
        def private(path: str, flags: int) -> int:
            descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                must_be_plain(descriptor, Path(path))
            except OSError:
                os.close(descriptor)
                raise
            return descriptor

        opened = open(self.baseFilename, self.mode, encoding="utf-8", opener=private)  # noqa: SIM115
        return cast(io.TextIOWrapper, opened)

    def handleError(self, record: logging.LogRecord) -> None:
        del record


def log_to(home: Path, without: Callable[[str], str]) -> Path:
    """Send this process's log to the home's log file from now on; return its path.

    ``without`` removes the secrets from a text.
    """
    root = logging.getLogger()
    for earlier in [each for each in root.handlers if isinstance(each, LogFile)]:
        root.removeHandler(earlier)
        earlier.close()
    path = home / LOG_FILE
    handler = LogFile(path, maxBytes=BYTES, backupCount=KEPT, delay=True)
    handler.setFormatter(_Safe(without))
    root.addHandler(handler)
    return path
