"""A rule as one plain English sentence, for its card, the list of rules and the chat."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from typing import Final

from pepper_tui.model import Priority, Rule
from pepper_tui.text import one_line

_DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_CODES: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NTH: Final = ("", "1st", "2nd", "3rd", "4th", "5th")
_QUOTED: Final = 200  # characters of the user's words that the sentence repeats


def sentence(rule: Rule) -> str:
    """Return ``rule`` in one sentence: when it holds, and what is done then."""
    return f"{_condition(rule)}, {_joined(_acts(rule), 'and')}."


def rhythm(rule: Rule) -> str:
    """Say when a timed rule comes; the cron line itself if it has no short form."""
    if rule.every:
        return f"Every {span(rule.every)}"
    return _cron(rule.cron)


def span(seconds: float) -> str:
    """Return a length of time in words, in the largest unit that fits it exactly: ``2 days``, ``90 minutes``."""
    for length, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length and seconds % length == 0:
            count = int(seconds // length)
            return f"{count} {unit}s" if count > 1 else unit
    return f"{seconds:g} seconds"


def _condition(rule: Rule) -> str:
    if rule.origin == "built in":
        return rule.text
    if rule.timed:
        return rhythm(rule)
    if rule.after:
        return f"When nobody answered within the time of the rule {_quoted(rule.after)}"
    about = _about(rule)
    if rule.before:
        return f"{rule.before} {'minute' if rule.before == 1 else 'minutes'} before {about}"
    return f"When {about}" if _says(rule) else f"When {about} comes"


def _about(rule: Rule) -> str:
    noun = {"mail": "mail", "calendar": "an event", "": "anything"}.get(
        rule.source, f"something from the feed {_quoted(rule.source)}"
    )
    parts = [noun]
    if rule.sender:
        parts.append(f"from {_joined([one_line(each, 100) for each in rule.sender], 'or')}")
    elif rule.known:
        parts.append("from somebody you know")
    if rule.sender and rule.known:
        parts.append("(whom you know)")
    if rule.thread:
        parts.append(f"in a thread about {_quoted(rule.thread)}")
    if rule.label:
        parts.append(f"in {_quoted(rule.label)}")
    if rule.question:
        parts[-1] += ", by a person and to you alone,"
    if said := _says(rule):
        parts.append(said)
    return " ".join(parts)


def _says(rule: Rule) -> str:
    said = []
    if rule.question:
        said.append("asks you something")
    if rule.words:
        said.append(f"says {_joined([_quoted(word) for word in rule.words], 'or')}")
    return " and ".join(said)


def _acts(rule: Rule) -> list[str]:
    acts = []
    if rule.text and rule.timed and not rule.notify:
        acts.append(f"say {_quoted(rule.text)}")
    urgent = " at once, as urgent" if rule.priority is Priority.URGENT else ""
    if rule.notify:
        acts.append(f"tell me {_quoted(rule.text)}{urgent}" if rule.text and rule.timed else f"tell me{urgent}")
    if rule.draft:
        acts.append(f"draft a reply from the template {_quoted(rule.draft)}")
    elif rule.reply:
        acts.append(f"draft the reply {_quoted(rule.reply)}")
    if rule.remind:
        acts.append(f"remind me {one_line(rule.remind, 80)}")
    if rule.follow_up:
        nudge = f" and draft a reminder from the template {_quoted(rule.nudge)}" if rule.nudge else ""
        hours = rule.follow_up * 3600
        within = span(hours) if hours % 86_400 == 0 or hours < 86_400 else f"{rule.follow_up:g} hours"
        within = f"1 {within}" if within in ("day", "hour", "minute") else within
        acts.append(f"wait for their next answer and tell me if none comes within {within}{nudge}")
    if rule.brief and rule.timed:
        acts.append("brief me on the day")
    elif rule.brief:
        acts.append(f"brief me {rule.brief} {'minute' if rule.brief == 1 else 'minutes'} before it begins")
    if rule.ask:
        acts.append(f"ask the model: {one_line(rule.ask, _QUOTED)}".rstrip(" .!"))
    if not rule.acts and rule.priority is Priority.LOG and not rule.timed:
        acts.append("tell me nothing, and only log it")
    elif not rule.acts:
        acts.append(f"rank {'the time' if rule.timed and not rule.text else 'it'} {rule.priority}")
    return acts


def _cron(line: str) -> str:
    fields = line.lower().split()
    if len(fields) != 5 or not re.fullmatch(r"\d{1,2}", fields[0]):
        return f"At the times of the cron line {_quoted(line)}"
    minute, hour, date, month, days = fields
    if (hour, date, month, days) == ("*", "*", "*", "*"):
        return "Every hour" if int(minute) == 0 else f"Every hour at :{int(minute):02}"
    on = _on(date, month, days) if re.fullmatch(r"\d{1,2}(?:,\d{1,2})*", hour) else ""
    at = _joined([f"{int(each):02}:{int(minute):02}" for each in hour.split(",")], "and") if on else ""
    return f"{on} at {at}" if on else f"At the times of the cron line {_quoted(line)}"


def _on(date: str, month: str, days: str) -> str:
    """Return the days of a cron line in words; an empty string if they have no short form."""
    if month != "*":
        dated = date.isdecimal() and month.isdecimal() and 1 <= int(month) <= 12 and days == "*"
        return f"Every year on {int(date)} {calendar.month_name[int(month)]}" if dated else ""
    if (date, days) == ("*", "*"):
        return "Every day"
    if days == "*" and (date == "l" or date.isdecimal()):
        return "On the last day of every month" if date == "l" else f"On day {int(date)} of every month"
    if date != "*":
        return ""
    if nth := re.fullmatch(r"l([0-7])|([a-z]{3})#([1-5])", days):
        name = _DAYS[int(nth[1]) % 7] if nth[1] else _DAYS[_CODES.index(nth[2])] if nth[2] in _CODES else ""
        return f"On the {'last' if nth[1] else _NTH[int(nth[3])]} {name} of every month" if name else ""
    if days in ("mon-fri", "1-5"):
        return "Every weekday"
    named = []
    for code in days.split(","):
        if code in _CODES:
            named.append(_DAYS[_CODES.index(code)])
        elif code in tuple("01234567"):
            named.append(_DAYS[int(code) % 7])
        else:
            return ""
    if sorted(named) == ["Saturday", "Sunday"]:
        return "Every Saturday and Sunday"
    return f"Every {_joined(named, 'and')}"


def _quoted(words: str) -> str:
    return f"'{one_line(words, _QUOTED)}'"


def _joined(parts: Sequence[str], word: str) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"
