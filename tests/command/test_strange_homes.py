"""A home in which something else stands where a plain file, a socket or a log belongs: words, no wait, no harm."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pepper_tui.config import ConfigError, Secrets
from pepper_tui.engine.logs import LOG_FILE, LogFile, log_to

CONFIG = '[user]\nname = "Sam"\n[search]\nmeaning = false\n'


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pepper_tui", "--home", str(home), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    made.mkdir(mode=0o700)
    (made / "config.toml").write_text(CONFIG)
    return made


@pytest.mark.parametrize(
    "arguments",
    [("ask", "hi"), ("run", "--headless"), ("status",), ("config", "check"), ("config", "upgrade"), ("config", "show")],
    ids=" ".join,
)
def test_a_pipe_as_the_config_is_refused_in_words(home: Path, arguments: tuple[str, ...]) -> None:
    (home / "config.toml").unlink()
    os.mkfifo(home / "config.toml")
    done = run(home, *arguments)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "it is not a regular file" in said
    assert "Traceback" not in said


def test_a_pipe_as_the_secrets_is_refused_in_words(home: Path) -> None:
    os.mkfifo(home / "secrets.toml", 0o600)
    with pytest.raises(ConfigError, match="not a regular file"):
        Secrets(home, {}).value("secret:key")


@pytest.mark.parametrize("kind", ["pipe", "file", "link", "folder"])
def test_what_stands_in_the_socket_s_place_is_named_and_stays(home: Path, kind: str) -> None:
    place = home / "pepper.sock"
    (home / "diary").write_text("dear diary")
    {
        "pipe": lambda: os.mkfifo(place),
        "file": lambda: place.write_text("mine"),
        "link": lambda: place.symlink_to(home / "diary"),
        "folder": place.mkdir,
    }[kind]()
    done = run(home, "ask", "hi")
    assert "pepper.sock is no socket; move it away" in done.stderr
    assert "Traceback" not in done.stderr
    assert place.is_symlink() or place.exists()
    assert (home / "diary").read_text() == "dear diary"


@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_a_pipe_or_a_link_as_the_log_is_not_written_to(home: Path, kind: str) -> None:
    diary = home / "diary"
    diary.write_text("dear diary")
    os.mkfifo(home / LOG_FILE) if kind == "pipe" else (home / LOG_FILE).symlink_to(diary)
    log_to(home, str)
    try:
        logging.getLogger("pepper_tui").warning("a line")
    finally:
        for handler in [each for each in logging.getLogger().handlers if isinstance(each, LogFile)]:
            logging.getLogger().removeHandler(handler)
            handler.close()
    assert diary.read_text() == "dear diary"
