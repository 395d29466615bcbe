"""The command grammar: what the offline model understands of what the user types.

``parse`` maps one message to one ``Command``. It is a table of patterns, tried in order; what none matches is
``unknown``. Times stay words, as the user typed them: the reminder tool reads them.
"""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from pepper_tui.llm.rule_words import read as read_order

CAPABILITIES: Final = (
    "remind me to call Ann tomorrow 9am (also: in 2 minutes, every monday at 8)",
    "list reminders · cancel reminder call Ann",
    "what's on today / tomorrow / this week / on friday · am I free tomorrow afternoon · conflicts",
    "add lunch with Ann friday 12:30 for 45 minutes (waits for your yes)",
    "search mail for invoice · read mail from ann · what's new",
    "reply to ann: text · send mail to a@b.org: subject: text (both wait for your yes)",
    "brief me on budget · find lease · summarise lease",
    "note milk is out · search notes for milk",
    "remember that I work from home on fridays · my profile · profile history · restore profile 3",
    "always tell me when Ann writes · watch invoices · every weekday at 8 sum up my mail (rules, after your yes)",
    "rules · stop watching invoices · resume rule invoices · remove rule invoices",
    "list files · read file notes.md · search files for lease · read https://example.org/page",
    'use server__tool key=value, key=value (a tool of an MCP server; or {"key": "value"})',
    "status · help",
)


@dataclass(frozen=True, slots=True)
class Command:
    """One understood message: its kind and the words that fill it."""

    kind: str
    values: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, key: str) -> str:
        return self.values.get(key, "")


_DAY: Final = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_CLOCK: Final = r"(?:\d{1,2}(?:[:.]\d{2})?\s*(?:am|pm|a\.m\.|p\.m\.)|\d{1,2}[:.]\d{2}|noon|midnight)"
_AT: Final = rf"(?:(?:at\s+)(?:{_CLOCK}|\d{{1,2}})|{_CLOCK})"
_PART: Final = r"(?:morning|afternoon|evening|night)"
_UNIT: Final = r"(?:seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?)"
_NUMBER: Final = (
    r"(?:\d+(?:[.,]\d+)?|an?|one|two|three|four|five|six|seven|eight|nine|ten|twenty|thirty|half an|a few|a couple of)"
)
_MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE: Final = (
    rf"(?:\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}\.\d{{1,2}}\.(?:\d{{2,4}})?|{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?"
    rf"|(?:the\s+)?\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH})(?:,?\s+\d{{4}})?"
)
_WHICH_DAY: Final = (
    rf"(?:today|tonight|tomorrow(?:\s+{_PART})?|this\s+{_PART}|(?:on\s+|next\s+|this\s+)*{_DAY}(?:\s+{_PART})?"
    rf"|next\s+(?:week|month)|(?:on\s+)?{_DATE})"
)
_ONCE: Final = (
    rf"(?:in\s+{_NUMBER}\s+{_UNIT}(?:\s+(?:and\s+)?{_NUMBER}\s+{_UNIT})?"
    rf"|{_WHICH_DAY}(?:,?\s+{_AT})?|{_AT}(?:,?\s+{_WHICH_DAY})?)"
)
_EVERY: Final = (
    rf"(?:(?:every\s+(?:{_DAY}|day|weekday|week|month|year|hour|morning|evening)|daily|weekly|monthly|yearly|hourly)"
    rf"(?:,?\s+{_AT})?)"
)
_WHEN: Final = rf"(?P<when>{_ONCE}|{_EVERY})"
_I: Final = re.IGNORECASE | re.DOTALL

