"""Failures that were foreseen: what is logged of them is one line. All others are logged with their traceback."""

from __future__ import annotations

import logging

from pepper_tui.text import clean, one_line


class Foreseen:
    """Marks an exception whose words say all there is to say."""


def is_foreseen(error: BaseException | None) -> bool:
    """Whether a traceback of ``error`` would help nobody: marked so, or a peer that went away or does not answer."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(is_foreseen, error.exceptions))
    return isinstance(error, Foreseen | ConnectionError | TimeoutError)


class LogLine(logging.Formatter):
    """Nothing in it is obeyed by a terminal: tracebacks quote what came from outside."""

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and is_foreseen(error):
            said, words = record.getMessage(), one_line(str(error) or type(error).__name__, 500)
            record = logging.makeLogRecord(record.__dict__)
            record.msg, record.args = said if words in said else f"{said}: {words}", ()
            record.exc_info = record.exc_text = None
        return clean(super().format(record))
