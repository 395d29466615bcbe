"""Parsers that misbehave as a library might on hostile bytes; they run in the parser process."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path
from typing import Any


def warm() -> None:
    """Nothing is loaded late."""


def echo(source: bytes, times: int = 1) -> Any:
    return {"text": source.decode() * times, "process": os.getpid()}


def spin(source: bytes) -> Any:
    while source == b"spin":
        pass
    return "done"


def rescan(source: bytes) -> Any:
    """Be stuck in C, where no signal of Python's is looked at."""
    return "done" if source != b"spin" else bool(re.match(r"(a+)+$", "a" * 40 + "b"))


def eat(source: bytes) -> Any:
    return len(b"x" * (1024 * 1024 * int(source)))


def hide(source: bytes) -> Any:
    """Run out of memory, and call it something else."""
    try:
        return eat(source)
    except MemoryError as error:
        raise ValueError("no date") from error


def read(source: bytes) -> Any:
    return Path(source.decode()).read_text()


def write(source: bytes) -> Any:
    os.write(os.open(source.decode(), os.O_CREAT | os.O_WRONLY), b"x")
    return "written"


def connect(source: bytes) -> Any:
    with socket.create_connection(("127.0.0.1", int(source)), timeout=5):
        return "connected"


def environment(source: bytes) -> Any:
    return dict(os.environ)


def leave(source: bytes) -> Any:
    os._exit(int(source))


def fail(source: bytes) -> Any:
    raise ValueError(source.decode())
