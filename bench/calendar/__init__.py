"""Ten years of calendar: the first look, a look after one change, a minute without any, memory, and the store's growth.

``python -m bench.calendar [COUNT]`` prints the rows, of ``COUNT`` events and of a tenth, each as one file, as a folder
with a file for each, and as the copy of an account's calendar. Each is measured in a process of its own (``measures``),
beside what the same bytes cost where nothing is remembered: parsed by icalendar, and read and hashed.
"""

from __future__ import annotations

import json
import subprocess
import sys

from bench.measured import Measured

EVENTS = 30_000
NORMAL = 10
"""How many times fewer events most people have."""
KINDS = ("file", "folder", "copies")


def rows(events: int = EVENTS) -> list[Measured]:
    empty = _measured("file", 0)
    found = [Measured("calendar.none.minute", empty["minute"], "ms", "of processor time, without a calendar")]
    for count in (events // NORMAL, events):
        for kind in KINDS:
            found += _rows(f"calendar.{kind}.{count // 1000}k", _measured(kind, count), empty)
    return found


def _rows(name: str, told: dict[str, float], empty: dict[str, float]) -> list[Measured]:
    first = told["first.main"] + told["first.child"]
    return [
        Measured(f"{name}.events", told["events"], "", f"all; {told['defects']:.0f} defects"),
        Measured(f"{name}.first", first / 1000, "s", "processor time of the first look, parser process included"),
        Measured(f"{name}.first.main", told["first.main"] / 1000, "s", "of which in Pepper itself"),
        Measured(f"{name}.first.ratio", first / told["parse"], "×", "of icalendar alone on the same bytes"),
        Measured(f"{name}.start.main", told["start.main"] / 1000, "s", "the feed's start, nothing changed"),
        Measured(f"{name}.changed", told["changed.main"], "ms", "<= 100: a look after one change, Pepper itself"),
        Measured(f"{name}.changed.wall", told["changed.wall"], "ms", "… as long as it took"),
        Measured(f"{name}.changed.ratio", told["changed.main"] / told["hash"], "×", "of reading and hashing the bytes"),
        Measured(f"{name}.minute", told["minute"], "ms", "processor time a minute without change"),
        Measured(f"{name}.minute.more", told["minute"] - empty["minute"], "ms", "… beyond that without a calendar"),
        Measured(f"{name}.day", told["day"], "ms", "the events of a day"),
        Measured(f"{name}.month", told["month"], "ms", "the events of a month"),
        Measured(f"{name}.memory", told["memory"], "MB", f"of {told['bytes'] / 1e6:.1f} MB of text"),
        Measured(f"{name}.store", told["store"] + told["copies"], "MB", "events, signals, copies"),
    ]


def _measured(kind: str, count: int) -> dict[str, float]:
    made = subprocess.run(
        [sys.executable, "-m", "bench.calendar.measures", kind, str(count)], stdout=subprocess.PIPE, check=True
    )
    told: dict[str, float] = json.loads(made.stdout)
    return told
