"""Records as earlier versions wrote them."""

from __future__ import annotations

import dataclasses

import pytest

from pepper_tui.model import AgentState, Health, Record, Reminder


def test_a_field_is_read_under_its_earlier_name() -> None:
    written = {"part": "feed.mail", "state": "trouble", "detail": "it is gone", "mend": "make the folder", "at": 1.0}
    assert Health.of(written).remedy == "make the folder"
    assert "mend" not in Health.of(written).data()


@pytest.mark.parametrize(
    "record",
    [Health("feed.mail", "ok", "", "", 1.0), AgentState(), Reminder("r1", "water", 1.0, "UTC", 0.0)],
    ids=lambda record: type(record).__name__,
)
def test_what_is_written_are_the_fields_and_nothing_else(record: Record) -> None:
    assert list(record.data()) == [each.name for each in dataclasses.fields(record)]
