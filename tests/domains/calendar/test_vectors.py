"""Public recurrence vectors, in ``vectors.tsv``: what a series means is not decided by Pepper, nor by one library."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pepper_tui.domains.calendar import reading

BEYOND = 3 * 366 * 86400.0  # seconds after the last occurrence of a series that ends, in which there must be none


@dataclass(frozen=True)
class Vector:
    source: str
    start: str
    rules: str
    occurrences: str
    note: str

    @property
    def when(self) -> str:
        return self.start.rpartition(":")[2]

    @property
    def zone(self) -> tzinfo:
        return ZoneInfo(self.start.rpartition(":")[0] or "UTC")

    def event(self) -> bytes:
        zone, _, when = self.start.rpartition(":")
        named = f";TZID={zone}" if zone else "" if "T" in when else ";VALUE=DATE"
        rules = [each if ":" in each else f"RRULE:{each}" for each in self.rules.split(" ")]
        lines = ["BEGIN:VEVENT", "UID:a", f"DTSTART{named}:{when}", *rules, "END:VEVENT"]
        return "\r\n".join(lines).encode()

    def expected(self) -> list[str]:
        year, found = "", []
        for word in self.occurrences.removesuffix("…").split():
            day, _, time = word.partition("T")
            day = day if len(day) == 8 else year + day
            found.append(f"{day}T{time}" if time else day + self.when[8:])
            year = day[:4]
        return found

    def found(self, end: float) -> list[str]:
        answer = reading.series(self.event(), [], self.seconds(self.when), end, 1_000)
        assert not answer["more"]
        return sorted(self.written(begins) for _, begins, _, _ in answer["occurrences"])

    def seconds(self, written: str) -> float:
        return datetime.fromisoformat(written.rstrip("Z")).replace(tzinfo=self.zone).timestamp()

    def written(self, begins: float | str) -> str:
        if isinstance(begins, str):
            return f"{datetime.fromisoformat(begins):%Y%m%dT%H%M%S}"[: len(self.when)]
        utc = "Z" if self.when.endswith("Z") else ""
        return f"{datetime.fromtimestamp(begins, UTC).astimezone(self.zone):%Y%m%dT%H%M%S}{utc}"

    def agrees(self) -> bool:
        expected = self.expected()
        end = self.seconds(expected[-1] if expected else self.when)
        endless = self.occurrences.endswith("…")
        found = self.found(end + 1 if endless else end + BEYOND)
        if endless:
            found = [each for each in found if each <= expected[-1]]
        if self.note != "start":
            return found == expected
        return found == [self.when, *(expected[:-1] if "COUNT=" in self.rules and not endless else expected)]


def vectors() -> Iterator[Vector]:
    for line in Path(__file__).with_name("vectors.tsv").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield Vector(*line.split("\t"))


VECTORS = list(vectors())


def test_there_are_enough_and_few_are_not_agreed_with() -> None:
    assert len({(each.start, each.rules) for each in VECTORS}) >= 300
    assert sum(each.note.startswith("differs: ") for each in VECTORS) <= 4
    assert {each.note for each in VECTORS if not each.note.startswith("differs: ")} == {"", "start"}


@pytest.mark.parametrize("source", list(dict.fromkeys(each.source for each in VECTORS)))
def test_a_series_comes_when_all_others_say(source: str) -> None:
    chosen = [each for each in VECTORS if each.source == source]
    wrong = [each for each in chosen if each.agrees() == each.note.startswith("differs: ")]
    assert wrong == []
