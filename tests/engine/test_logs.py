"""The log: for the user's eyes alone, of bounded size, and nothing in it that a terminal obeys or that is a secret."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from pepper_tui.config import Secrets
from pepper_tui.domains.mail.outbox import OutcomeUnknownError
from pepper_tui.engine import logs
from pepper_tui.engine.logs import LOG_FILE, LogFile, log_to
from pepper_tui.feeds.feed import FeedError
from pepper_tui.model import ModelError
from pepper_tui.store import StoreUnavailableError
from pepper_tui.text import one_line
from pepper_tui.text.errors import Foreseen
from pepper_tui.tools import ToolError

SECRET = "sk-planted-0123456789"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, LogFile)]:
        root.removeHandler(handler)
        handler.close()


def test_what_is_logged_is_kept_clean_and_for_one_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Secrets, "given", {SECRET, ""})
    path = log_to(tmp_path, Secrets.without)
    try:
        raise RuntimeError(f"the server said \x1b]0;owned\x07 {SECRET} \x9b2J\u202e")
    except RuntimeError:
        logging.getLogger("pepper_tui.test").exception("it broke")
    said = path.read_text(encoding="utf-8")
    assert "it broke" in said
    assert "the server said" in said
    assert SECRET not in said
    assert "[secret]" in said
    assert not any(character in said for character in "\x1b\x07\x9b\u202e")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


class Told(Exception, Foreseen):
    pass


def raised(error: BaseException) -> BaseException:
    """``error`` with a traceback and a cause, as it is caught."""
    try:
        try:
            raise OSError("the cause")
        except OSError as cause:
            raise error from cause
    except BaseException as caught:
        return caught


FORESEEN = (
    Told("the disk\nis full"),
    ModelError("server", "The model server failed.", retryable=True),
    ToolError("there is no such file"),
    OutcomeUnknownError("the server's answer never came"),
    StoreUnavailableError("the disk is full"),
    FeedError("not there", "make it"),
    ConnectionResetError("peer"),
    TimeoutError(),
    ExceptionGroup("two", [ToolError("one"), TimeoutError()]),
)
MIXED = ExceptionGroup("mixed", [ToolError("one"), KeyError("two")])
UNFORESEEN = (KeyError("name"), RuntimeError("x"), OSError(5, "I/O"), MIXED)


@pytest.mark.parametrize("error", FORESEEN, ids=lambda error: type(error).__name__)
def test_what_was_foreseen_is_one_line(tmp_path: Path, error: Exception) -> None:
    path = log_to(tmp_path, str)
    logging.getLogger("pepper_tui.test").error("it failed", exc_info=raised(error))
    [line] = path.read_text(encoding="utf-8").splitlines()
    assert "it failed: " in line
    assert one_line(str(error) or type(error).__name__) in line


@pytest.mark.parametrize("error", UNFORESEEN, ids=lambda error: type(error).__name__)
def test_what_was_not_foreseen_has_its_traceback(tmp_path: Path, error: Exception) -> None:
    path = log_to(tmp_path, str)
    logging.getLogger("pepper_tui.test").error("it failed", exc_info=raised(error))
    assert "Traceback" in path.read_text(encoding="utf-8")


def test_words_that_a_line_holds_are_not_said_twice(tmp_path: Path) -> None:
    path = log_to(tmp_path, str)
    logging.getLogger("pepper_tui.test").error("it failed: %s", "no such file", exc_info=raised(Told("no such file")))
    assert path.read_text(encoding="utf-8").count("no such file") == 1


def test_it_is_bounded_and_the_older_files_are_private_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "BYTES", 2000)
    log_to(tmp_path, str)
    for number in range(200):
        logging.getLogger("pepper_tui.test").error("line %d %s", number, "x" * 100)
    found = sorted(tmp_path.iterdir())
    assert [path.name for path in found] == [LOG_FILE, *(f"{LOG_FILE}.{n}" for n in (1, 2, 3))]
    assert all(path.stat().st_size <= 2000 for path in found)
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}
    assert "line 199" in found[0].read_text()


def test_a_log_that_can_not_be_written_harms_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log_to(tmp_path / "absent", str)
    logging.getLogger("pepper_tui.test").error("nobody hears it")
    assert "Traceback" not in capfd.readouterr().err


def test_another_home_has_its_own(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        log_to(tmp_path / name, str)
        logging.getLogger("pepper_tui.test").warning("in %s", name)
    assert [(tmp_path / name / LOG_FILE).read_text().count("in ") for name in ("a", "b")] == [1, 1]
