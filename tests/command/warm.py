"""``python -m tests.command.warm``: a process that has imported Pepper and runs each command in a fork of itself.

A request is a line of JSON on its standard input (arguments, environment, and the files that take what is said); the
answer is the exit code. Each command is a process of its own as a shell makes one, without the second that the imports
take. What the first import costs and loads is tested in ``test_start``.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import time
from typing import Any

LOADED = (
    *(
        "pepper_tui.command.cli",
        "pepper_tui.engine.answers.served",
        "pepper_tui.engine.answers.queries",
        "pepper_tui.engine.at_rest",
        "pepper_tui.setup.doctor",
    ),
    *("pepper_tui.command.accounts.work", "pepper_tui.command.accounts.stored", "pepper_tui.connectors.imap"),
    *("pepper_tui.command.store", "pepper_tui.command.rules", "pepper_tui.command.when", "pepper_tui.config.report"),
)


def serve() -> dict[str, Any] | None:
    """Answer requests; in the fork that carries one out, return it."""
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            return asked
        print(_ended(child, asked["seconds"]), flush=True)
    return None


def _ended(child: int, seconds: float) -> int:
    signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    _, status = os.waitpid(child, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return os.waitstatus_to_exitcode(status)


def become(asked: dict[str, Any]) -> None:
    """The process that a shell would have started."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for target, path, flags in (
        (0, asked.get("input") or os.devnull, os.O_RDONLY),
        (1, asked["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        (2, asked["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    ):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, target)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    sys.argv = ["pepper", *asked["arguments"]]


if __name__ == "__main__":
    for module in LOADED:
        importlib.import_module(module)
    request = serve()
    if request is not None:
        become(request)
        from pepper_tui.__main__ import main

        main()
