"""The mail that a clause means: "Dana writes about invoices", "a mail says lease", "somebody I know asks me something".

Words that a rule can't hold (days, times, "not", "and") are never dropped and never searched for in a mail: they raise
``Doubt``, which names them. Quoted words are taken literally.
"""

from __future__ import annotations

import calendar
import re
from typing import Any, Final

from pepper_tui.clock.words import is_time, opening_time

_I: Final = re.IGNORECASE | re.DOTALL
MAIL: Final = r"(?:(?:an?|any|every|each|all|new|the|some|my)\s+)*(?:e-?mails?|mails?|messages?)"
SOMEBODY: Final = r"(?:some(?:body|one)|any(?:body|one)|people|who(?:ever)?)"
_KNOWN: Final = rf"(?P<known>(?:{SOMEBODY}|a\s+person)\s+(?:(?:that|whom?)\s+)?i\s+know)"
_COMES: Final = r"(?:\s+(?:comes?|arrives?|is\s+there)(?:\s+in)?)"
_SAYS: Final = (
    r"(?:says?|mentions?|contains?|has|have|includes?|is\s+about|are\s+about|about|with|regarding|concerning|on"
    r"|saying|mentioning|containing|that\s+(?:says?|mentions?|contains?|has|have)|for)"
)
_IN_IT: Final = r"(?:\s+in\s+(?:it|them|the\s+(?:subject|text|body|mail)))?"
_NOBODY: Final = frozenset(
    {"it", "he", "she", "they", "you", "i", "we", "that", "this", "there", "something", "anything", "nothing", "me",
     "mail", "nobody"}
)  # fmt: skip
_TIME_LINK: Final = re.compile(
    r"(?:\b(?:but|only|and)\s+)*(?=\b(?:on|during|at|in|over|before|after|until|till|between|since|every|each|from|not"
    r"|except|only|this|next)\b)",
    _I,
)
_LINKS: Final = re.compile(
    r"(?:(?:but|only|and|on|during|at|in|over|before|after|until|till|between|since|from|not|except|the)\s+)*", _I
)
_HOUR: Final = re.compile(r"\d{1,2}(?!\d)")
# parts of a year that are not times in words, and so not read as one
_LOOSE: Final = re.compile(
    r"(?:every|each|this|next|\s)*\b(?:holidays?|(?:office|working)\s+(?:hours|days?)|weeks?|months?|years?|days?|hours?)\b",
    _I,
)
_LAST_WORD: Final = re.compile(
    r"(?<!says )(?<!say )(?<!mentions )(?<!mention )(?<!contains )(?<!about )(?<!with )(?<=\S\s)\b[^\W\d_]+$"
)
_MONTHS: Final = frozenset(name.lower() for name in (*calendar.month_name, *calendar.month_abbr))
_NOT: Final = re.compile(
    r"(?:\b(?:but|and|or)\s+)?\b(?:not|without|except|excluding|unless|neither|nor|never|other\s+than|apart\s+from|only"
    r"|isn't|aren't|does\s*n't|don't|didn't|hasn't|haven't|won't|can't)\b.*|\bbut\b.*",
    _I,
)
# what links parts of a sentence; inside unquoted words it means that a part was not understood
_LINK: Final = re.compile(
    r"\b(?:from|by|to|in|on|at|for|with|under|over|into|via|between|during|before|after|since|until|till|within|about"
    r"|when|whenever|if|while|because|then|than|that|which|who|whom|whose|is|are|was|were|be|has|have|i|me|you|he|she"
    r"|they|we|it|my|your|every|each|says?|mentions?|writes?|tell|draft|remind|as)\b.*",
    _I,
)
_NO_NAME: Final = re.compile(
    r"\b(?:answers?|answered|replies|reply|replied|responds?|when|whenever|if|nobody|no\s+one|writes?|mails?|asks?|says?"
    r"|mentions?|about|to|from|with|within|what|how|on|at|in|my|me|after|before|the|that|who|is|are|and|or|but|for|until|last\s+\w+|next\s+\w+|yesterday)\b.*",
    _I,
)
_SECOND_ACT: Final = re.compile(
    r"\band\s+(?:then\s+)?(?:remind|draft|brief|follow|reply|answer|forward|nudge|tell|move|delete|mark|archive)\b.*",
    _I,
)
_QUOTED: Final = re.compile(r"\"([^\"]+)\"|(?<!\w)'([^']+)'(?!\w)")
_PLACE: Final = re.compile(r"\b(?:calendars?|agenda|schedule|in-?box)\b", _I)

ALL_DAYS: Final = "a rule about mail holds on all days and at all times"
NOTHING_OUT: Final = "a rule looks for what stands in a mail and can leave nothing out"
OR: Final = "the words of a rule are alternatives, so join them with “or”"
QUOTE: Final = "if these are the exact words to look for, put them in quotes"


