"""A time in a config is refused when the config is read, not when its hour comes."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pepper_tui.config import Config


def config(words: str, table: str = "rule") -> Config:
    return Config.model_validate({table: [{"name": "x", "words": ["invoice"], "remind": words}]})


@pytest.mark.parametrize(
    "words", ["tomorrow 9am", "at 8", "today 18:00", "in 2 days", "every monday at 8", "morgen um 9"]
)
@pytest.mark.parametrize("table", ["rule", "watch"])
def test_what_is_one_time_on_every_day_is_taken(words: str, table: str) -> None:
    config(words, table)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("next friday", "can mean several times"),
        ("tomorrow at 5:30", "can mean several times"),
        ("blorp", "is not read"),
        ("2020-01-01", "past"),
        ("every 5 minutes", "once an hour"),
        ("every monday at", "breaks off"),
    ],
)
@pytest.mark.parametrize("table", ["rule", "watch"])
def test_what_is_not_is_refused_with_the_reason(words: str, why: str, table: str) -> None:
    with pytest.raises(ValidationError, match=why):
        config(words, table)
