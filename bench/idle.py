"""Idle: the processor time and memory of the whole program, screen and feeds, while nothing happens.

``python -m bench.idle 600`` watches for ten minutes; the table's row watches for half a minute. The figures are the
kernel's (``/proc``), so this row needs Linux; elsewhere it is left out.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bench.measured import Measured
from bench.screen import EMPTY_APP
from tests.domains.mail.mails import make_maildir, varied
from tests.terminal import Terminal

SECONDS = 30.0
SETTLE = 12.0  # the imports that are warmed after the first frame, and the first look at the mailbox
MAILS = 200


def processor_seconds(pid: int) -> float:
    """Time on a processor of all threads so far, to the nanosecond (``stat`` counts whole clock ticks, and a short
    wake-up is charged one)."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def resident_megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def rows(seconds: float = SECONDS) -> list[Measured]:
    if not Path("/proc/self/stat").exists():
        return []
    with tempfile.TemporaryDirectory(prefix="pepper-bench-") as folder:
        home = Path(folder) / "home"
        home.mkdir(mode=0o700)
        maildir = make_maildir(Path(folder) / "Maildir")
        for number in range(MAILS):
            (maildir / "cur" / f"{number}.bench:2,S").write_bytes(varied(number))
        (home / "config.toml").write_text(f'[mail]\nmaildir = ["{maildir}"]\n')
        with Terminal([sys.executable, "-m", "pepper_tui", "--home", str(home)], {"OPENAI_API_KEY": ""}) as screen:
            screen.wait_for("Ask")
            screen.pump(SETTLE)
            before = processor_seconds(screen.pid)
            screen.pump(seconds)
            spent = processor_seconds(screen.pid) - before
            memory = resident_megabytes(screen.pid)
    with Terminal([sys.executable, "-c", EMPTY_APP]) as screen:
        screen.wait_for("READY")
        screen.pump(3.0)
        before = processor_seconds(screen.pid)
        screen.pump(seconds / 3)
        empty = 3 * (processor_seconds(screen.pid) - before)
    return [
        Measured("idle.empty", 100 * empty / seconds, "%", "of one core, an empty Textual app"),
        Measured("idle.cpu", 100 * spent / seconds, "%", f"<= 0.3 of one core, over {seconds:.0f} s"),
        Measured("idle.memory", memory, "MB", f"<= 120, {MAILS} mails in the store"),
    ]


if __name__ == "__main__":
    for row in rows(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS):
        print(f"{row.name:24} {row.value:12,.2f} {row.unit:9} {row.goal}")
