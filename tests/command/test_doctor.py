"""`pepper doctor` and `config show` on homes that are well, and on homes that are not."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pepper_tui.clock import SystemClock
from pepper_tui.command.cli import app
from pepper_tui.config import DATABASE
from pepper_tui.store import ContextStore
from tests.domains.mail.mails import deliver, mail, make_maildir
from tests.living.world import CountingSmtp
from tests.llm.server import ModelServer


def pepper(home: Path, *words: str) -> Any:
    return CliRunner().invoke(app, ["--home", str(home), *words])


def write(home: Path, config: str) -> None:
    home.mkdir(mode=0o700, exist_ok=True)
    (home / "config.toml").write_text(config)


def test_a_home_that_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-planted")
    maildir = make_maildir(tmp_path / "Maildir")
    deliver(maildir, mail(), "1.test")
    event = "BEGIN:VEVENT\nUID:1\nDTSTART:20260101T090000Z\nEND:VEVENT\n"
    (tmp_path / "own.ics").write_text(f"BEGIN:VCALENDAR\n{event}END:VCALENDAR\n")
    smtp = CountingSmtp()
    smtp.start()
    try:
        with ModelServer() as model:
            write(
                tmp_path / "home",
                f"""
[user]
addresses = ["me@example.org"]
[models]
name = "test"
base_url = "{model.url}"
api_key = "env:MY_KEY"
[mail]
maildir = ["{maildir}"]
[mail.smtp]
host = "127.0.0.1"
port = {smtp.port}
security = "none"
[calendar]
paths = ["{tmp_path / "own.ics"}"]
""",
            )
            found = pepper(tmp_path / "home", "doctor")
    finally:
        smtp.stop()
    assert found.exit_code == 0, found.output
    for words in ("1 mail", "1 events", "1 models", f"127.0.0.1:{smtp.port}", "All is well."):
        assert words in found.output
    assert "TROUBLE" not in found.output
    assert "sk-planted" not in found.output
    assert smtp.taken == []


def test_each_fault_is_named_with_its_fixing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    write(
        home,
        """
[user]
addresses = ["me@example.org"]
[models]
name = "test"
base_url = "http://127.0.0.1:1/v1"
api_key = "sk-in-the-config"
[mail]
maildir = ["nowhere"]
[mail.smtp]
host = "127.0.0.1"
port = 1
[calendar]
paths = ["none.ics"]
[[feed]]
name = "mine"
file = "mine.py"
""",
    )
    home.chmod(0o755)
    (home / "secrets.toml").write_text("")
    (home / "secrets.toml").chmod(0o644)
    found = pepper(home, "doctor")
    assert found.exit_code == 1
    for words in (
        f"chmod 700 {home}",
        f"chmod 600 {home / 'secrets.toml'}",
        f"{home / 'nowhere'} is not there",
        f"{home / 'none.ics'} is not there",
        f"{home / 'mine.py'} is not there",
        "127.0.0.1:1",
        "the config itself contains a secret",
        "things need fixing.",
    ):
        assert words in found.output, words
    assert "sk-in-the-config" not in found.output
    shown = pepper(home, "config", "show").output
    assert "sk-in-the-config" not in shown
    assert "models.api_key = (hidden)" in shown
    assert "models.max_tokens = 8192" in shown


def test_a_damaged_store_is_found(tmp_path: Path) -> None:
    home = tmp_path / "home"
    write(home, "")

    async def fill() -> None:
        store = await ContextStore.open(home / DATABASE, SystemClock())
        for number in range(200):
            await store.store({"id": f"one{number}"}, namespace="note", text="words " * 50)
        await store.close()

    asyncio.run(fill())
    assert "whole" in pepper(home, "doctor").output
    with (home / DATABASE).open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(size // 2)
        file.write(b"\xff" * 8192)
    found = pepper(home, "doctor")
    assert found.exit_code == 1
    assert "damaged" in found.output
    assert "pepper store restore FILE" in found.output


def test_without_a_home_the_way_in_is_named(tmp_path: Path) -> None:
    found = pepper(tmp_path / "none", "doctor")
    assert found.exit_code == 1
    assert "pepper --demo" in found.output
    assert not (tmp_path / "none").exists()
