"""`pepper doctor` on mbox files, programs, folders and calendars: state, and how to fix it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.command.test_doctor import pepper, write

CALENDAR = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nEND:VEVENT\nEND:VCALENDAR\n"


def test_each_source_says_how_it_is_and_how_to_remedy_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (tmp_path / "box").write_text("From alice@example.com Sat Nov 21 10:00:00 2026\nSubject: x\n\nx\n\n")
    (tmp_path / "locked").write_text("From x\n")
    (tmp_path / "locked.lock").touch()
    (tmp_path / "no-box").write_text("hello\n")
    (tmp_path / "docs").mkdir()
    (tmp_path / "tool").write_text("#!/bin/sh\n")
    mbox = ", ".join(f'"{tmp_path / name}"' for name in ("box", "locked", "no-box", "later", "nowhere/box"))
    write(
        home,
        f"""
[mail]
mbox = [{mbox}]
[files]
folders = ["{tmp_path / "docs"}", "{tmp_path / "gone"}", "{home}"]
[[exec]]
name = "good"
command = ["python3", "x.py"]
[[exec]]
name = "missing"
command = "no-such-program"
[[exec]]
name = "closed"
command = "../tool"
[[exec]]
name = "secretive"
command = "python3"
env = {{ TOKEN = "secret:TOKEN" }}
""",
    )
    said = pepper(home, "doctor").stdout
    for words in (
        f"ok       mail box               {tmp_path}/box",
        "is locked by a mail program",
        f"remove {tmp_path}/locked.lock",
        "no-box is not an mbox file",
        "later is not there",
        f"TROUBLE  mail box               {tmp_path}/nowhere/box is not there",
        f"ok       files docs             {tmp_path}/docs",
        f"{tmp_path}/gone is not an existing folder",
        "is in Pepper's own home, which is never read",
        "there is no program 'no-such-program' in PATH",
        "tool can't be run",
        "chmod u+x",
        "env.TOKEN: ",
    ):
        assert words in said, said
    assert "x.py" in next(line for line in said.splitlines() if "program good" in line)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_calendar_that_nothing_can_be_added_to_is_noted(tmp_path: Path) -> None:
    folder = tmp_path / "calendars"
    folder.mkdir()
    (folder / "own.ics").write_text(CALENDAR)
    write(tmp_path / "home", f'[calendar]\npaths = ["{folder / "own.ics"}"]\n')
    folder.chmod(0o500)
    try:
        assert "nothing can be added" in pepper(tmp_path / "home", "doctor").stdout
    finally:
        folder.chmod(0o700)


def test_the_config_check_names_what_is_not_there(tmp_path: Path) -> None:
    write(tmp_path / "home", '[mail]\nmbox = ["nowhere/box"]\n[files]\nfolders = ["gone"]\n')
    said = pepper(tmp_path / "home", "config", "check").stderr
    assert "config.toml:2: mail.mbox: " in said
    assert "config.toml:4: files.folders: " in said


def test_the_config_check_names_files_of_tools_and_cron_lines(tmp_path: Path) -> None:
    write(tmp_path / "home", '[[clock]]\nname = "x"\ntext = "t"\ncron = "99 * * * *"\n[[tool]]\nfile = "gone.py"\n')
    said = pepper(tmp_path / "home", "config", "check").stderr
    assert "config.toml:4: clock[1].cron: '99 * * * *' is not a cron line" in said
    assert "config.toml:6: tool[1].file: " in said


def test_files_of_the_users_own_code_are_read_and_not_run(tmp_path: Path) -> None:
    home = tmp_path / "home"
    tables = "".join(f'[[tool]]\nfile = "{name}.py"\n' for name in ("good", "broken", "gone"))
    crons = {"bad": "99 * * * *", "good": "0 16 * * fri"}
    clocks = "".join(f'[[clock]]\nname = "{name}"\ntext = "t"\ncron = "{cron}"\n' for name, cron in crons.items())
    write(home, tables + clocks)
    (home / "good.py").write_text("raise SystemExit('run')\n")
    (home / "broken.py").write_text("x = 1\ndef f(:\n")
    said = pepper(home, "doctor").stdout
    for words in (
        f"ok       tool good              {home}/good.py",
        f"TROUBLE  tool broken            {home}/broken.py:2: ",
        f"{home}/gone.py is not there",
        "TROUBLE  clock bad              '99 * * * *' is not a cron line",
    ):
        assert words in said, said
    assert "clock good" not in said
