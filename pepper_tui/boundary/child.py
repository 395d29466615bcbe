"""The parser process itself: ``python -m pepper_tui.boundary.child MODULE SECONDS MEGABYTES IDLE``.

It reads requests from standard input and answers on standard output. It exits when either closes, or after ``IDLE``
seconds without a request. What it parses may be hostile: once its modules are loaded, kernel limits stop it from
opening files or sockets, and bound its memory and the processor time of each item.
"""

from __future__ import annotations

import encodings
import importlib
import os
import pkgutil
import resource
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

from pepper_tui.boundary.frames import OUT_OF_MEMORY, put, take

TOGETHER = 0.05
"""Seconds for which answers are held back, to be written together: each alone would wake the caller."""


def _shut(megabytes: int) -> None:
    """Give up every right that a parser does not need."""
    if sys.platform == "linux":  # no other system has this limit
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + megabytes * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))  # files that are already open stay open


def _load(module: str) -> Any:
    """Import the module, and every codec: nothing can be loaded once the process is restricted."""
    for found in pkgutil.iter_modules(encodings.__path__):
        try:
            importlib.import_module(f"encodings.{found.name}")
        except ImportError:  # codecs of another system
            continue
    return importlib.import_module(module)


def _is_memory(error: BaseException | None) -> bool:
    """Check whether memory ran out, even if a library wrapped that error in its own."""
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


def main() -> None:
    """Answer requests until the input closes or the process is idle for too long."""
    name, seconds, megabytes, idle = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # the default action: an item that takes too long ends the process
    module = _load(name)
    requests, answers = os.fdopen(0, "rb"), os.fdopen(os.dup(1), "wb")
    module.warm()
    _shut(megabytes)
    while select.select([0], [], [], idle)[0]:
        message = take(requests)
        if message is None:
            return
        asked, sources = message
        parse, each_at_once = getattr(module, asked["function"]), asked["each_at_once"]
        told = time.monotonic()
        for source in sources:
            signal.setitimer(signal.ITIMER_PROF, seconds)
            try:
                answer = parse(source, **asked["options"])
            except Exception as error:
                if _is_memory(error):
                    os._exit(OUT_OF_MEMORY)
                answer = {"failed": f"{type(error).__name__}: {error}"[:1000]}
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
            put(answers, answer)
            if each_at_once or time.monotonic() - told > TOGETHER:
                answers.flush()
                told = time.monotonic()
        answers.flush()


if __name__ == "__main__":
    main()
