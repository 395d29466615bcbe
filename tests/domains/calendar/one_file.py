"""A calendar file, and tools that are called on it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pepper_tui.model import CallState
from tests.tools.bench import Bench

BERLIN = ZoneInfo("Europe/Berlin")


class OneFile:
    """A calendar file that a test writes and reads as any program would."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, source: str | bytes) -> None:
        self.path.write_bytes(source.encode() if isinstance(source, str) else source)

    def read(self) -> bytes:
        return self.path.read_bytes()

    def is_there(self) -> bool:
        return self.path.exists()

    def set_mode(self, mode: int) -> None:
        self.path.chmod(mode)

    def mode(self) -> int:
        return self.path.stat().st_mode & 0o777

    def leftovers(self) -> list[str]:
        return [each.name for each in self.path.parent.iterdir() if ".tmp" in each.name]


def at(day: int, hour: int, minute: int = 0, **more: Any) -> float:
    return datetime(2027, 1, day, hour, minute, tzinfo=BERLIN).timestamp()


async def said(bench: Bench, name: str, **arguments: Any) -> str:
    call = await bench.schedule(name, **arguments)
    await bench.state(call, CallState.SUCCEEDED, CallState.FAILED)
    return (await bench.result(call)).content
