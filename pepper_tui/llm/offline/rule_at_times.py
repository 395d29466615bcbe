"""Orders for a time: "every weekday at 8 tell me my calendar".

The time is read as elsewhere. The task is the day in facts, words of the user's, or a prompt in their words. A task
that contains part of a time, or a condition that a time can't have, raises ``Doubt``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from pepper_tui.clock.words import (
    TimeRefusedError,
    Timetable,
    leading_time,
    opening_time,
    timetable,
    trailing_time,
)
from pepper_tui.llm.offline.rule_conditions import ALL_DAYS, Doubt

_I: Final = re.IGNORECASE | re.DOTALL
_DO: Final = (
    r"(?:please\s+)?(?:sum|summari[sz]e|brief\s+me|tell\s+me|show|give\s+me|send\s+me|check|ask|look|list|let\s+me)\b"
)
_FIRST: Final = re.compile(
    r"(?:and|or|but|except|excluding|not|only|unless|until|till|on|at|from|to|between|during|for|starting|when|if|plus"
    rf"|[\d,;+&-])(?:(?!\b{_DO}).)*",
    _I,
)
_LINK: Final = re.compile(
    r"\b(?:and|or|but|not|except|excluding|only|until|till|starting|beginning|unless|plus|every|each)\b", _I
)
_LINKED: Final = re.compile(
    r"(?:(?:and|or|but|not|except|excluding|only|until|till|starting|beginning|unless|plus|it\s+is|it's|again)\s+)*", _I
)
_TO_THE_ACT: Final = re.compile(rf"(?:(?!\b{_DO}).)*", _I)
_MAIL_RULE: Final = re.compile(
    r"(?:(?:tell|notify|alert|inform|warn|ping)\s+me|let\s+me\s+know)\s+(?:at\s+once\s+)?(?:when(?:ever)?|as\s+soon\s+as|once"
    r"|if\s+.*\b(?:writes?|mails?|answers?|repl\w+|mentions?|asks?)\b).*"
    r"|(?:when(?:ever)?|as\s+soon\s+as)\b.*",
    _I,
)
_LIMIT: Final = re.compile(r"\b(?:if|unless|when|only|except|without|but|not)\b.*", _I)
_WHOLE_DAY: Final = re.compile(
    r"(?:brief\s+me|tell\s+me|show(?:\s+me)?|give\s+me|send\s+me|read(?:\s+me)?|list|sum(?:mari[sz]e)?(?:\s+up)?)?\s*"
    r"(?:(?:a|an|the)\s+(?:summary|digest|brief|overview)\s+(?:of|on)\s+|about\s+|on\s+)?"
    r"(?:what(?:'?s|\s+is)\s+on|(?:(?:my|the|today's)\s+)*(?:calendar|agenda|schedule|day|appointments|meetings|today))?"
    r"(?:\s+(?:(?:for|of|on|in|my|the)\s+)*(?:today|day|calendar|agenda|schedule)){0,2}",
    _I,
)
_CALENDAR: Final = re.compile(
    r"\b(?:calendar|agenda|schedule|(?:my|the)\s+day|today|(?:my\s+)?(?:appointments|meetings)|what(?:'?s|\s+is)\s+on)\b",
    _I,
)
_BEYOND: Final = re.compile(r"\b(?:week|tomorrow|month)\b", _I)
_LETTERS: Final = re.compile(r"\b(?:e-?mails?|mails?|inbox|messages)\b", _I)
_DIGEST: Final = re.compile(
    r"(?:sum(?:mari[sz]e)?\s*(?:up\b)?|brief\s+me|tell\s+me|show(?:\s+me)?|give\s+me|send\s+me|read(?:\s+me)?|list|what"
    r"|an?\s+(?:summary|digest|brief))\b",
    _I,
)
_TASK: Final = re.compile(
    r"(?:please\s+)?(?:sum|summari[sz]e|brief\s+me|tell\s+me|show|give\s+me|send\s+me|check|ask|look|list)\b", _I
)
_TO_DO: Final = re.compile(r"(?:tell|nudge)\s+me\s+to\s+(?P<text>.+)", _I)


def at_a_time(said: str, lead: bool, locale: str = "en") -> dict[str, Any] | None:
    for time, rest in _splits(said, lead, locale):
        task = re.sub(r"^(?:please|then)\s+", "", rest.strip(" ,:;"), flags=re.I)
        if len(task) < 3 or re.match(r"remind\b|erinner", task, re.I):
            continue
        if rhythm := _rhythm(time, locale):
            _whole(task, locale)
            return {**_of_time(rhythm), **_done_then(task, rhythm)}
    return None


def _splits(said: str, lead: bool, locale: str) -> Iterator[tuple[str, str]]:
    """Yield a time and the task for it: the time stands first, or after something that can only be an order."""
    if first := leading_time(said, locale):
        yield first.time, first.after
    if (lead or _TASK.match(said)) and (last := trailing_time(said, locale)):
        yield last.time, last.before


def _rhythm(time: str, locale: str) -> Timetable | None:
    try:
        return timetable(time, locale)
    except TimeRefusedError as error:
        raise Doubt(time, str(error)) from error


def _of_time(rhythm: Timetable) -> dict[str, Any]:
    return {"cron": rhythm.cron} if rhythm.cron else {"every_seconds": rhythm.every}


def _whole(task: str, locale: str) -> None:
    """Raise ``Doubt`` if ``task`` begins with or holds more of a time, or is a condition on mail."""
    if found := _FIRST.match(task):
        raise Doubt(found[0], "make two rules of it, each with its days and one time or hour list, as in “at 8 and 18”")
    if found := _MAIL_RULE.fullmatch(task):
        raise Doubt(found[0], f"with a time it makes no rule, for {ALL_DAYS}")
    for link in _LINK.finditer(task):
        rest = task[link.start() :]
        linked = _LINKED.match(rest)
        if opening_time(rest[linked.end() if linked else 0 :], locale):
            part = _TO_THE_ACT.match(rest)
            raise Doubt(
                part[0] if part else rest,
                "one rule has one rhythm; say days and time first, and make a second rule of more",
            )


def _done_then(task: str, rhythm: Timetable) -> dict[str, Any]:
    """Return the task at a time: the day in facts, or a prompt for what needs a model."""
    if to_do := _TO_DO.fullmatch(task):
        return {"name": to_do["text"][:60], "text": to_do["text"], "notify": True}
    digest, beyond = bool(_DIGEST.match(task)), _BEYOND.search(task)
    if digest and _LETTERS.search(task):
        return {"name": f"mail {rhythm.words}"[:60], "brief_minutes": 1, "ask": task}
    if digest and beyond:
        return {"name": f"{beyond[0].lower()} {rhythm.words}"[:60], "brief_minutes": 1, "ask": task}
    if digest and _CALENDAR.search(task):
        if limit := _LIMIT.search(task):
            raise Doubt(limit[0], "the brief of a day is whole, and comes each time")
        if not _WHOLE_DAY.fullmatch(task):
            return {"name": f"calendar {rhythm.words}"[:60], "brief_minutes": 1, "ask": task}
        return {"name": f"calendar {rhythm.words}"[:60], "brief_minutes": 1}
    return {"name": task[:60].strip(), "ask": task}
