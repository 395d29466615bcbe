"""The fast path: what the command imports, and which arguments it reads itself."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pepper_tui.command.front import screen_options
from pepper_tui.engine.answers.socket import SOCKET_FILE
from pepper_tui.home import default_home
from tests.command.commands import pepper

HEAVY = ("textual", "rich", "typer", "pydantic", "openai", "aiosqlite", "icalendar")


def loaded(code: str, *among: str) -> str:
    """Which modules are loaded after ``code``, in a process of its own."""
    told = f"import sys; {code}; print(*[m for m in {among!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize(
    "module",
    [
        "pepper_tui.__main__",
        "pepper_tui.command.front",
        "pepper_tui.command.launch",
        "pepper_tui.engine.answers.socket",
    ],
)
def test_the_first_line_waits_for_no_heavy_import(module: str) -> None:
    assert loaded(f"import {module}", *HEAVY) == ""


def test_the_first_frame_reads_its_settings_without_the_whole_config(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[ui]\ntheme = "pepper-light"\n')
    look = f"from pepper_tui.command.launch import first_look, Path; first_look(Path({str(tmp_path)!r}))"
    assert loaded(look, *HEAVY, "pepper_tui.config") == ""


LOGGING = """
import asyncio, logging, sys
from pathlib import Path
from pepper_tui.command.launch import open_engine
async def main():
    engine = await open_engine(Path(sys.argv[1]))
    try:
        try:
            raise RuntimeError("the server says \\x1b]0;PWNED\\x07 this")
        except RuntimeError as error:
            raise ValueError("clean words") from error
    except ValueError as error:
        logging.getLogger("pepper_tui.tools.engine").warning("a call failed", exc_info=error)
    await engine.close()
asyncio.run(main())
"""


def test_what_is_logged_is_harmless_to_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    done = subprocess.run([sys.executable, "-c", LOGGING, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stderr == done.stdout == "", "it goes to the log of the home"
    said = (tmp_path / "pepper.log").read_text(encoding="utf-8")
    assert "RuntimeError: the server says  this" in said
    assert "\x1b" not in said


def test_the_command_line_needs_neither_screen_nor_model() -> None:
    assert loaded("import pepper_tui.command.cli", "textual", "openai", "icalendar", "pydantic", "aiosqlite") == ""


def test_what_composes_an_engine_needs_no_library_of_calendars_or_of_google() -> None:
    heavy = ("icalendar", "recurring_ical_events", "googleapiclient", "google.auth")
    assert loaded("import pepper_tui.engine.building.build", *heavy) == ""


def test_only_the_screen_is_on_the_fast_path() -> None:
    assert screen_options([]) == (None, False, False)
    assert screen_options(["--demo", "--home", "/x"]) == (Path("/x"), True, False)
    assert screen_options(["--home=/x", "--plain"]) == (Path("/x"), False, True)
    for other in (["ask", "hi"], ["--help"], ["--home"], ["--home", "/x", "log"]):
        assert screen_options(other) is None


@pytest.mark.parametrize(
    ("set_to", "home"),
    [
        ({"PEPPER_HOME": "/p", "XDG_DATA_HOME": "/x"}, Path("/p")),
        ({"XDG_DATA_HOME": "/x"}, Path("/x/pepper")),
        ({}, Path.home() / ".local/share/pepper"),
    ],
)
def test_the_home_without_an_option(monkeypatch: pytest.MonkeyPatch, set_to: dict[str, str], home: Path) -> None:
    for variable in ("PEPPER_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in set_to.items():
        monkeypatch.setenv(variable, value)
    assert default_home() == home


def test_a_home_without_a_config_says_what_to_do_and_offers_the_demo(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pepper_tui"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PEPPER_HOME": str(tmp_path)},
    )
    assert done.returncode == 2
    assert "pepper --demo" in done.stderr


@pytest.mark.parametrize("sent", [b"", b'{"item": {"reply": "Well, "}}\n'])
async def test_where_the_engine_closes_before_it_has_answered_the_next_one_answers(tmp_path: Path, sent: bytes) -> None:
    (tmp_path / "config.toml").write_text('[user]\nname = "Me"\n')
    asked = asyncio.Event()

    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        (tmp_path / SOCKET_FILE).unlink(missing_ok=True)
        writer.write(sent)
        writer.close()
        asked.set()

    async with await asyncio.start_unix_server(close, tmp_path / SOCKET_FILE):
        done = await asyncio.to_thread(pepper, tmp_path, "ask hello")
    assert asked.is_set()
    assert (done.returncode, done.stderr) == (0, "")
    assert "no language model" in done.stdout or "without a language model" in done.stdout


def test_several_that_ask_in_the_same_moment_each_have_their_answer(tmp_path: Path) -> None:
    """Without an engine each would open the home for itself, and only one can have it."""
    (tmp_path / "config.toml").write_text('[user]\nname = "Me"\n')
    command = [sys.executable, "-m", "pepper_tui", "--home", str(tmp_path), "ask"]
    env = {**os.environ, "OPENAI_API_KEY": ""}
    asked = [
        subprocess.Popen(
            [*command, f"note: {word}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, text=True
        )
        for word in ("milk", "bread", "salt")
    ]
    try:
        for each in asked:
            said, wrong = each.communicate(timeout=90)
            assert (each.returncode, wrong) == (0, "")
            assert "oted" in said
    finally:
        for each in asked:
            each.kill()