_PATTERNS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (kind, re.compile(pattern, _I))
    for kind, pattern in (
        ("use", r"(?:use|call)\s+(?P<tool>[a-z][a-z0-9-]*__[\w-]+)(?:\s+(?P<arguments>\S.*))?"),
        ("list_reminders", r"(?:list|show|what are|which)(?:\s+(?:all|my|the|me))*\s+reminders?(?:\s+.*)?"
                           r"|(?:my\s+)?reminders"),
        ("cancel_reminder", r"(?:cancel|delete|remove|forget)\s+(?:the\s+|my\s+)?reminder\s+"
                            r"(?:(?:about|to)\s+)?(?P<id>\S.*)"),
        ("remind", rf"remind(?:\s+me)?,?\s+{_WHEN}\s*(?::|,)?\s*(?:to|that|about|of)?\s+(?P<text>.+)"),
        ("remind", rf"remind(?:\s+me)?(?:\s+(?:to|that|about|of))?:?\s+(?P<text>.+?),?\s+{_WHEN}"),
        ("remind", rf"(?P<when>{_EVERY}),?\s+(?:please\s+)?remind\s+me(?:\s+(?:to|that|about|of))?:?\s+(?P<text>.+)"),
        ("remind_without_time", r"remind(?:\s+me)?(?:\s+(?:to|that|about|of))?:?\s*(?P<text>.*)"),
        ("send", r"(?:send\s+(?:a\s+)?|write\s+(?:a\s+)?|e?-?)?(?:e-?)?mail\s+(?:to\s+)?(?P<to>[^\s:,;]+@[^\s:,;]+)"
                 r"\s*[:,]?\s+(?:subject\s+)?(?P<subject>[^:\n]+?)\s*[:\n]\s*(?P<body>.+)"),
        ("send_unclear", r"(?:send|write)\s+(?:an?\s+)?(?:e-?)?mail\b.*"),
        ("reply", r"(?:reply|answer|respond)\s+to\s+(?P<sender>[^:\n]+?)\s*(?::|\n)\s*(?P<body>.+)"),
        ("reply_unclear", r"(?:reply|answer|respond)\s+to\b.*"),
        ("read", r"(?:read|open|show)(?:\s+me)?\s+(?:the\s+)?(?:(?:last|latest|newest)\s+)?(?:e-?)?mails?"
                 r"\s+(?:from|by|of)\s+(?P<sender>.+)"),
        ("whats_new", r"(?:what'?s|what\s+is|anything)\s+new(?:\s+.*)?|(?:any\s+)?new\s+mails?"
                      r"|(?:summari[sz]e|show|list)\s+(?:my\s+)?(?:new\s+)?(?:in-?box|mails?|e-?mails?)"
                      r"|what\s+did\s+i\s+miss"),
        ("search_files", r"(?:search|find|look)\s+(?:in\s+|through\s+)?(?:my\s+|the\s+)?files?"
                         r"\s+(?:for|about|with)\s+(?P<query>.+)"),
        ("list_files", r"(?:list|show)(?:\s+me)?\s+(?:my\s+|the\s+)?files(?:\s+(?:in|of|under)\s+(?P<folder>.+))?"),
        ("read_file", r"(?:read|open|show)(?:\s+me)?\s+(?:the\s+)?file\s+(?P<path>.+)"),
        ("fetch", r"(?:read|open|fetch|get|show)(?:\s+me)?\s+(?:the\s+)?(?:(?:web\s*)?page\s+(?:at\s+)?)?"
                  r"(?P<address>(?:https?://|www\.)\S+)"),
        ("fetch", r"fetch\s+(?:the\s+)?(?:page\s+)?(?P<address>[^\s/@]+\.[a-z]{2,24}(?:[/?]\S*)?)"),
        ("profile_history", r"(?:show\s+)?(?:my\s+|the\s+)?(?:profile\s+history|history\s+of\s+my\s+profile)"),
        ("restore_profile", r"restore\s+(?:my\s+|the\s+)?profile(?:\s+to)?(?:\s+version)?\s+(?P<version>\d{1,6})"),
        ("profile", r"(?:show\s+(?:me\s+)?)?my\s+profile|what\s+do\s+you\s+know\s+(?:about|of)\s+me"),
        ("remind_without_time", r"remember\s+to\s+(?P<text>.+)"),
        ("remember", r"remember(?:\s+that|\s*:|,)?\s+(?P<text>\S.+)"),
        ("forget", r"forget\s+(?:about\s+)?(?:my\s+)?(?P<field>[\w .'-]{1,40})"),
        ("free", r"(?:(?:when\s+)?am\s+i\s+free|(?:find\s+|show\s+)?(?:me\s+|my\s+)?free\s+time|do\s+i\s+have\s+time)"
                 rf"(?:\s+(?:on|for))?\s*(?P<span>today|tonight|tomorrow|(?:this|next|the)\s+week(?:end)?|(?:next\s+)?{_DAY}"
                 r"|\d{4}-\d{2}-\d{2})?\s*(?:(?:in\s+the|this)\s+)?(?P<part>morning|afternoon|evening)?"),
        ("conflicts", r"(?:(?:any|show|list|find|check)\s+)?(?:(?:for|me|my|the|any)\s+)*(?:calendar\s+)?"
                      r"(?:conflicts|overlaps|clashes)(?:\s+in\s+my\s+calendar)?"),
        ("search_notes", r"(?:search|find|look\s+(?:up|for)|show)\s+(?:in\s+)?(?:my\s+|the\s+)?notes?"
                         r"(?:\s+(?:for|about|on|with))?\s+(?P<query>.+)"),
        ("search_mail", r"(?:search|find|look\s+for|show|list)(?:\s+in)?(?:\s+me)?(?:\s+my|\s+the|\s+all)?\s+"
                        r"(?:e-?)?mails?\s+from\s+(?P<sender>\S+(?:@\S+)?)(?:\s+(?:about|for|on|with)\s+(?P<query>.+))?"),
        ("search_mail", r"(?:search|find|look\s+for|show|list)(?:\s+in)?(?:\s+my|\s+the|\s+all)?\s+(?:e-?)?mails?"
                        r"(?:\s+(?:for|about|on|with))?\s+(?P<query>.+)"),
        ("brief", r"(?:brief\s+me\s+(?:on|about)|(?:prepare\s+|make\s+|get\s+me\s+)?(?:a\s+)?brief(?:ing)?\s+"
                  r"(?:on|about|for)|prepare\s+me\s+for)\s+(?P<topic>.+)"),
        ("summarise", r"(?:summari[sz]e|sum\s+up)\s+(?:the\s+)?(?:mails?\s+(?:about|on|from)\s+)?(?P<query>.+)"),
        ("agenda", r"(?:what(?:'?s|\s+is)\s+(?:on|happening|up)(?:\s+(?:my|the)\s+(?:calendar|agenda|schedule))?"
                   r"|what\s+(?:do|have)\s+i(?:\s+have|\s+got)?(?:\s+on)?|(?:show\s+(?:me\s+)?)?(?:my\s+|the\s+)?"
                   r"(?:agenda|calendar|schedule|meetings|appointments))"
                   rf"(?:\s+(?:for|on))?\s*(?P<span>today|tonight|tomorrow|(?:this|next|the)\s+week(?:end)?|(?:next\s+)?{_DAY}"
                   r"|\d{4}-\d{2}-\d{2})?"),
        ("note", r"(?:(?:take|make|add)\s+a\s+)?note(?:\s+that|\s+down|\s*:)?\s+(?P<text>.+)"),
        ("add_event", r"(?:add|schedule|plan)\s+(?:an?\s+|the\s+)?(?:event:?\s+)?(?P<text>\S.*?),?\s+(?:on\s+)?"
                      rf"(?P<when>{_ONCE})"
                      r"(?:,?\s+for\s+(?P<long>\d+(?:[.,]\d)?)\s*(?P<unit>m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?))?"
                      r"(?:,?\s+(?:@|at|in)\s+(?P<place>[^\d\s].*))?"),
        ("add_event_unclear", r"(?:add|schedule)\s+.*"),
        ("rule_unclear", r"(?:watch|alert\s+me|tell\s+me\s+(?:when|if|about)|notify\s+me|from\s+now\s+on|always"
                         r"|(?:every|each)\s+(?:day|morning|evening|weekday|week|hour)|stop|pause|resume)\b.*"),
        ("status", r"(?:current\s+)?status|what\s+are\s+you\s+(?:doing|up\s+to|working\s+on)"
                   r"|what(?:'?s|\s+is)\s+running"),
        ("help", r"help|\?+|what\s+can\s+(?:you|i)\s+(?:do|say|ask)(?:\s+.*)?"
                 r"|how\s+do(?:es)?\s+(?:this|you|i)\b.*|commands"),
        ("hello", r"(?:hi|hello|hey|good\s+(?:morning|afternoon|evening)|moin|hallo)(?:[\s,]+(?:there|pepper))?"),
        ("thanks", r"(?:many\s+)?(?:thanks|thank\s+you|thx|cheers|great|ok|okay|perfect|nice)"
                   r"(?:[\s,]+(?:you|pepper|a lot|very much|so much|that'?s all))?"),
        ("find", r"(?:search|find|look\s+(?:up|for))(?:\s+(?:for|me))?\s+(?P<query>.+)"),
    )
)  # fmt: skip

