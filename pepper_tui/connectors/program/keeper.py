"""The process between Pepper and the program of an exec feed: it ends the program when Pepper ends, in any way.

Run as a script, so it imports nothing of Pepper: ``python -I -S keeper.py COMMAND ARGUMENTS…``. The program leads its
own process group. When the keeper's standard input closes, because Pepper closed it or died, that group is ended. When
the program ends by itself, the processes it left there are ended too. Its output goes to Pepper directly. The exit code
is the program's, 128 plus the number of the signal that ended it, or ``NOT_STARTED``.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from typing import Final

GRACE: Final = 1.0  # seconds from SIGTERM to SIGKILL
LEFT_BEHIND: Final = 0.2  # the same for processes left behind by a program that ended
NOT_STARTED: Final = 127


def signal_group(group: int, number: int) -> bool:
    """Send a signal; return True if the process group still had members."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _end_with_keeper() -> None:
    """End this process even if the keeper itself is killed (Linux: prctl(2), PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def keep(command: list[str]) -> int:
    """Run ``command`` until it ends or standard input closes; return the exit code."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # not SIG_IGN, which the program would inherit
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        program = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0, preexec_fn=_end_with_keeper)  # noqa: PLW1509 - no threads here
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
        return NOT_STARTED
    while program.poll() is None:
        ready, _, _ = select.select([0, reading], [], [])
        if reading in ready:
            os.read(reading, 4096)
        if 0 in ready and not os.read(0, 4096):
            break
    running = program.poll() is None
    if signal_group(program.pid, signal.SIGTERM):
        if running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.wait(GRACE)
        until = time.monotonic() + LEFT_BEHIND
        while signal_group(program.pid, 0) and time.monotonic() < until:
            time.sleep(0.01)
        signal_group(program.pid, signal.SIGKILL)
    code = program.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    os._exit(keep(sys.argv[1:]))
