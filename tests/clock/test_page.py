"""Each phrase that docs/times.md shows is read, or asked about where the page says so."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pepper_tui.clock.words import TimeAskedError, read_time

PAGE = Path(__file__).parents[2] / "docs" / "times.md"
BERLIN = ZoneInfo("Europe/Berlin")
TUESDAY = datetime(2026, 11, 24, 7, 0, tzinfo=BERLIN).timestamp()
ASKED = {"next friday", "5:30"}
LIMITS = {"until christmas", "for 10 weeks", "5 times", "starting tomorrow"}  # of a rhythm


def phrases() -> list[str]:
    rows = re.findall(r"^\| (?!you say|---)([^|]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [phrase.strip() for row in rows for phrase in row.split(" · ")]


@pytest.mark.parametrize("phrase", phrases())
def test_what_the_page_shows_is_read(phrase: str) -> None:
    said = f"every day at 9 {phrase}" if phrase in LIMITS else phrase
    if phrase in ASKED:
        with pytest.raises(TimeAskedError):
            read_time(said, TUESDAY, BERLIN)
    else:
        assert read_time(said, TUESDAY, BERLIN).at > TUESDAY


def test_the_page_has_phrases() -> None:
    assert len(phrases()) > 50
    assert set(phrases()) >= ASKED - {"5:30"} | LIMITS
