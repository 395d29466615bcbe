"""Records as earlier versions wrote them, and contexts as the log holds them."""

from __future__ import annotations

import dataclasses
import pickle

import pytest

from pepper_tui.model import AgentState, Context, Health, Json, Record, Reminder


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


def test_a_context_is_decoded_when_it_is_looked_at_once_and_is_like_any_other() -> None:
    decoded: list[str] = []

    def decode(text: str) -> Json:
        decoded.append(text)
        return {"text": text}

    def made() -> Context:
        rest = {"type": "", "text": "", "tags": frozenset(), "version": 1, "seq": 2, "expires_at": None}
        return Context.coded(decode, "d", "m", context_id="c", namespace="n", created_at=1.0, updated_at=1.0, **rest)

    context = made()
    assert context.id == "c"
    assert decoded == []
    context.data["own"] = True
    assert context.data == {"text": "d", "own": True}
    assert decoded == ["d"]
    again = made()
    assert pickle.loads(pickle.dumps(made())) == again == dataclasses.replace(made())
    assert again != context
    assert not hasattr(again, "nothing")
