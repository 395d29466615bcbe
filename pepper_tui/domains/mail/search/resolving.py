"""A query as of now: its times read, and "me" replaced by the user's addresses."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from pepper_tui.clock.words import TimeReader, TimeRefusedError
from pepper_tui.domains.mail.search.query import DATES, PEOPLE, MailQuery, Node, QueryError, Term, some_of
from pepper_tui.text import one_line

ME: Final = ("me", "myself")
_MINUTE: Final = 60.0


async def resolved(query: MailQuery, times: TimeReader, own: Collection[str] = ()) -> MailQuery:
    """Return ``query`` with what its dates mean now. ``own``: the user's addresses. Raises ``QueryError``."""
    spans: dict[tuple[str, str], tuple[float, float]] = {}
    for term in query.terms():
        if term.key in DATES and term.span is None:
            spans[term.key, term.value] = await _span(term, times)

    def change(term: Term) -> Node:
        if (span := spans.get((term.key, term.value))) is not None:
            return replace(term, span=span)
        if term.key in PEOPLE and term.value.casefold() in ME and own:
            return some_of(replace(term, value=address) for address in sorted(own))
        return term

    return query.changed(change)


async def _span(term: Term, times: TimeReader) -> tuple[float, float]:
    try:
        read = await times.past(term.value)
    except TimeRefusedError as error:
        several = "" if " " in term.value else f'; several words are written in quotes: {term.key}:"last week"'
        raise QueryError(f"{term.key}:{one_line(term.value, 40)}: {error}{several}", "", term.at) from error
    if term.key == "on" and read.ends == read.begins:
        return read.begins, read.begins + _MINUTE
    return read.begins, read.ends
