"""The Date header as mail programs write it, whatever its grammar says (RFC 5322, 3.3)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

_COMMENT: Final = re.compile(r"\([^()]{0,100}\)")
_ZONE: Final = re.compile(r"(?:\b(?:GMT|UTC|UT|Z)\s?)?([+-]\d{2}):?(\d{2})\b", re.IGNORECASE)
_NAMED: Final = {
    "WEST": "+0100", "BST": "+0100", "CET": "+0100", "MEZ": "+0100", "CEST": "+0200", "MESZ": "+0200", "EET": "+0200",
    "EEST": "+0300", "MSK": "+0300", "HKT": "+0800", "SGT": "+0800", "JST": "+0900", "KST": "+0900", "AEST": "+1000",
    "AEDT": "+1100", "NZST": "+1200", "NZDT": "+1300",
}  # fmt: skip
"""Zones by name, as far as a name means one zone in mail."""
_NAME: Final = re.compile(rf"\b(?:{'|'.join(_NAMED)})\b(?!\s?[+-]\d)")
_HALF: Final = re.compile(r"\b(\d{1,2})(:\d{2}(?::\d{2})?)\s?([AP])\.?M\b\.?", re.IGNORECASE)
_MONTHS: Final = {"mai": "May", "okt": "Oct", "dez": "Dec", "mär": "Mar", "mrz": "Mar"}
_MONTH: Final = re.compile(r"\b(?:mai|okt|dez|mär|mrz)[a-zä]{0,6}\b", re.IGNORECASE)
_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")


def read_date(raw: str) -> float:
    """Return the POSIX seconds of ``raw``. A date without a zone is in UTC. Raises ``ValueError``."""
    text = " ".join(_COMMENT.sub(" ", raw[:200]).split())
    try:
        if _ISO.match(text):
            when = datetime.fromisoformat(text.replace(" Z", "Z"))
        else:
            when = parsedate_to_datetime(_plain(text))
        if when.year < 1000:  # counted from 1900, by programs of the nineties
            when = when.replace(year=when.year + 1900)
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        seconds = when.timestamp()
        datetime.fromtimestamp(seconds, UTC)
    except (TypeError, OverflowError, IndexError, OSError) as error:
        raise ValueError("no date") from error
    return seconds


def _plain(text: str) -> str:
    text = re.sub(r":60\b", ":59", text)  # a leap second
    text = _NAME.sub(lambda found: _NAMED[found[0]], _ZONE.sub(r"\1\2", text))
    text = _MONTH.sub(lambda found: _MONTHS[found[0][:3].lower()], text)
    return _HALF.sub(lambda found: f"{int(found[1]) % 12 + 12 * (found[3] in 'pP'):02d}{found[2]}", text)
