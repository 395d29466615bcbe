"""The first start on screen, on the command line, and then at once the running program."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from typer.testing import CliRunner

from pepper_tui.command.cli import app as command
from pepper_tui.config import load_config
from pepper_tui.llm.endpoint.local_servers import LocalServer
from pepper_tui.setup.first_start import Calendars, Found, Key, Mails
from pepper_tui.ui.welcome.welcome import WelcomeApp
from tests.setup.first_start.homes import furnished, maildir
from tests.terminal import Terminal
from tests.ui.seat import press, until

FOUND = Found(
    [Mails(Path("/m/one"), 3), Mails(Path("/m/two"), 5)],
    [Calendars(Path("/c"), 2)],
    [LocalServer("Ollama", "http://127.0.0.1:11434/v1", ("qwen3:8b",))],
    [
        Key("OpenAI", "OPENAI_API_KEY", "", "gpt-5-mini"),
        Key("Anthropic", "ANTHROPIC_API_KEY", "https://a.example/", ""),
    ],
    "Alex",
    "alex@example.com",
)


@asynccontextmanager
async def welcome(home: Path, found: Found = FOUND) -> AsyncIterator[tuple[WelcomeApp, Pilot[str]]]:
    app = WelcomeApp(home, Path("/nobody"), found)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: len(app.answers.steps) > 1, pilot)
        yield app, pilot


async def test_enter_all_through_takes_what_was_found_but_no_model(tmp_path: Path) -> None:
    async with welcome(tmp_path / "h") as (app, pilot):
        await press(pilot, *["enter"] * 6)
        assert not (tmp_path / "h").exists()  # nothing before the last step
        await press(pilot, "enter")
        await until(lambda: app.return_value == "written", pilot)
    config = load_config(tmp_path / "h")
    assert config.account[0].own == {"paths": ["/m/one", "/m/two"]}
    assert config.calendar.paths == [Path("/c")]
    assert (config.user.name, config.user.addresses) == ("Alex", ["alex@example.com"])
    assert config.models.api_key == config.models.base_url == ""
    assert [rule.name for rule in config.rule] == ["urgent words", "direct questions"]


async def test_every_step_can_be_skipped(tmp_path: Path) -> None:
    async with welcome(tmp_path / "h") as (app, pilot):
        await press(pilot, "enter", "s", "s", "s", "s", "s", "enter")
        await until(lambda: app.return_value == "written", pilot)
    config = load_config(tmp_path / "h")
    assert config.account == config.calendar.paths == config.user.addresses == []
    assert config.user.name == ""
    assert config.rule == []


async def test_what_is_taken_left_named_and_chosen_is_what_is_written(tmp_path: Path) -> None:
    mail = maildir(tmp_path / "own", 1)
    async with welcome(tmp_path / "h") as (app, pilot):
        await press(pilot, "enter", "down", "x", "o", *"/nowhere", "enter")
        await until(lambda: "is not there" in app.trouble, pilot)
        await press(pilot, "ctrl+u", *str(mail), "enter")
        await until(lambda: not app.field.asking, pilot)
        await press(pilot, "enter", "enter", "down", "down", "down", "enter")
        await press(pilot, *"some-model q", "enter")
        await press(pilot, "x", "o", "enter")  # a rule is left; there is none to name
        await until(lambda: app.answers.step == "you", pilot)
        await press(pilot, "o", "ctrl+u", *"Kim", "enter", "ctrl+u", *"no address", "enter")
        await until(lambda: "is not an address" in app.trouble, pilot)
        await press(pilot, "ctrl+u", *"kim@example.com", "enter")
        await until(lambda: not app.field.asking, pilot)
        await press(pilot, "b", "b", "b", "enter", "enter", "enter", "enter")
        await until(lambda: app.answers.step == "write", pilot)
        await press(pilot, "enter")
        await until(lambda: app.return_value == "written", pilot)
    config = load_config(tmp_path / "h")
    assert config.account[0].own == {"paths": ["/m/one", str(mail)]}
    assert (config.models.name, config.models.base_url) == ("some-model q", "https://a.example/")
    assert config.models.api_key == "env:ANTHROPIC_API_KEY"
    assert (config.user.name, config.user.addresses) == ("Kim", ["kim@example.com"])
    assert [rule.name for rule in config.rule] == ["direct questions"]


@pytest.mark.parametrize(("keys", "value"), [("d", "demo"), ("enter d", "demo"), ("q", None), ("escape", None)])
async def test_the_demo_and_the_way_out_write_nothing(tmp_path: Path, keys: str, value: str | None) -> None:
    async with welcome(tmp_path / "h") as (app, pilot):
        await press(pilot, *keys.split())
        await until(lambda: not app.is_running or app._exit, pilot)
    assert app.return_value == value
    assert not (tmp_path / "h").exists()


async def test_a_config_that_came_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    async with welcome(tmp_path / "h") as (app, pilot):
        (tmp_path / "h").mkdir()
        (tmp_path / "h" / "config.toml").write_text("# mine\n")
        await press(pilot, *["enter"] * 7)
        await until(lambda: "already exists" in app.trouble, pilot)
    assert (tmp_path / "h" / "config.toml").read_text() == "# mine\n"


def test_from_nothing_to_the_running_program_in_one_go(tmp_path: Path) -> None:
    home, root = furnished(tmp_path / "user"), str(Path(__file__).parents[3])
    ours = {"HOME": str(home), "PYTHONPATH": root, "PEPPER_HOME": str(tmp_path / "pepper"), "OPENAI_API_KEY": ""}
    with Terminal([sys.executable, "-m", "pepper_tui"], ours, (100, 30)) as terminal:
        terminal.wait_for("2 mailboxes, 1 calendar")
        for step in ("1 of 6", "2 of 6", "3 of 6", "4 of 6", "5 of 6", "6 of 6"):
            terminal.press("enter")
            terminal.wait_for(step)
        terminal.press("enter")
        terminal.wait_for("F1 help")
        terminal.wait_for("offline")
        terminal.until_dead(lambda: terminal.press("ctrl+q"))
        assert os.waitstatus_to_exitcode(terminal.wait_dead()) == 0
    assert load_config(tmp_path / "pepper").user.addresses == ["alex@example.com"]


def test_keys_that_come_all_at_once_write_nothing_and_leave_nothing(tmp_path: Path) -> None:
    home, root = furnished(tmp_path / "user"), str(Path(__file__).parents[3])
    ours = {"HOME": str(home), "PYTHONPATH": root, "PEPPER_HOME": str(tmp_path / "pepper"), "OPENAI_API_KEY": ""}
    with Terminal([sys.executable, "-m", "pepper_tui"], ours, (100, 30)) as terminal:
        terminal.wait_for("2 mailboxes, 1 calendar")
        for burst in ("\r" * 20, "dq", "s\r\r\r\r\r\r\r\r", "qq"):
            terminal.type(burst)
            terminal.pump(0.3)
        assert not (tmp_path / "pepper" / "config.toml").exists()
        terminal.wait_for("2 mailboxes, 1 calendar")
        terminal.press("enter")
        terminal.wait_for("1 of 6")


def test_init_asks_on_a_terminal_and_takes_the_answers(tmp_path: Path) -> None:
    home, root = furnished(tmp_path / "user"), str(Path(__file__).parents[3])
    ours = {"HOME": str(home), "PYTHONPATH": root, "OPENAI_API_KEY": "sk-planted"}
    place = tmp_path / "pepper"
    with Terminal([sys.executable, "-m", "pepper_tui", "--home", str(place), "init"], ours, (110, 50)) as terminal:
        for question, answer in (
            ("Numbers, or 0 for none", "9"),
            ("9 is not one of the numbers", "2"),
            ("Another Maildir", ""),
            ("Another .ics", ""),
            ("Which one?", "2"),
            ("direct questions", "1"),
            ("Your name", ""),
            ("Your addresses", "nonsense"),
            ("nonsense is not an address", "kim@example.com"),
            ("Write ", ""),
            ("Add an account", "n"),
        ):
            terminal.wait_for(question)
            terminal.type(f"{answer}\r")
            if question == "Another Maildir":
                terminal.wait_for(".calendars (2 files)")
                terminal.type("\r")
        assert os.waitstatus_to_exitcode(terminal.wait_dead()) == 0
        assert b"sk-planted" not in terminal.raw
    config = load_config(place)
    assert len(config.account[0].own["paths"]) == 1
    assert config.models.api_key == "env:OPENAI_API_KEY"
    assert config.user.addresses == ["kim@example.com"]
    assert [rule.name for rule in config.rule] == ["urgent words"]
    assert "sk-planted" not in (place / "config.toml").read_text()


def test_init_without_a_terminal_says_so_and_yes_takes_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(furnished(tmp_path / "user")))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    place = tmp_path / "pepper"
    refused = CliRunner().invoke(command, ["--home", str(place), "init"])
    assert refused.exit_code == 2
    assert "pepper init --yes" in refused.output
    done = CliRunner().invoke(command, ["--home", str(place), "init", "--yes"])
    assert done.exit_code == 0, done.output
    assert len(load_config(place).account[0].own["paths"]) == 2
    assert load_config(place).rule == []
    again = CliRunner().invoke(command, ["--home", str(place), "init", "--yes"])
    assert again.exit_code == 2
    assert "--yes overwrites nothing" in again.output