class Doubt(ValueError):
    """Raised if ``part`` of an order was not understood; ``hint`` says why, or what can be said."""

    def __init__(self, part: str, hint: str = "") -> None:
        self.part = part.strip(" ,")
        told = f"I can't take “{self.part}” in it – {hint}." if hint else f"I don't understand “{self.part}”."
        super().__init__(f"I made no rule: {told}")


def _patterns() -> tuple[re.Pattern[str], ...]:
    begin = r"(?:there\s+is\s+|i\s+(?:get|receive)\s+)?"
    who = rf"(?:{_KNOWN}|(?P<who>.+?))"
    return tuple(
        re.compile(pattern, _I)
        for pattern in (
            rf"{begin}{MAIL}{_COMES}?\s+(?:from|by)\s+{who}{_COMES}?(?:\s+{_SAYS}\s+(?P<what>.+?){_IN_IT})?{_COMES}?",
            rf"{begin}{MAIL}{_COMES}?\s+{_SAYS}\s+(?P<what>.+?){_IN_IT}{_COMES}?(?:\s+from\s+{who})?{_COMES}?",
            rf"{_KNOWN}\s+(?:writes?|mails?)(?:\s+me)?(?:\s+{_SAYS}\s+(?P<what>.+?))?",
            rf"(?:{_KNOWN}|{SOMEBODY}|a\s+person|(?P<who>.+?))\s+(?P<question>asks?(?:\s+me)?"
            r"(?:\s+(?:something|anything|a\s+question|questions))?)(?:\s+(?:about|for)\s+(?P<what>.+?))?",
            rf"{SOMEBODY}\s+(?:at|from)\s+(?P<who>@?[\w-]+(?:\.[\w-]+)+)\s+(?:writes?|mails?)(?:\s+me)?",
            rf"{SOMEBODY}\s+(?:writes?|mails?|talks?|mentions?)(?:\s+me)?(?:\s+(?:about|for|of))?\s+(?P<what>.+?)",
            r"(?P<who>.+?)\s+(?:writes?|(?:e-?)?mails?|messages?|(?P<answer>answers?|replies|reply|responds?)"
            r"|sends?(?:\s+me)?\s+(?:an?\s+)?(?:new\s+)?(?:e-?mails?|mails?|messages?|something|anything))"
            rf"(?:\s+(?:to\s+)?me)?(?:\s+(?:back|again|an?\s+mail))?(?:\s+{_SAYS}\s+(?P<what>.+?){_IN_IT})?",
            r"(?:the\s+words?\s+)?(?P<what>.+?)\s+(?:is|are|gets?)\s+mentioned",
        )
    )


_CONDITIONS: Final = _patterns()


def condition(words: str) -> dict[str, Any] | None:
    """Return the condition on mail that a clause means; ``None`` if it is no such clause.

    Keys: ``source``, ``sender``, ``words``, ``known``, ``question``, and a ``name``. Raises ``Doubt`` for a part of it
    that a rule can't hold.
    """
    words = words.strip()
    doubts: list[Doubt] = []
    for pattern in _CONDITIONS:
        if found := pattern.fullmatch(words):
            try:
                says = _said({key: value for key, value in found.groupdict().items() if value})
            except Doubt as doubt:
                doubts.append(doubt)
                continue
            if says:
                _no_limits(words)
                return says
    if doubts:
        _no_limits(words)
        raise doubts[0]
    return None


def _said(given: dict[str, str]) -> dict[str, Any] | None:
    says: dict[str, Any] = {"source": "mail"}
    names = []
    if "answer" in given:
        raise Doubt(given["answer"], f"a rule does not see what a mail answers; “when {given['who']} writes” it does")
    if "who" in given:
        people = [person(each) for each in parted(given["who"])]
        if not people or not all(people):
            return None
        says["sender"] = people
        names.append(" or ".join(people))
    if "known" in given:
        says["known"] = True
        names.append("people I know")
    if "question" in given:
        says["question"] = True
        names.append("questions")
    if "what" in given:
        if re.search(r"\band\b", _QUOTED.sub(" ", given["what"]), re.I):
            _no_limits(given["what"])
            raise Doubt(given["what"], OR)
        wanted = wanted_words(given["what"])
        if not wanted:
            return None
        says["words"] = wanted
        names.append(bare_words(given["what"]))
    return {**says, "name": ": ".join(names)[:60]} if len(says) > 1 else None


def _no_limits(words: str) -> None:
    """Raise ``Doubt`` if ``words`` limit a rule by something it can't hold."""
    plain = _QUOTED.sub(lambda found: "\0" * len(found[0]), words)
    if (start := _start_of_time(plain)) is not None:
        raise Doubt(words[start:], ALL_DAYS)
    if found := _NOT.search(plain):
        raise Doubt(words[found.start() : found.end()], NOTHING_OUT)


