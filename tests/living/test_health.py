"""Health of a Pepper that runs, in processes of their own: what hangs or fails is told until it is over."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from pepper_tui.connectors import finding
from tests.domains.mail.mails import deliver, mail, make_maildir
from tests.living.world import CountingSmtp, World
from tests.store.disks import fill, mounted
from tests.terminal import Terminal

PEPPER = [sys.executable, "-m", "pepper_tui"]
QUIET = {"OPENAI_API_KEY": ""}
HANGING = str(Path(__file__).parent / "hanging")


def pepper(home: Path, *words: str, more: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        [*PEPPER, "--home", str(home), *words],
        capture_output=True, text=True, check=False, timeout=90, stdin=subprocess.DEVNULL,
        env={**os.environ, **QUIET, **(more or {})},
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout


def state_of(home: Path, part: str) -> str:
    """The part's state and words, as `status` has them."""
    found = re.search(rf"^{re.escape(part)} +(.*)$", pepper(home, "status"), re.M)
    return found[1] if found else ""


def becomes(home: Path, part: str, state: str, seconds: float = 40.0) -> str:
    deadline = time.monotonic() + seconds
    while not (words := state_of(home, part)).startswith(state):
        assert time.monotonic() < deadline, f"{part}: {words}, not {state}"
    return words


@pytest.fixture
def full_home(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A home on a disk of its own, with a Maildir elsewhere."""
    with mounted("24m") as disk:  # room for the mails below, once the filler is gone
        home, root = disk / "home", make_maildir(tmp_path / "Mail")
        home.mkdir(mode=0o700)
        (home / "config.toml").write_text(f'[user]\nzone = "UTC"\n[mail]\nmaildir = ["{root}"]\nscan_interval = 5\n')
        yield home, root


def test_a_full_disk_is_told_on_the_screen_and_by_status_until_there_is_room(full_home: tuple[Path, Path]) -> None:
    home, root = full_home
    with Terminal([*PEPPER, "--home", str(home)], QUIET, size=(160, 40)) as screen:
        screen.wait_for("Ask Pepper")
        becomes(home, "mail", "ok")
        assert state_of(home, "store").startswith("ok")
        filler = fill(home.parent)
        for number in range(40):
            deliver(root, mail(number=number, text="x " * 40_000), f"{number}.new")
        screen.wait_for("store: the disk is full", 40)
        words = becomes(home, "store", "trouble")
        assert "the disk is full · make room where" in words
        assert "store" in pepper(home, "doctor")
        screen.press("ctrl+l")
        screen.wait_for("✗ trouble")
        screen.wait_for("store the disk is full")
        screen.press("esc")
        filler.unlink()
        becomes(home, "store", "ok")
        becomes(home, "mail", "ok", 90)
        screen.wait_for(lambda: "the disk is full" not in screen.text)
        os.kill(screen.pid, signal.SIGTERM)
        screen.wait_dead(15)


@pytest.fixture
def hung_home(tmp_path: Path) -> Path:
    """A home with a calendar that does not answer (see ``hanging``), between one that does and an mbox."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    os.mkfifo(tmp_path / "hung.ics")
    (tmp_path / "well.ics").write_text("BEGIN:VCALENDAR\nEND:VCALENDAR\n")
    (tmp_path / "inbox").write_text("")
    paths = [str(tmp_path / "hung.ics"), str(tmp_path / "well.ics")]
    (home / "config.toml").write_text(
        f'[user]\nzone = "UTC"\n[calendar]\npaths = {paths}\nscan_interval = 5\n'
        f'[mail]\nmbox = ["{tmp_path / "inbox"}"]\n'
    )
    return home


def test_a_file_that_does_not_answer_is_told_and_holds_nothing_up(hung_home: Path, tmp_path: Path) -> None:
    hanging = {**QUIET, "PYTHONPATH": HANGING}
    with Terminal([*PEPPER, "--home", str(hung_home), "run", "--headless"], hanging) as engine:
        engine.wait_for("Pepper runs")
        began = time.monotonic()
        words = becomes(hung_home, "calendar", "trouble")
        assert time.monotonic() - began < finding.LONGEST + 15
        assert "hung.ics" in words
        assert "does not answer" in words
        becomes(hung_home, "mbox", "ok")
        said = pepper(hung_home, "doctor", more=hanging)  # it goes on to what comes after
        assert re.search(r"TROUBLE +calendar hung\.ics .*does not answer", said)
        assert re.search(r"ok +calendar well\.ics", said)
        assert re.search(r"ok +notices", said)
        began = time.monotonic()
        os.kill(engine.pid, signal.SIGTERM)
        engine.wait_dead(15)
        assert time.monotonic() - began < 10  # 2 s on a machine that does nothing else


def test_the_doctor_ends_at_once_by_ctrl_c(hung_home: Path) -> None:
    hanging = {**QUIET, "PYTHONPATH": HANGING}
    with Terminal([*PEPPER, "--home", str(hung_home), "doctor"], hanging, size=(160, 40)) as doctor:
        doctor.wait_for("inbox")  # what comes next hangs
        doctor.pump(0.5)
        began = time.monotonic()
        os.kill(doctor.pid, signal.SIGINT)
        assert os.waitstatus_to_exitcode(doctor.wait_dead(8)) == 130
        assert time.monotonic() - began < 5
        assert b"Traceback" not in doctor.raw


class DroppingSmtp(CountingSmtp):
    """Takes the whole mail, and hangs up before it says so."""

    async def answer(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await super().answer(server, session, envelope)
        server.transport.abort()
        return "250 taken"


def test_an_outcome_that_is_not_known_is_a_line_and_no_traceback(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.smtp = DroppingSmtp()
    with world, Terminal([*world.screen_command(), "--plain"], size=(200, 60)) as lines:
        lines.wait_for("Pepper works")
        lines.wait_for(world.watching)
        world.deliver()
        lines.wait_for("/read 2", 30)
        lines.type("/read 2\n")
        lines.wait_for("To approve exactly this")
        [word] = re.findall(r"/yes 2 (\w+)\. To reject", lines.text)
        lines.type(f"/yes 2 {word}\n")
        lines.wait_for("outcome unknown", 30)
        lines.pump(1.0)
        assert b"Traceback" not in lines.raw
        assert b"Error" not in lines.raw
        log = (world.home / "pepper.log").read_text()
        assert "outcome of draft_reply is unknown: " in log
        assert "Traceback" not in log
        os.kill(lines.pid, signal.SIGTERM)
        lines.wait_dead(15)
