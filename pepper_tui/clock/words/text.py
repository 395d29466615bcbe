"""From text to the one time it means.

``read_time`` returns the one time that a phrase means, or raises: ``TimeAskedError`` with the remaining readings, or
``TimeRefusedError`` with the reason. It takes milliseconds of CPU time: call it in a thread, not on an event loop.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from typing import Final

from pepper_tui.clock.recurrence import instant
from pepper_tui.clock.words.parts import OverError, Unclear
from pepper_tui.clock.words.phrase import Phrase, fitted
from pepper_tui.clock.words.reading import FARTHEST, Manner, PastTimeError, Reading, far_away, readings, said
from pepper_tui.text.errors import PepperError

EXAMPLES: Final = "'in 2 minutes', 'tomorrow 9am', 'friday 14:30', 'every monday at 8', '2027-03-01 10:00'"
_MANNERS: Final = {"en": Manner(twelve=True), "de": Manner(twelve=False)}
_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?", re.IGNORECASE)
_MOST: Final = 4  # readings offered to the user


class TimeRefusedError(PepperError, ValueError):
    """The phrase can't be read as a time; the message says why, with examples."""


class TimeAskedError(TimeRefusedError):
    """The phrase needs a question; ``choices``: its possible meanings, the likelier first."""

    def __init__(self, words: str, choices: Sequence[Reading]) -> None:
        super().__init__(words)
        self.choices = tuple(choices)


def read_time(text: str, now: float, zone: tzinfo, locale: str = "en") -> Reading:
    """Read ``text``, said at ``now`` (POSIX seconds) in ``zone``.

    ``locale``: a language, "en" or "de", with its country ("en-GB"); it decides the order of dates, and which language
    is tried first. Raises ``TimeAskedError`` or ``TimeRefusedError``.
    """
    plain = " ".join(text.split()).rstrip(" ?!")
    shown = f"“{plain[:60]}”"
    if not plain:
        raise TimeRefusedError(f"no time was given; try {EXAMPLES}")
    if _ISO.fullmatch(plain):
        return _exact(plain, now, zone)
    try:
        return _read(plain, now, zone, locale, shown)
    except OverError as over:
        raise TimeRefusedError(f"{shown} is past; try {EXAMPLES}") from over
    except Unclear as unclear:
        raise TimeRefusedError(f"{shown} is not a time that I can read: {unclear}; try {EXAMPLES}") from unclear
    except (OverflowError, OSError) as error:
        raise TimeRefusedError(f"{shown} is out of reach; try {EXAMPLES}") from error


def one_time(text: str) -> None:
    """Raise ``TimeRefusedError`` if ``text`` can't be read, or is ambiguous on some day of the week.

    For a time that is written once and used repeatedly, as in a config. Being past at some hour is allowed.
    """
    monday = datetime(2026, 11, 30, tzinfo=UTC).timestamp()
    past: TimeRefusedError | None = None
    comes = False
    for hours in range(1, 7 * 24, 6):
        try:
            read_time(text, monday + hours * 3600, UTC)
            comes = True
        except TimeAskedError as asked:
            if len(asked.choices) > 1:
                raise TimeRefusedError(f"{asked}; write it so that it is the same time on every day") from asked
        except TimeRefusedError as refused:
            if not isinstance(refused.__cause__, PastTimeError):
                raise
            past = refused
    if past is not None and not comes:
        raise past


def languages(locale: str) -> list[str]:
    """Return the languages to try, the locale's first."""
    own = locale.replace("_", "-").split("-")[0].lower()
    return sorted(_MANNERS, key=lambda language: (language != own, language != "en"))


def month_first(locale: str) -> bool:
    """Check whether slashed dates begin with the month: in the United States, and if no country is named."""
    return locale.replace("_", "-").lower() in ("en", "en-us", "en-ph", "c", "posix", "")


def phrases(text: str, locale: str) -> list[Phrase]:
    """Return each way to read ``text`` in the first language that can; an empty list if none can."""
    from pepper_tui.clock.words.grammar import grammar  # it loads a parser: only at the first phrase

    found: list[Phrase] = []
    for language in languages(locale):
        with suppress(Unclear):
            for way in grammar(language).read(text):
                with suppress(Unclear):
                    found.append(fitted(way, month_first(locale)))
        if found:
            break
    return found


def _read(text: str, now: float, zone: tzinfo, locale: str, shown: str) -> Reading:
    from pepper_tui.clock.words.grammar import grammar  # it loads a parser: only at the first phrase

    first: Unclear | None = None
    for language in languages(locale):
        try:
            ways = grammar(language).read(text)
        except Unclear as unclear:
            first = first or unclear
            continue
        return _one_of(ways, now, zone, language, month_first(locale), shown)
    raise first or Unclear("no language reads it")


def _one_of(
    ways: Sequence[tuple[object, ...]], now: float, zone: tzinfo, language: str, us: bool, shown: str
) -> Reading:
    found: dict[Reading, bool] = {}  # whether each is unexpectedly far away
    refused: list[Unclear] = []
    for way in ways:
        try:
            phrase = fitted(way, us)  # type: ignore[arg-type]
            for each in readings(phrase, now, zone, _MANNERS[language]):
                found[each] = far_away(phrase, each, now)
        except Unclear as unclear:
            refused.append(unclear)
    near = [each for each, far in found.items() if not far]
    choices = _distinct(near or [*found])
    if len(choices) == 1 and near:
        return choices[0]
    if choices:
        why = "can mean several times" if len(choices) > 1 else "is more than a year away"
        raise TimeAskedError(f"{shown} {why}: {_named(choices, zone, now)}", choices[:_MOST])
    past = next((each for each in refused if isinstance(each, PastTimeError) and each.instead), None)
    if past is not None:
        raise TimeAskedError(f"{shown} is past; did you mean {_named(past.instead, zone, now)}?", past.instead)
    raise refused[0]


def _distinct(found: Sequence[Reading]) -> list[Reading]:
    """Return one reading per instant and rhythm, keeping an end that only one of them names."""
    kept: dict[tuple[float, str], Reading] = {}
    for each in found:
        key = (round(each.at), each.rrule)
        if key not in kept or (kept[key].end is None and each.end is not None):
            kept[key] = each
    return [*kept.values()]


def _named(choices: Sequence[Reading], zone: tzinfo, now: float) -> str:
    return " or ".join(said(each, zone, now) for each in choices[:_MOST])


def _exact(text: str, now: float, zone: tzinfo) -> Reading:
    try:
        at = datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise TimeRefusedError(f"“{text}” is not a date; try {EXAMPLES}") from error
    seconds = at.timestamp() if at.tzinfo is not None else instant(at, zone)
    if seconds <= now:
        raise TimeRefusedError(f"“{text}” is past; try {EXAMPLES}")
    if seconds - now > FARTHEST:
        raise TimeRefusedError(f"“{text}” is more than ten years away; try {EXAMPLES}")
    return Reading(seconds)
