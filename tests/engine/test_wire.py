"""What goes over the wire comes out the same, as JSON would carry it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pepper_tui.engine import wire
from pepper_tui.model import Context, ContextFilter, ContextUpdate, Origin, ReplyDelta, Span, Written

texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.floats(allow_nan=False, allow_infinity=False)
data = st.dictionaries(texts, st.recursive(texts | numbers | st.booleans() | st.none(), st.lists), max_size=3)
contexts = st.builds(
    Context,
    texts,
    texts,
    data,
    type=texts,
    text=texts,
    tags=st.frozensets(texts),
    metadata=data,
    version=st.integers(),
    seq=st.integers(),
    created_at=numbers,
    updated_at=numbers,
    expires_at=numbers | st.none(),
)
moments = (
    st.none()
    | numbers
    | texts
    | st.timedeltas(timedelta(days=-900), timedelta(days=900))
    | st.datetimes()
    | st.datetimes(timezones=st.just(UTC))
)
lists = st.lists(texts)
filters = st.builds(
    ContextFilter,
    lists,
    lists,
    lists,
    lists,
    since=moments,
    until=moments,
    after_seq=st.integers(),
    newest_first=st.booleans(),
    limit=st.none() | st.integers(),
    include_expired=st.booleans(),
)
spans = st.lists(st.builds(Span, st.integers(), st.integers(), st.sampled_from(Origin)))


def carried(value: Any) -> Any:
    return json.loads(json.dumps(value))


@given(contexts, st.integers(), st.booleans())
def test_contexts_and_updates(context: Context, seq: int, deleted: bool) -> None:
    assert wire.context_of(carried(wire.context_data(context))) == context
    update = ContextUpdate(seq, context, deleted)
    assert wire.update_of(carried(wire.update_data(update))) == update


@given(filters)
def test_filters(wanted: ContextFilter) -> None:
    assert wire.filter_of(carried(wire.filter_data(wanted))) == wanted


@given(spans | st.none(), texts)
def test_what_was_written(found: list[Span] | None, text: str) -> None:
    assert wire.spans_of(carried(wire.spans_data(found))) == found
    written = Written(text, tuple(found or ()))
    assert wire.written_of(carried(wire.written_data(written))) == written
    assert wire.written_of(carried(wire.written_data(None))) is None


@given(st.builds(ReplyDelta, texts, texts, st.booleans(), st.booleans()))
def test_pieces(piece: ReplyDelta) -> None:
    assert wire.piece_of(carried(wire.piece_data(piece))) == piece


def test_a_newer_engines_context_can_be_read() -> None:
    context = Context("a", "b", {})
    assert wire.context_of({**wire.context_data(context), "colour": "red"}) == context


@pytest.mark.parametrize("moment", [[], {}, {"datetime": "yesterday"}, {"seconds_ago": "1"}, {"since": 1}])
def test_what_is_no_moment_is_refused(moment: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        wire.filter_of({**wire.filter_data(ContextFilter()), "since": moment})


def test_every_field_of_a_filter_is_carried() -> None:
    wanted = ContextFilter(["a"], ["b"], ["c"], ["d"], 1.0, datetime(2026, 1, 1, tzinfo=UTC), 5, False, None, True)
    assert wire.filter_of(carried(wire.filter_data(wanted))) == wanted