def _start_of_time(words: str) -> int | None:
    """Return where a limiting time begins: “on weekends”, “before noon”, and a “today” at the end."""
    for link in _TIME_LINK.finditer(words):
        rest = words[link.end() :]
        bare = rest[len(_LINKS.match(rest)[0]) :]  # type: ignore[index]
        hour = _HOUR.match(bare) and is_time(f"at {bare}", "en")
        if hour or _LOOSE.match(bare) or _is_day_or_hour(opening_time(bare, "en")):
            return link.start()
    last = _LAST_WORD.search(words)
    return last.start() if last and _is_day_or_hour(last[0]) and is_time(last[0], "en") else None


def _is_day_or_hour(time: str) -> bool:
    """Check whether it is a time, and not a name or number as well: not “April”, “Mo”, “Sun” or “1000”."""
    return (len(time) > 3 or not time.isalpha()) and not time.isdigit() and time.lower() not in {"", *_MONTHS}


def limits(words: str) -> None:
    """Raise ``Doubt`` if an order that no pattern takes has a part that a rule can't hold."""
    if found := _SECOND_ACT.search(words):
        raise Doubt(found[0], "one order makes a rule of one act; say the other as a rule of its own")
    _no_limits(words)


def person(words: str) -> str:
    """Return a name or address; empty if the words name nobody. Raises ``Doubt`` for more than a name."""
    bare = re.sub(r"^(?:my|the|mr|mrs|ms|dr)\.?\s+", "", words.strip(" '\""), flags=re.I).rstrip(",;")
    if bare.lower() in _NOBODY or len(bare) > 60 or not re.search(r"\w", bare):
        return ""
    if re.fullmatch(rf"{SOMEBODY}(?:\s.*)?", bare, _I) or re.match(r"(?:an?|any|every|each|all|no)\s", bare, re.I):
        return ""
    _no_limits(bare)
    if found := None if "@" in bare else _NO_NAME.search(bare):
        raise Doubt(found[0], "it is no part of a name; a rule sees who wrote, and which words stand in the mail")
    if len(bare.split()) > 4:
        return ""
    if re.fullmatch(r"[\w-]+(?:\.[\w-]+)+", bare) and not bare.endswith("."):
        return f"@{bare.lower()}"  # a domain
    return bare


def parted(words: str) -> list[str]:
    """Return the alternatives in ``words``."""
    return [part for part in re.split(r"\s*(?:,\s*(?:or|and)?|\bor\b|\band\b)\s+", words, flags=re.I) if part.strip()]


def bare_words(words: str) -> str:
    return re.sub(r"^(?:(?:the|an?|any|my|all|every|words?)\s+)+", "", words.strip(" '\""), flags=re.I).strip(" '\"")


def wanted_words(words: str) -> list[str]:
    """Return the words to search for. Raises ``Doubt`` if a part is no plain word.

    Quoted words are taken literally; otherwise a plural means its singular too.
    """
    quoted = [one or other for one, other in _QUOTED.findall(words)]
    _no_limits(words)
    if quoted:
        rest = re.sub(r"\b(?:or|and|the|words?|either)\b|,", " ", _QUOTED.sub(" ", words), flags=re.I).strip()
        if rest:
            raise Doubt(rest, "it stands outside the quotes")
        return quoted
    found: dict[str, None] = {}
    for part in parted(words):
        bare = bare_words(part)
        if not bare or len(bare) > 60 or len(bare.split()) > 6 or bare.lower() in _NOBODY:
            return []
        if _PLACE.search(bare):
            raise Doubt(part, "such a rule looks for words in mail, not at a calendar or an inbox; "
                        "`rules` shows what Pepper tells of by itself, as of conflicts in your calendar")  # fmt: skip
        if link := _LINK.search(bare):
            raise Doubt(link[0], QUOTE)
        found.update(dict.fromkeys((bare, other_number(bare))))
    return list(found)


def other_number(words: str) -> str:
    """Return the plural of a singular, or the singular of a plural, by the common endings."""
    low = words.lower()
    if not low[-1:].isalpha():
        return words
    if low.endswith("ies") and len(low) > 4:
        return words[:-3] + "y"
    if low.endswith(("sses", "xes", "ches", "shes")):
        return words[:-2]
    if low.endswith("s") and not low.endswith(("ss", "us", "is")):
        return words[:-1]
    if low.endswith("y") and not low.endswith(("ay", "ey", "oy", "uy")):
        return words[:-1] + "ies"
    return words + ("es" if low.endswith(("s", "x", "ch", "sh")) else "s")
