"""What the disk, the store or a strange file refuses is told in words, and nothing waits for it."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pepper_tui.command.launch import LaunchError, first_look, read_config
from pepper_tui.config import ConfigError, Secrets, load_config
from pepper_tui.config.upgrade import upgrade_of
from pepper_tui.engine.logs import LOG_FILE, LogFile
from tests.command.commands import ENVIRONMENT, PEPPER, pepper


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text('[models]\napi_key = ""\n')
    return home


def make(path: Path, kind: str) -> None:
    match kind:
        case "pipe":
            os.mkfifo(path, 0o600)
        case "folder":
            path.mkdir(0o700)
        case "link to a pipe":
            os.mkfifo(path.with_name("pipe"), 0o600)
            path.symlink_to("pipe")
        case "socket":
            with socket.socket(socket.AF_UNIX) as made:
                here = Path.cwd()
                os.chdir(path.parent)  # the name of a socket may not be long
                try:
                    made.bind(path.name)
                finally:
                    os.chdir(here)
            path.chmod(0o600)


KINDS = ["pipe", "folder", "link to a pipe", "socket"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("read", [load_config, lambda home: upgrade_of(home / "config.toml")])
def test_a_config_that_is_no_plain_file_is_refused_at_once(
    tmp_path: Path, kind: str, read: Callable[[Path], object]
) -> None:
    make(tmp_path / "config.toml", kind)
    with pytest.raises(OSError, match=r"not a regular file|directory|No such device"):
        read(tmp_path)
    with pytest.raises(LaunchError, match=r"config\.toml: "):
        read_config(tmp_path)
    assert first_look(tmp_path).theme == "pepper"


@pytest.mark.parametrize("kind", KINDS)
def test_secrets_that_are_no_plain_file_are_refused_at_once(tmp_path: Path, kind: str) -> None:
    make(tmp_path / "secrets.toml", kind)
    with pytest.raises(ConfigError) as refused:
        Secrets(tmp_path).value("secret:key")
    assert str(tmp_path / "secrets.toml") in refused.value.problems[0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_log_that_is_no_plain_file_is_not_waited_for(tmp_path: Path, kind: str) -> None:
    make(tmp_path / LOG_FILE, kind)
    with pytest.raises(OSError, match=r".+"):
        LogFile(tmp_path / LOG_FILE)


@pytest.mark.parametrize("command", ["config check", "ask hello", "status"])
def test_a_pipe_for_a_config_holds_no_command_up(home: Path, command: str) -> None:
    (home / "config.toml").unlink()
    make(home / "config.toml", "pipe")
    done = pepper(home, command)
    assert done.returncode == 2
    assert "config.toml: it is not a regular file" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("table", ["updates", "deliveries"])
def test_a_store_that_refuses_is_told_in_words(home: Path, table: str) -> None:
    assert pepper(home, "ask hello").returncode == 0
    with sqlite3.connect(home / "pepper.db") as store:
        store.execute(f"CREATE TRIGGER no BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'planted'); END")
    store.close()
    done = pepper(home, "ask hello")
    assert done.returncode == 1
    assert "refuses: planted" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert str(home / "pepper.db") in done.stderr


@pytest.mark.parametrize(
    "command",
    ["ask hello", "status", "log", "config show", "config example", "store stats", "store export -", "when tomorrow",
     "--version"],
)  # fmt: skip
def test_an_output_that_is_full_is_told_in_words(home: Path, command: str) -> None:
    assert pepper(home, "ask hello").returncode == 0
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*PEPPER, "--home", str(home), *command.split()], stdout=full, stderr=subprocess.PIPE, text=True,
            check=False, timeout=60, stdin=subprocess.DEVNULL, env=ENVIRONMENT,
        )  # fmt: skip
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert done.returncode == 1