_POLITE: Final = re.compile(r"^(?:please|pepper|hey pepper|can you|could you|would you|would you please)[\s,:]+", re.I)
_LIMIT: Final = 8000
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_RULES: Final = {
    "hour": "HOURLY", "day": "DAILY", "week": "WEEKLY", "month": "MONTHLY", "year": "YEARLY",
    "hourly": "HOURLY", "daily": "DAILY", "weekly": "WEEKLY", "monthly": "MONTHLY", "yearly": "YEARLY",
    "morning": "DAILY", "evening": "DAILY",
}  # fmt: skip


def parse(text: str) -> Command:
    """The command that ``text`` is; kind ``unknown`` where no pattern takes the whole of it."""
    said = text.strip()[:_LIMIT]
    while polite := _POLITE.match(said):
        said = said[polite.end() :].lstrip()
    bare = said.rstrip(" \t\n.!?")
    if order := read_order(bare):
        says = json.dumps(order.says) if order.says else ""
        values = {"rule": order.rule, "says": says, "thing": order.thing, "why": order.why}
        return Command(order.kind, {key: value for key, value in values.items() if value})
    for kind, pattern in _PATTERNS:
        # What a person writes into a mail or a note keeps its full stop.
        subject = said if kind in ("send", "reply", "note", "use") else (bare or said)
        match = pattern.fullmatch(subject)
        if match:
            return Command(kind, {k: v.strip() for k, v in match.groupdict().items() if v})
    return Command("unknown")


