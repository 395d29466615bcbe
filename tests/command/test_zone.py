"""A time zone of the environment that has no name: words and UTC, in every command, never a traceback."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pepper_tui.clock import local_zone, zone_trouble
from tests.command.commands import PEPPER, pepper
from tests.terminal import Terminal

CONFIG = '[user]\nname = "Alex"\n'
NAMELESS = ("CET-1CEST,M3.5.0,M10.5.0/3", "<+03>-3", "Nowhere/Land", "../../etc/passwd", "Eu\x01rope", "\x1b[31mred")
NAMED = ("", "UTC", "Europe/Berlin", "EST5EDT", ":Europe/Berlin")
COMMANDS = (
    "status",
    "log",
    "log --silence",
    "ask hello",
    "rules",
    "doctor",
    "when tomorrow",
    "when --zone Europe/Berlin tomorrow",
    "store stats",
    "store dead",
    "config check",
    "config show",
    "init --yes",
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "config.toml").write_text(CONFIG)
    return tmp_path


@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.parametrize("zone", NAMELESS[:2])
def test_no_command_dies_of_it(home: Path, words: str, zone: str) -> None:
    assert pepper(home, "ask hello", TZ="UTC").returncode == 0
    done = pepper(home, words, TZ=zone)
    assert "Traceback" not in done.stdout + done.stderr
    if words not in ("doctor", "init --yes"):
        assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    assert ("[user]" in said and "UTC" in said) is (words in ("status", "doctor", "when tomorrow"))


@pytest.mark.parametrize("zone", NAMELESS)
def test_status_names_it_and_the_cure_cleanly(home: Path, zone: str) -> None:
    assert pepper(home, "ask hello", TZ="UTC").returncode == 0
    done = pepper(home, "status", TZ=zone)
    assert done.returncode == 0, done.stderr
    assert "UTC" in done.stdout
    assert "set zone under [user]" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets the zone of the process, of which tzlocal remembers the first."""

    def put(zone: str) -> None:
        monkeypatch.setattr("tzlocal.unix._cache_tz", None)
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield put
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("zone", NAMELESS)
def test_times_are_in_utc_then(environment: Callable[[str], None], zone: str) -> None:
    environment(zone)
    assert local_zone().key == "UTC"
    assert "UTC" in zone_trouble()
    assert local_zone("Europe/Berlin").key == "Europe/Berlin"
    assert zone_trouble("Europe/Berlin") == ""


@pytest.mark.parametrize("zone", NAMED)
def test_a_zone_with_a_name_is_no_trouble(environment: Callable[[str], None], zone: str) -> None:
    environment(zone)
    assert zone_trouble() == ""
    assert local_zone().key.removeprefix("Etc/") == (zone.removeprefix(":") or "UTC")


@pytest.mark.parametrize("front", ["screen", "plain", "headless"])
def test_each_front_runs_and_tells_it_until_it_is_fixed(home: Path, front: str) -> None:
    arguments = {"screen": [], "plain": ["--plain"], "headless": ["run", "--headless"]}[front]
    began = {"screen": "[user]", "plain": "Pepper works", "headless": "Pepper runs"}[front]
    with Terminal(
        [*PEPPER, "--home", str(home), *arguments], {"OPENAI_API_KEY": "", "TZ": NAMELESS[0]}, size=(220, 40)
    ) as pty:
        pty.wait_for(began)
        told = pepper(home, "status", TZ="UTC").stdout  # of the engine that runs
        assert "zone                     trouble" in told
        assert "set zone under [user]" in told
        assert b"Traceback" not in pty.raw
        os.kill(pty.pid, 15)
        pty.wait_dead(15)
    with Terminal([*PEPPER, "--home", str(home), "run", "--headless"], {"OPENAI_API_KEY": "", "TZ": "UTC"}) as pty:
        pty.wait_for("Pepper runs")
        assert "zone  " not in pepper(home, "status", TZ="UTC").stdout
        os.kill(pty.pid, 15)
        pty.wait_dead(15)
