"""The vocabulary of German time phrases: terminals of the grammar, and the meaning of each word.

Names with a leading underscore are for words with several endings and spellings, and no meaning of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pepper_tui.clock.words.parts import Feast

_SPELLINGS: Final = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}
_ONES: Final = ("ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun")
_TEENS: Final = (
    "zehn", "elf", "zwölf", "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn",
)  # fmt: skip
_TENS: Final = {20: "zwanzig", 30: "dreißig", 40: "vierzig", 50: "fünfzig", 60: "sechzig", 90: "neunzig"}
_ORDINAL_STEMS: Final = {1: "erst", 3: "dritt", 7: "siebt", 8: "acht"}


def _spelled(words: Mapping[str, Any]) -> dict[str, Any]:
    """Return the words, and their spellings without umlauts and ß."""
    found = dict(words)
    for word, meaning in words.items():
        plain = word
        for letter, letters in _SPELLINGS.items():
            plain = plain.replace(letter, letters)
        found[plain] = meaning
        found[word.replace("ß", "ss")] = meaning
    return found


def _alike(words: Iterable[str], meaning: Any = None) -> dict[str, Any]:
    return _spelled(dict.fromkeys(words, meaning))


def _declined(*stems: str, meaning: Any = None) -> dict[str, Any]:
    """Return adjectives with each ending that they can have."""
    return _alike((stem + ending for stem in stems for ending in ("e", "en", "er", "es", "em")), meaning)


def _number_words() -> dict[str, int]:
    """Return one to sixty, and ninety, as one word each."""
    found = {"zwo": 2, "eins": 1}
    found |= {word: n for n, word in enumerate((*_ONES, *_TEENS), 1)}
    for tens, word in _TENS.items():
        found[word] = tens
        if tens < 60:
            found |= {f"{one}und{word}": tens + n for n, one in enumerate(_ONES, 1)}
    return found


def _ordinal_words() -> dict[str, int]:
    found: dict[str, int] = {}
    for word, n in _number_words().items():
        if n <= 31 and word != "eins":
            found |= _declined(_ORDINAL_STEMS.get(n, word + ("t" if n < 20 else "st")), meaning=n)
    return found


_NUMBERS: Final = _spelled(_number_words())
_DAY_NAMES: Final = {
    "montag": 0, "dienstag": 1, "mittwoch": 2, "donnerstag": 3, "freitag": 4, "samstag": 5, "sonnabend": 5,
    "sonntag": 6,
}  # fmt: skip
_DAY_SHORT: Final = {
    "mo": 0, "mon": 0, "di": 1, "die.": 1, "mi": 2, "mit.": 2, "mitt.": 2, "do": 3, "don": 3, "fr": 4, "fre.": 4,
    "sa": 5, "sam": 5, "so": 6, "son": 6,
}  # fmt: skip
_OF_THE_DAY: Final = {
    "früh": "morning", "vormittag": "forenoon", "mittag": "noon", "nachmittag": "afternoon", "abend": "evening",
    "nacht": "night",
}  # fmt: skip
_BY_NAME: Final = {"morgen": "morning", **_OF_THE_DAY}
_EVERY: Final = ("jede", "jeden", "jeder", "jedes", "jedem")

WORDS: Final[dict[str, dict[str, Any]]] = {
    "RELATIVE": _spelled({
        "heute": 0, "heut": 0, "heute noch": 0, "morgen": 1, "übermorgen": 2, "überübermorgen": 3, "über-übermorgen": 3,
    }),
    "WEEKDAY": {**_DAY_NAMES, **_DAY_SHORT},
    "WEEKDAYS": {f"{word}s": index for word, index in _DAY_NAMES.items()},
    "DAY_AND_PART": _spelled({
        day + part: (index, name) for day, index in _DAY_NAMES.items() for part, name in _BY_NAME.items()
    }),
    "DAYS_AND_PART": _spelled({
        f"{day}{part}s": (index, name)
        for day, index in _DAY_NAMES.items() for part, name in _BY_NAME.items() if part != "früh"
    }),
    "WHICH": {
        **_declined("dies", meaning="this"),
        **_declined("kommend", "folgend", meaning="coming"),
        **_declined("nächst", meaning="next"),
        **_declined("übernächst", meaning="after next"),
    },
    "MONTH": _spelled({
        "januar": 1, "jänner": 1, "jan": 1, "jän": 1, "februar": 2, "feber": 2, "feb": 2, "märz": 3, "mär": 3,
        "mrz": 3, "april": 4, "apr": 4, "mai": 5, "juni": 6, "juno": 6, "jun": 6, "juli": 7, "julei": 7, "jul": 7,
        "august": 8, "aug": 8, "september": 9, "sept": 9, "sep": 9, "oktober": 10, "okt": 10, "november": 11,
        "nov": 11, "dezember": 12, "dez": 12,
    }),
    "UNIT": {
        **dict.fromkeys(("sekunden", "sekunde", "sek.", "sek", "s"), "second"),
        **dict.fromkeys(("minuten", "minute", "min.", "min", "m"), "minute"),
        **dict.fromkeys(("stunden", "stunde", "stdn.", "stdn", "std.", "std", "h"), "hour"),
        **dict.fromkeys(("tagen", "tages", "tage", "tags", "tag", "t"), "day"),
        **dict.fromkeys(("wochen", "woche", "wo"), "week"),
        **dict.fromkeys(("monaten", "monates", "monate", "monats", "monat"), "month"),
        **dict.fromkeys(("quartalen", "quartale", "quartals", "quartal"), "quarter"),
        **dict.fromkeys(("jahren", "jahres", "jahre", "jahrs", "jahr", "j"), "year"),
    },
    "PART_UNIT": {
        **dict.fromkeys(("viertelstunden", "viertelstunde"), (0.25, "hour")),
        **dict.fromkeys(("halbstunde",), (0.5, "hour")),
        **dict.fromkeys(("dreiviertelstunden", "dreiviertelstunde", "dreiviertel stunde"), (0.75, "hour")),
        **dict.fromkeys(("vierteljahren", "vierteljahre", "vierteljahr"), (3, "month")),
        **dict.fromkeys(("halbjahren", "halbjahre", "halbjahr"), (6, "month")),
        **dict.fromkeys(("dreivierteljahren", "dreivierteljahre", "dreivierteljahr"), (9, "month")),
    },
    "PART": _spelled({
        **_OF_THE_DAY,
        "morgens": "morning", "frühmorgens": "early", "vormittags": "forenoon", "mittags": "noon",
        "nachmittags": "afternoon", "abends": "evening", "nachts": "night", "mitternacht": "midnight",
        "mittagszeit": "noon", "in der früh": "morning", "in der frühe": "morning", "in aller früh": "early",
        "in aller frühe": "early", "frühen morgen": "early", "späten vormittag": "forenoon",
        "frühen nachmittag": "afternoon", "späten nachmittag": "end", "frühen abend": "evening",
        "späten abend": "night", "feierabend": "end", "dienstschluss": "end", "tagesende": "end",
        "ende des tages": "end",
    }),
    "MORNING": {"morgen": "morning"},
    "HALF": {"pm": "pm", "p.m.": "pm", "p.m": "pm", "a.m.": "am", "a.m": "am"},
    "NUMBER_WORD": {
        **_NUMBERS,
        **dict.fromkeys(("eine", "einen", "einem", "einer", "eines", "ne", "nen", "nem", "ner"), 1),
        "ein paar": 3, "paar": 3,
    },
    "HALVES": _spelled({
        "anderthalb": 1.5, "½": 0.5, "1½": 1.5, "2½": 2.5, "3½": 3.5,
        **{f"{word}einhalb": n + 0.5 for n, word in enumerate(_ONES, 1)},
    }),
    "HOUR_WORD": {"null": 0, **{word: n for word, n in _NUMBERS.items() if n <= 24}},
    "MINUTE_WORD": {word: n for word, n in _NUMBERS.items() if n < 60},
    "ORDINAL_WORD": _spelled(_ordinal_words()),
    "TIMES_WORD": {f"{word}mal": n for word, n in _NUMBERS.items() if 1 < n <= 31},
    "ADVERB": _spelled({
        "stündlich": (1, "hour"), "zweistündlich": (2, "hour"), "täglich": (1, "day"), "tgl.": (1, "day"),
        "alltäglich": (1, "day"), "wöchentlich": (1, "week"), "zweiwöchentlich": (2, "week"),
        "zweiwöchig": (2, "week"), "vierzehntägig": (2, "week"), "vierzehntäglich": (2, "week"),
        "14-tägig": (2, "week"), "14-täglich": (2, "week"), "14tägig": (2, "week"), "14täglich": (2, "week"),
        "monatlich": (1, "month"), "zweimonatlich": (2, "month"), "vierteljährlich": (3, "month"),
        "quartalsweise": (3, "month"), "halbjährlich": (6, "month"), "jährlich": (1, "year"),
        "alljährlich": (1, "year"), "minütlich": (1, "minute"), "sekündlich": (1, "second"),
    }),
    "FEAST": _spelled({
        "neujahr": Feast(1, 1), "neujahrstag": Feast(1, 1), "heilige drei könige": Feast(1, 6),
        "heiligen drei könige": Feast(1, 6), "dreikönigstag": Feast(1, 6), "valentinstag": Feast(2, 14),
        "frauentag": Feast(3, 8), "tag der arbeit": Feast(5, 1), "maifeiertag": Feast(5, 1),
        "muttertag": Feast(5, nth=2, weekday=6), "mariä himmelfahrt": Feast(8, 15),
        "erntedankfest": Feast(10, nth=1, weekday=6), "erntedank": Feast(10, nth=1, weekday=6),
        "tag der deutschen einheit": Feast(10, 3), "reformationstag": Feast(10, 31), "halloween": Feast(10, 31),
        "allerheiligen": Feast(11, 1), "allerseelen": Feast(11, 2), "martinstag": Feast(11, 11),
        "sankt martin": Feast(11, 11), "st. martin": Feast(11, 11), "nikolaus": Feast(12, 6),
        "nikolaustag": Feast(12, 6), "nikolausabend": Feast(12, 5),
        **dict.fromkeys(("heiligabend", "heilig abend", "heiliger abend", "heiligen abend"), Feast(12, 24)),
        "weihnachten": Feast(12, 25), "weihnachtstag": Feast(12, 25),
        **{f"{n} {day}": Feast(12, 25) for n in ("1.", "erster", "ersten", "erste")
           for day in ("weihnachtstag", "weihnachtsfeiertag")},
        **{f"{n} {day}": Feast(12, 26) for n in ("2.", "zweiter", "zweiten", "zweite")
           for day in ("weihnachtstag", "weihnachtsfeiertag")},
        "stephanstag": Feast(12, 26), "stefanitag": Feast(12, 26), "silvester": Feast(12, 31),
        "silvesterabend": Feast(12, 31), "sylvester": Feast(12, 31),
        "weiberfastnacht": Feast(easter=-52), "rosenmontag": Feast(easter=-48),
        "faschingsdienstag": Feast(easter=-47), "fastnacht": Feast(easter=-47), "aschermittwoch": Feast(easter=-46),
        "palmsonntag": Feast(easter=-7), "gründonnerstag": Feast(easter=-3), "karfreitag": Feast(easter=-2),
        "karsamstag": Feast(easter=-1), "ostern": Feast(easter=0), "ostersonntag": Feast(easter=0),
        "ostermontag": Feast(easter=1), "christi himmelfahrt": Feast(easter=39), "himmelfahrt": Feast(easter=39),
        "vatertag": Feast(easter=39), "pfingsten": Feast(easter=49), "pfingstsonntag": Feast(easter=49),
        "pfingstmontag": Feast(easter=50), "fronleichnam": Feast(easter=60),
    }),
    "_THE": _alike(("der", "die", "das", "den", "dem", "des")),
    "_ON": _alike((
        "am", "an", "zum", "zu", "für", "auf", "über", "übers", "spätestens", "frühestens",
        "spätestens am", "frühestens am", "bis spätestens",
    )),
    "_FOR": _alike(("für", "auf", "zu", "spätestens", "frühestens", "noch", "bis spätestens")),
    "_THIS": _declined("dies"),
    "_NEXT": _declined("nächst", "kommend", "folgend"),
    "_COMING": _declined("kommend"),
    "_NEXT_ONLY": _declined("nächst", "folgend"),
    "_AFTER_NEXT": _declined("übernächst"),
    "_LAST": _declined("letzt"),
    "_GONE": _declined("letzt", "vorig", "vergangen", "vorherig", "verflossen"),
    "_HALF": _declined("halb"),
    "_EVERY": _alike((*_EVERY, *(f"an {word}" for word in _EVERY), "eines jeden", "eines jedes")),
    "_ALL": _alike(("alle", "aller")),
    "_WEEK": _alike(("woche",)),
    "_MONTH_WORD": _alike(("monat", "monats", "monates")),
    "_YEAR_WORD": _alike(("jahr", "jahres", "jahrs")),
    "_AT": _alike((
        "um", "punkt", "pünktlich", "pünktlich um", "um punkt", "genau um", "exakt um", "schlag", "um genau",
    )),
    "_ABOUT": _alike((
        "gegen", "ca", "circa", "zirka", "etwa", "ungefähr", "rund", "in etwa", "so gegen", "so ca", "so etwa",
        "so ungefähr", "so circa", "so zirka",
    )),
    "_NOT_BEFORE": _alike((
        "ab", "bis", "nach", "spätestens", "frühestens", "spätestens um", "frühestens um", "bis spätestens",
        "bis spätestens um", "nicht vor", "ab um", "bis um", "für", "auf", "spätestens bis", "frühestens ab",
    )),
    "_IN": _alike(("in", "nach", "innerhalb", "innerhalb von", "binnen", "in den nächsten", "erst in")),
    "_UNTIL": _alike(("bis", "bis einschließlich", "bis inklusive", "bis spätestens")),
    "_EXCEPT": _alike(("außer", "ausgenommen", "nicht", "bis auf", "mit ausnahme von")),
    "_LATER": _alike(("später",)),
    "_PAST": _alike((
        "gestern", "vorgestern", "vorvorgestern", "vorhin", "neulich", "kürzlich", "damals", "eben", "früher heute",
    )),
}  # fmt: skip
