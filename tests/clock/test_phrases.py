"""Times in words, row by row: each expected value in phrases.jsonl was computed from the rules and a calendar.

A row: ``text`` said at ``now`` (wall time in ``zone``) under ``locale`` means ``at``, repeated by ``rrule``, until
``end``; or must be asked, with exactly the times in ``ask`` to choose from (and ``rrule`` on one of them at least); or,
with neither, must be refused. A rule without BYHOUR repeats at the hour of ``at``. ``fold`` 1 is the second of two
wall times that a clock change doubles.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from _pytest.mark import ParameterSet
from dateutil.rrule import rrulestr

from pepper_tui.clock.words import Reading, TimeAskedError, TimeRefusedError, read_time

TABLE = Path(__file__).with_name("phrases.jsonl")
OCCURRENCES = 12  # enough to see an end that a rule names

Row = dict[str, Any]


def rows() -> Iterator[ParameterSet]:
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        row: Row = json.loads(line)
        yield pytest.param(row, id=f"{row['text']} at {row['now']}")


def moment(row: Row, wall: str, fold: int = 0) -> float:
    return datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(row["zone"]), fold=fold).timestamp()


def local(part: str, zone: ZoneInfo) -> str:
    """A part of a rule, with the moment it may end at as a wall time."""
    if not (part.startswith("UNTIL=") and part.endswith("Z")):
        return part
    until = datetime.fromisoformat(part.removeprefix("UNTIL=")).astimezone(zone)
    return f"UNTIL={until:%Y%m%dT%H%M%S}"


def walls(rule: str, first: datetime, zone: ZoneInfo) -> list[datetime]:
    """The next wall times of a rule from its first one."""
    if not rule:
        return []
    plain = ";".join(local(part, zone) for part in rule.removeprefix("RRULE:").split(";"))
    return list(islice(rrulestr(plain, dtstart=first), OCCURRENCES))


def said(row: Row, reading: Reading) -> tuple[str, str | None, list[datetime]]:
    """When, until when and how often, with the wall times to the second and which of two they are."""
    zone = ZoneInfo(row["zone"])
    at = datetime.fromtimestamp(reading.at, UTC).astimezone(zone)
    end = None if reading.end is None else datetime.fromtimestamp(reading.end, UTC).astimezone(zone).isoformat()
    return at.isoformat(), end, walls(reading.rrule, at.replace(tzinfo=None, fold=0), zone)


def expected(row: Row) -> tuple[str, str | None, list[datetime]]:
    at = moment(row, row["at"], row.get("fold", 0))
    end = None if row["end"] is None else moment(row, row["end"])
    when, until, _ = said(row, Reading(at, "", end))
    return when, until, walls(row["rrule"], datetime.fromisoformat(row["at"]), ZoneInfo(row["zone"]))


@pytest.mark.parametrize("row", rows())
def test_a_phrase_means_what_the_rules_say(row: Row) -> None:
    zone = ZoneInfo(row["zone"])
    now = moment(row, row["now"])
    if row["at"] is not None:
        assert said(row, read_time(row["text"], now, zone, row["locale"])) == expected(row)
        return
    with pytest.raises(TimeRefusedError) as refused:
        read_time(row["text"], now, zone, row["locale"])
    offered = refused.value.choices if isinstance(refused.value, TimeAskedError) else ()
    assert {reading.at for reading in offered} == {moment(row, wall) for wall in row["ask"]}
    if row["rrule"]:
        rules = [said(row, reading)[2] for reading in offered]
        assert any(found == walls(row["rrule"], found[0], zone) for found in rules if found)