def arguments_of(words: str) -> dict[str, Any]:
    """The arguments that ``words`` spell: a JSON object, or ``key=value`` with commas between them."""
    with contextlib.suppress(ValueError):
        found = json.loads(words)
        if isinstance(found, dict):
            return found
    pairs = re.findall(r"([\w.$-]+)\s*=\s*(.*?)(?:\s*,\s*(?=[\w.$-]+\s*=)|$)", words, re.DOTALL)
    return {key: _plain_value(value) for key, value in pairs}


def _plain_value(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, bool | int | float) else text


def repeat_rule(when: str) -> tuple[str, str]:
    """``when`` as the words of its first time and an RRULE, which is empty for a time that comes once."""
    words = when.lower().replace(",", " ").split()
    if words and words[0] == "every":
        unit, rest = words[1], words[2:]
    elif words and words[0] in _RULES and words[0].endswith("ly"):
        unit, rest = words[0], words[1:]
    else:
        return when, ""
    at = " ".join(rest)
    if unit in _DAYS:
        return f"{unit} {at or 'at 9:00'}", f"FREQ=WEEKLY;BYDAY={unit[:2].upper()}"
    if unit == "weekday":
        return at or "at 9:00", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
    if unit in ("hour", "hourly"):
        return at or "in 1 hour", "FREQ=HOURLY"
    usual = "at 18:00" if unit == "evening" else "at 9:00"
    return at or usual, f"FREQ={_RULES[unit]}"


def agenda_span(words: str, today: date) -> tuple[str, int]:
    """The first day (``today`` or an ISO date) and the number of days that ``words`` mean."""
    said = words.lower().split()
    if not said or said[-1] in ("today", "tonight"):
        return "today", 1
    if said[-1] == "tomorrow":
        return (today + timedelta(days=1)).isoformat(), 1
    if said[-1] == "week":
        if said[0] == "next":
            return (today + timedelta(days=7 - today.weekday())).isoformat(), 7
        return "today", 7
    if said[-1] == "weekend":
        saturday = today + timedelta(days=(5 - today.weekday()) % 7 + (7 if said[0] == "next" else 0))
        return saturday.isoformat(), 2
    if said[-1] in _DAYS:
        ahead = (_DAYS.index(said[-1]) - today.weekday()) % 7
        return (today + timedelta(days=ahead or (7 if said[0] == "next" else 0))).isoformat(), 1
    return said[-1], 1
