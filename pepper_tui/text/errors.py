"""Expected failures: they are logged in one line, all others with their traceback."""

from __future__ import annotations

import logging

from pepper_tui.text import clean, one_line


class PepperError(Exception):
    """Base of every error whose words a user may see.

    ``words`` say what happened; ``remedy`` says what the user can do, unless the words do.
    """

    def __init__(self, words: str = "", remedy: str = "") -> None:
        super().__init__(words)
        self.words, self.remedy = words, remedy

    @property
    def told(self) -> str:
        """The words, and behind them the remedy, for where there is one line for both."""
        return "; ".join(filter(None, (self.words, self.remedy)))


class Foreseen:
    """Marks an exception whose message says all there is to say."""


def is_foreseen(error: BaseException | None) -> bool:
    """Check whether a traceback of ``error`` would help nobody.

    That is so if it is marked, or if a peer went away or does not answer.
    """
    if isinstance(error, BaseExceptionGroup):
        return all(map(is_foreseen, error.exceptions))
    return isinstance(error, Foreseen | ConnectionError | TimeoutError)


class LogLine(logging.Formatter):
    """Formats log records so that a terminal obeys nothing in them: tracebacks quote text from outside."""

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and is_foreseen(error):
            said, words = record.getMessage(), one_line(str(error) or type(error).__name__, 500)
            record = logging.makeLogRecord(record.__dict__)
            record.msg, record.args = said if words in said else f"{said}: {words}", ()
            record.exc_info = record.exc_text = None
        return clean(super().format(record))
