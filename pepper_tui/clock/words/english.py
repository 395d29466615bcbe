"""The vocabulary of English time phrases: terminals of the grammar, and the meaning of each word."""

from __future__ import annotations

from typing import Any, Final

from pepper_tui.clock.words.parts import Feast

_ONES: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS: Final = (
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS: Final = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90}
_ORDINALS: Final = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
    "twentieth",
)  # fmt: skip
_DAYS: Final = {
    "monday": 0, "mon": 0, "tuesday": 1, "tues": 1, "tue": 1, "wednesday": 2, "weds": 2, "wed": 2, "thursday": 3,
    "thurs": 3, "thur": 3, "thu": 3, "friday": 4, "fri": 4, "saturday": 5, "sat": 5, "sunday": 6, "sun": 6,
    "mo": 0, "tu": 1, "we": 2, "th": 3, "fr": 4, "sa": 5, "su": 6,
}  # fmt: skip

_TOMORROW: Final = ("tomorrow", "tmrw", "tmr", "tmw", "2moro", "tomorow", "tommorow", "tommorrow")

WORDS: Final[dict[str, dict[str, Any]]] = {
    "RELATIVE": {
        "today": 0, **dict.fromkeys(_TOMORROW, 1),
        **{f"{the}day after {word}": 2 for the in ("", "the ") for word in _TOMORROW},
    },
    "WEEKDAY": _DAYS,
    "WEEKDAYS": {f"{word}s": index for word, index in _DAYS.items() if len(word) > 5 or word in ("mon", "fri")},
    "WHICH": {
        "this": "this", "next": "next",
        **dict.fromkeys(("coming", "upcoming", "following", "this coming", "this next"), "coming"),
    },
    "MONTH": {
        "january": 1, "jan": 1, "february": 2, "feb": 2, "march": 3, "mar": 3, "april": 4, "apr": 4, "may": 5,
        "june": 6, "jun": 6, "july": 7, "jul": 7, "august": 8, "aug": 8, "september": 9, "sept": 9, "sep": 9,
        "october": 10, "oct": 10, "november": 11, "nov": 11, "december": 12, "dec": 12,
    },
    "UNIT": {
        **dict.fromkeys(("seconds", "second", "secs", "sec", "s"), "second"),
        **dict.fromkeys(("minutes", "minute", "mins", "min", "m"), "minute"),
        **dict.fromkeys(("hours", "hour", "hrs", "hr", "h"), "hour"),
        **dict.fromkeys(("days", "day", "d"), "day"),
        **dict.fromkeys(("weeks", "week", "wks", "wk", "w"), "week"),
        **dict.fromkeys(("fortnights", "fortnight"), "fortnight"),
        **dict.fromkeys(("months", "month", "mths", "mth"), "month"),
        **dict.fromkeys(("quarters", "quarter"), "quarter"),
        **dict.fromkeys(("years", "year", "yrs", "yr", "y"), "year"),
    },
    "PART": {
        "morning": "morning", "noon": "noon", "midday": "noon", "lunchtime": "noon", "lunch": "noon",
        "lunch time": "noon", "afternoon": "afternoon", "evening": "evening", "night": "night", "midnight": "midnight",
        "noonish": "noon",
    },
    "TWELVE": {
        **dict.fromkeys(("noon", "midday", "12 noon", "noontime"), "noon"),
        **dict.fromkeys(("midnight", "12 midnight"), "midnight"),
    },
    "TONIGHT": {"tonight": "night", "late tonight": "night"},
    "PARTS": {"mornings": "morning", "afternoons": "afternoon", "evenings": "evening", "nights": "night"},
    "HALF": {
        **dict.fromkeys(("am", "a.m.", "a.m", "a m", "a"), "am"),
        **dict.fromkeys(("pm", "p.m.", "p.m", "p m", "p"), "pm"),
    },
    "NUMBER_WORD": {word: n for n, word in enumerate((*_ONES, *_TEENS), 1)},
    "HOUR_WORD": {word: n for n, word in enumerate((*_ONES, *_TEENS[:3]), 1)},
    "ONES": {word: n for n, word in enumerate(_ONES, 1)},
    "TENS": _TENS,
    "TENS_MINUTE": {word: n for word, n in _TENS.items() if n < 60},
    "TEEN": {word: n for n, word in enumerate(_TEENS, 10)},
    "ORDINAL_WORD": {**{word: n for n, word in enumerate(_ORDINALS, 1)}, "thirtieth": 30},
    "TENS_ORDINAL": {"twenty": 20, "thirty": 30},
    "ADVERB": {
        "hourly": (1, "hour"), "daily": (1, "day"), "nightly": (1, "day"), "weekly": (1, "week"),
        "biweekly": (2, "week"), "bi-weekly": (2, "week"), "fortnightly": (2, "week"), "monthly": (1, "month"),
        "quarterly": (3, "month"), "yearly": (1, "year"), "annually": (1, "year"), "everyday": (1, "day"),
        "minutely": (1, "minute"), "secondly": (1, "second"),
    },
    "FEAST": {
        "christmas eve": Feast(12, 24), "xmas eve": Feast(12, 24), "christmas": Feast(12, 25), "xmas": Feast(12, 25),
        "boxing": Feast(12, 26), "new year's eve": Feast(12, 31), "new years eve": Feast(12, 31),
        "new year’s eve": Feast(12, 31), "nye": Feast(12, 31), "new year's": Feast(1, 1), "new years": Feast(1, 1),
        "new year’s": Feast(1, 1), "new year": Feast(1, 1), "valentine's": Feast(2, 14), "valentines": Feast(2, 14),
        "valentine’s": Feast(2, 14), "halloween": Feast(10, 31), "easter": Feast(easter=0),
        "easter sunday": Feast(easter=0), "easter monday": Feast(easter=1), "good friday": Feast(easter=-2),
        "thanksgiving": Feast(11, nth=4, weekday=3), "independence": Feast(7, 4), "labor": Feast(9, nth=1, weekday=0),
        "mother's": Feast(5, nth=2, weekday=6), "father's": Feast(6, nth=3, weekday=6), "st patrick's": Feast(3, 17),
    },
}  # fmt: skip
