"""Plain words that ask for mail, as a query: "my unread mails from dana about rent since last week".

What is written in the search language itself is taken as it is.
"""

from __future__ import annotations

import re
from datetime import UTC
from typing import Final

from pepper_tui.clock.words import TimeRefusedError, read_past

_ASKED: Final = re.compile(
    r"(?P<verb>(?:search|find|look\s+for|list|show|suche?|finde|zeige?)(?:\s+(?:in|me|mir))?\s+|(?:any|which|what)\s+)?"
    r"(?:(?:my|the|all|meine|die|alle)\s+)*"
    r"(?P<states>(?:(?:new|unread|read|unanswered|answered|flagged|starred|neue|ungelesene|gelesene|unbeantwortete"
    r"|beantwortete|markierte)\s+(?:and\s+|und\s+)?)*)"
    r"(?:e-?)?mails?\b(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_STATES: Final = {
    **dict.fromkeys(("new", "unread", "neue", "ungelesene"), "is:unread"),
    **dict.fromkeys(("read", "gelesene"), "is:read"),
    **dict.fromkeys(("answered", "beantwortete"), "is:answered"),
    **dict.fromkeys(("unanswered", "unbeantwortete"), "-is:answered"),
    **dict.fromkeys(("flagged", "starred", "markierte"), "is:flagged"),
}
_IN_THE_LANGUAGE: Final = re.compile(
    r'(?:^|[\s(-])(?:from|to|cc|subject|before|after|since|on|until|has|is|in|account|label):\S|"|(?<!\S)OR(?!\S)'
)
_ATTACHED: Final = re.compile(
    r"\b(?:with|mit)\s+(?:an?\s+|einem\s+)?(?:attachments?|anh(?:ang|ängen?))\b", re.IGNORECASE
)
_BOUNDS: Final = {
    **dict.fromkeys(("since", "after", "seit", "ab", "nach"), "after"), **dict.fromkeys(("before", "vor"), "before"),
    **dict.fromkeys(("until", "till", "bis"), "until"), **dict.fromkeys(("on", "in", "during", "am", "im"), "on"),
}  # fmt: skip
_TIMELY: Final = re.compile(
    r"(?:last|past|previous|this|yesterday|today|letzte\w*|vorige\w*|diese\w*|gestern|heute)\b|.* ago$", re.IGNORECASE
)
_LONGEST_TIME: Final = 5  # words
_CLAUSE: Final = re.compile(
    r"(?:^|\s+)(from|by|von|to|an|about|regarding|mentioning|over|with|for|on|in|über|wegen|zu|nach)\s+", re.IGNORECASE
)
_KEYS: Final = {"from": "from", "by": "from", "von": "from", "to": "to", "an": "to", "in": "in"}
_THE_SERVER: Final = re.compile(r"^(?:search|ask)\s+(?:the|my)\s+(?:mail\s*)?servers?\b", re.IGNORECASE)
_SERVER: Final = re.compile(r"\s(?:(?:at|on)\s+(?:the|my)\s+servers?|auf\s+dem\s+server)\b", re.IGNORECASE)
_LATER: Final = 4e9  # what is past is judged by whoever reads the query


def asks_server(text: str) -> tuple[str, bool]:
    """Return ``text`` without the words that send the search to the server, and whether it had them."""
    plain = _SERVER.sub(" ", _THE_SERVER.sub("search mail ", text))
    return (" ".join(plain.split()), True) if plain != text else (text, False)


def mail_query(text: str, locale: str = "en") -> str | None:
    """Return the query that ``text`` asks for; ``None`` if it asks for something else."""
    asked = _ASKED.fullmatch(text.strip())
    if asked is None:
        return None
    states, rest = asked["states"].lower().split(), asked["rest"].strip(" :,")
    verb = (asked["verb"] or "").lower().split()
    if (not rest and (not states or states == ["new"])) or (not verb and states == ["read"]):  # the latter is a verb
        return None
    if not verb and not states and not _CLAUSE.match(rest):
        return None
    found = [_STATES[each] for each in states if each in _STATES]
    if _IN_THE_LANGUAGE.search(rest):
        return " ".join([*found, re.sub(r"^(?:for|about|with|nach)\s+", "", rest, flags=re.IGNORECASE)])
    if _ATTACHED.search(rest):
        found.append("has:attachment")
        rest = _ATTACHED.sub(" ", rest).strip()
    rest, time = _time(rest, locale)
    clauses = _clauses(rest)
    if verb[:1] == ["show"] and not states and not time and [key for key, _ in clauses] == ["from"]:
        return None  # one mail is to be read
    return " ".join([*(f"{key}:{_value(said)}" if key else said for key, said in clauses), *found, *time])


def _time(rest: str, locale: str) -> tuple[str, list[str]]:
    """Return ``rest`` without the time at its end, and the term for that."""
    words = rest.split()
    for count in range(min(_LONGEST_TIME, len(words)), 0, -1):
        bound, said = words[-count].lower(), words[-count:]
        key = _BOUNDS.get(bound)
        if bound == "vor" and locale == "de":  # "vor 3 tagen" is a length, too
            key = None
        said = said[1:] if key else said
        time = " ".join(said)
        if not said or not (key or _TIMELY.match(time) or bound == "vor") or not _is_past(time, locale):
            continue
        return " ".join(words[:-count]), [f"{key or 'on'}:{_value(time)}"]
    return rest, []


def _is_past(time: str, locale: str) -> bool:
    try:
        read_past(time, _LATER, UTC, locale)
    except TimeRefusedError:
        return False
    return True


def _clauses(rest: str) -> list[tuple[str, str]]:
    """Return the parts of ``rest``: a key, or none for words, and what it is to be."""
    found: list[tuple[str, str]] = []
    key, at = "", 0
    for match in _CLAUSE.finditer(rest):
        found.append((key, rest[at : match.start()].strip(" ,")))
        key, at = _KEYS.get(match[1].lower(), ""), match.end()
    found.append((key, rest[at:].strip(" ,")))
    return [(key, said) for key, said in found if said]


def newest_from(sender: str) -> str:
    """Return the query whose first find is the newest mail from ``sender``."""
    return f"from:{_value(sender)}"


def _value(said: str) -> str:
    return said if re.fullmatch(r'[^\s()"]+', said) else '"' + said.replace('"', "") + '"'
