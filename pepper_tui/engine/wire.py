"""The protocol's types to JSON and back, for a front behind the socket."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pepper_tui.model import (
    Context,
    ContextFilter,
    ContextUpdate,
    Json,
    Moment,
    ReplyDelta,
    Span,
    Written,
)

VERSION: Final = 1
"""Version of the wire format: incremented if an older front or engine would misunderstand it."""
PREFIX: Final = "engine."
"""Prefix of the verbs: each method's verb is its name after this."""


def context_data(context: Context) -> Json:
    data = {name: getattr(context, name) for name in Context.__dataclass_fields__}
    return {**data, "tags": sorted(context.tags)}


def context_of(data: Mapping[str, Any]) -> Context:
    known = {name: data[name] for name in Context.__dataclass_fields__ if name in data}
    return Context(**{**known, "tags": frozenset(known.get("tags", ()))})


def update_data(update: ContextUpdate) -> Json:
    return {"seq": update.seq, "context": context_data(update.context), "deleted": update.deleted}


def update_of(data: Mapping[str, Any]) -> ContextUpdate:
    return ContextUpdate(int(data["seq"]), context_of(data["context"]), bool(data["deleted"]))


def filter_data(wanted: ContextFilter) -> Json:
    data = {each.name: getattr(wanted, each.name) for each in dataclasses.fields(wanted)}
    lists = {name: [*data[name]] for name in _LISTS}
    return {**data, **lists, "since": _moment_data(wanted.since), "until": _moment_data(wanted.until)}


def filter_of(data: Mapping[str, Any]) -> ContextFilter:
    """Return the filter in ``data``. Raises ``KeyError``, ``TypeError`` or ``ValueError`` for invalid data."""
    lists = {name: [str(each) for each in data[name]] for name in _LISTS}
    limit = data["limit"]
    return ContextFilter(
        **lists,
        since=_moment_of(data["since"]),
        until=_moment_of(data["until"]),
        after_seq=int(data["after_seq"]),
        newest_first=bool(data["newest_first"]),
        limit=None if limit is None else int(limit),
        include_expired=bool(data["include_expired"]),
    )


_LISTS: Final = ("namespaces", "tags", "types", "context_ids")


def _moment_data(moment: Moment | None) -> float | str | Json | None:
    if isinstance(moment, datetime):
        return {"datetime": moment.isoformat()}
    if isinstance(moment, timedelta):
        return {"seconds_ago": moment.total_seconds()}
    return moment


def _moment_of(data: Any) -> Moment | None:
    match data:
        case {"datetime": str(written)}:
            return datetime.fromisoformat(written)
        case {"seconds_ago": float(ago) | int(ago)}:
            return timedelta(seconds=ago)
        case None | str() | float():
            return data
        case int():
            return float(data)
    raise ValueError("a moment is expected")


def spans_data(spans: Sequence[Span] | None) -> list[list[Any]] | None:
    return None if spans is None else [[*span] for span in spans]


def spans_of(data: Sequence[Sequence[Any]] | None) -> list[Span] | None:
    return None if data is None else [Span.of(span) for span in data]


def written_data(written: Written | None) -> Json | None:
    return None if written is None else {"text": written.text, "spans": spans_data(written.spans)}


def written_of(data: Mapping[str, Any] | None) -> Written | None:
    return None if data is None else Written(data["text"], tuple(spans_of(data["spans"]) or ()))


def piece_data(piece: ReplyDelta) -> Json:
    return dataclasses.asdict(piece)


def piece_of(data: Mapping[str, Any]) -> ReplyDelta:
    return ReplyDelta(**data)
