"""The command grammar: what the offline model understands of what the user types.

``parse`` maps one message to one ``Command``. It is a table of patterns, tried in order; a message that none matches is
``unknown``. Times stay words, as the user typed them: the reminder tool reads them.
"""

from __future__ import annotations

import contextlib
import json
import re
from datetime import date
from typing import Any, Final

from pepper_tui.clock.words import Within, is_time, leading_time, names_days, opening_time, spans_said, trailing_time
from pepper_tui.llm.offline.command import Command
from pepper_tui.llm.offline.free_words import free_with
from pepper_tui.llm.offline.mail_words import asks_server, mail_query
from pepper_tui.llm.offline.rule_words import read as read_order

CAPABILITIES: Final = (
    "remind me to call Ann tomorrow 9am (also: in 2 minutes, every monday at 8)",
    "list reminders · cancel reminder call Ann",
    "what's on today and tomorrow / next week / in december / the week of 14 dec · conflicts this week",
    "join links today (where your meetings can be joined)",
    "my to-dos · done with pay the rent · reopen pay the rent (after your yes)",
    "am I free tomorrow afternoon · free time next week · find 45 minutes with ben friday · when are ann and I free",
    "add lunch with Ann friday 12:30 for 45 minutes (waits for your yes)",
    "move lunch with Ann to saturday 13:00 · rename lunch to dinner · cancel standup on friday (after your yes)",
    "accept the invitation from ann · decline budget review · propose friday 10:00 for budget review (after your yes)",
    "decline standup on friday · accept all of standup (of a series you are invited to; after your yes)",
    "mails from ann about rent last week · my unread mail · search mail for subject:invoice has:attachment",
    "read mail from ann · what's new",
    "reply to ann: text · reply all to ann: text · reply to list ann: text (each waits for your yes, as the next line)",
    "send mail to a@b.org: subject: text · forward ann's mail to a@b.org: text · unsubscribe from northlight",
    "block ann (her mail is only logged from then on: a rule, after your yes)",
    "brief me on budget · find lease · summarise lease",
    "note milk is out · search notes for milk",
    "remember that I work from home on fridays · my profile · profile history · restore profile 3",
    "always tell me when Ann writes · watch invoices · every weekday at 8 sum up my mail (rules, after your yes)",
    "rules · stop watching invoices · resume rule invoices · remove rule invoices",
    "list files · read file notes.md · search files for lease · read https://example.org/page",
    'use server__tool key=value, key=value (a tool of an MCP server; or {"key": "value"})',
    "status · help",
)


_I: Final = re.IGNORECASE | re.DOTALL

_PATTERNS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (kind, re.compile(pattern, _I))
    for kind, pattern in (
        ("use", r"(?:use|call)\s+(?P<tool>[a-z][a-z0-9-]*__[\w-]+|read_resource)(?:\s+(?P<arguments>\S.*))?"),
        ("list_reminders", r"(?:list|show|what are|which)(?:\s+(?:all|my|the|me))*\s+reminders?(?:\s+.*)?"
                           r"|(?:my\s+)?reminders"),
        ("cancel_reminder", r"(?:cancel|delete|remove|forget)\s+(?:the\s+|my\s+)?reminder\s+"
                            r"(?:(?:about|to)\s+)?(?P<id>\S.*)"),
        ("remind", r"(?P<before>.*?)[,\s]*\b(?:please\s+)?(?:remind(?:\s+me)?|erinner[en]?\s+mich)\b"
                   r"[,:]?\s*(?P<rest>.*)"),
        ("send", r"(?:send\s+(?:a\s+)?|write\s+(?:a\s+)?|e?-?)?(?:e-?)?mail\s+(?:to\s+)?(?P<to>[^\s:,;]+@[^\s:,;]+)"
                 r"\s*[:,]?\s+(?:subject\s+)?(?P<subject>[^:\n]+?)\s*[:\n]\s*(?P<body>.+)"),
        ("send_unclear", r"(?:send|write)\s+(?:an?\s+)?(?:e-?)?mail\b.*"),
        ("reply_all", r"(?:reply|answer|respond)\s+(?:to\s+)?(?:all|every(?:one|body))\s+(?:(?:to|of|on|in)\s+)?"
                      r"(?P<sender>[^:\n]+?)\s*(?::|\n)\s*(?P<body>.+)"),
        ("reply_list", r"(?:reply|answer|respond)\s+to\s+(?:the\s+|her\s+|his\s+)?(?:mailing\s+)?list\s+"
                       r"(?:(?:to|of|on|about)\s+)?(?P<sender>[^:\n]+?)\s*(?::|\n)\s*(?P<body>.+)"),
        ("reply", r"(?:reply|answer|respond)\s+to\s+(?P<sender>[^:\n]+?)\s*(?::|\n)\s*(?P<body>.+)"),
        ("forward", r"forward\s+(?:the\s+)?(?:(?:last|latest|newest)\s+)?(?:e-?)?mail\s+(?:from|of|by)\s+"
                    r"(?P<sender>[^:\n]+?)\s+to\s+(?P<to>[^\s:,;]+@[^\s:,;]+)(?:\s*(?::|\n)\s*(?P<body>.+))?"),
        ("forward", r"forward\s+(?P<sender>[^:\n]+?)['’]s?\s+(?:(?:last|latest|newest)\s+)?(?:e-?)?mail\s+to\s+"
                    r"(?P<to>[^\s:,;]+@[^\s:,;]+)(?:\s*(?::|\n)\s*(?P<body>.+))?"),
        ("forward_unclear", r"forward\b.*"),
        ("unsubscribe", r"unsubscribe(?:\s+me)?(?:\s+from)?(?:\s+(?:the\s+)?(?:newsletters?|lists?|mails?)"
                        r"\s+(?:from|of|by))?\s+(?P<sender>.+)"),
        ("block", r"block\s+(?:(?:all\s+)?(?:e-?)?mails?\s+(?:from|of|by)\s+|the\s+sender\s+)?(?P<sender>.+)"),
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
        ("remind", r"remember\s+to\s+(?P<rest>.+)"),
        ("remember", r"remember(?:\s+that|\s*:|,)?\s+(?P<text>\S.+)"),
        ("forget", r"forget\s+(?:about\s+)?(?:my\s+)?(?P<field>[\w .'-]{1,40})"),
        ("free_with", r"when\s+(?:is|are|am|can|could)\s+(?P<people>\S.*?)\s+(?:(?:both|all)\s+)?"
                      r"(?:be\s+free|free|meet)(?:\s+(?P<span>\S.*))?"),
        ("free_with", r"(?:find\s+|show\s+)?(?:me\s+|my\s+|us\s+)?(?:free\s+time|time)\s+(?:with|for\s+me\s+and)\s+"
                      r"(?P<rest>\S.*)"),
        ("free_with", r"find\s+(?:(?:me|us)\s+)?(?:a\s+slot\s+of\s+)?(?P<count>\d{1,4}|an|half\s+an)\s*"
                      r"(?P<unit>m(?:ins?|inutes?)?|h(?:ours?|rs?)?)(?:\s+(?:with|for\s+me\s+and)\s+(?P<rest>\S.*)"
                      r"|\s+(?P<span>\S.*))?"),
        ("free", r"(?:(?:when\s+)?am\s+i\s+free|(?:find\s+|show\s+)?(?:me\s+|my\s+)?free\s+time|do\s+i\s+have\s+time)"
                 r"(?:\s+(?P<span>\S.*?))??(?:\s+(?:(?:in\s+the|this)\s+)?(?P<part>morning|afternoon|evening))?"),
        ("conflicts", r"(?:(?:any|show|list|find|check)\s+)?(?:(?:for|me|my|the|any)\s+)*(?:calendar\s+)?"
                      r"(?:conflicts|overlaps|clashes)(?:\s+in\s+my\s+calendar)?(?:\s+(?P<span>\S.*))?"),
        ("search_notes", r"(?:search|find|look\s+(?:up|for)|show)\s+(?:in\s+)?(?:my\s+|the\s+)?notes?"
                         r"(?:\s+(?:for|about|on|with))?\s+(?P<query>.+)"),
        ("brief", r"(?:brief\s+me\s+(?:on|about)|(?:prepare\s+|make\s+|get\s+me\s+)?(?:a\s+)?brief(?:ing)?\s+"
                  r"(?:on|about|for)|prepare\s+me\s+for)\s+(?P<topic>.+)"),
        ("summarise", r"(?:summari[sz]e|sum\s+up)\s+(?:the\s+)?(?:mails?\s+(?:about|on|from)\s+)?(?P<query>.+)"),
        ("agenda", r"(?:what(?:'?s|\s+is|\s+was)\s+(?:on|happening|up)(?:\s+(?:my|the)\s+(?:calendar|agenda|schedule))?"
                   r"|what\s+(?:do|have)\s+i(?:\s+have|\s+got)?(?:\s+on)?|(?:show\s+(?:me\s+)?)?(?:my\s+|the\s+)?"
                   r"(?:agenda|calendar|schedule|meetings|appointments))"
                   r"(?:\s+(?P<span>\S.*))?"),
        ("links", r"(?:(?:what(?:'?s|\s+is|\s+are)|show(?:\s+me)?|give\s+me)\s+)?(?:(?:the|my)\s+)?"
                  r"(?:join|meeting|call|video|conference)\s+links?(?:\s+(?:(?:for|of|on)\s+)?(?P<span>\S.*))?"),
        ("note", r"(?:(?:take|make|add)\s+a\s+)?note(?:\s+that|\s+down|\s*:)?\s+(?P<text>.+)"),
        ("move_event", r"(?:move|reschedule|shift)\s+(?P<which>all\s+(?:times\s+)?(?:of\s+)?)?(?:the\s+|my\s+)?"
                       r"(?P<event>\S.*?)(?:\s+(?:on|from)\s+(?P<day>\S.*?))?\s+to\s+(?P<start>\S.*)"),
        ("rename_event", r"rename\s+(?P<which>all\s+(?:times\s+)?(?:of\s+)?)?(?:the\s+|my\s+)?(?P<event>\S.*?)"
                         r"\s+to\s+(?P<title>\S.*)"),
        ("cancel_event", r"(?:cancel|delete|remove)\s+(?P<which>all(?:\s+times)?\s+of|the\s+rest\s+of)?\s*"
                         r"(?:the\s+|my\s+)?(?P<event>\S.*?)(?:\s+(?:on|from)\s+(?P<day>\S.*))?"),
        ("list_todos", r"(?:(?:list|show)(?:\s+me)?\s+)?(?:(?:all|my|the|open)\s+)*(?:to-?dos?|tasks)(?:\s+list)?"),
        ("complete_todo", r"(?:(?:i\s+am\s+|i'm\s+)?done\s+with|check\s+off|tick\s+off|complete)\s+(?:the\s+|my\s+)?"
                          r"(?:to-?do\s+)?(?P<todo>\S.*)"),
        ("complete_todo", r"mark\s+(?:the\s+|my\s+)?(?:to-?do\s+)?(?P<todo>\S.*?)\s+(?:as\s+)?done"),
        ("reopen_todo", r"(?:reopen|re-open)\s+(?:the\s+|my\s+)?(?:to-?do\s+)?(?P<todo>\S.*)"),
        ("propose_time", r"propose\s+(?P<propose>\S.*?)\s+(?:for|instead\s+(?:of|for))\s+(?:the\s+)?"
                         r"(?P<which>\S.*?)(?:\s+on\s+(?P<day>\S.*))?"),
        ("answer_invitation", r"(?:(?:please\s+)?(?P<answer>accept|decline|(?:tentatively\s+accept|maybe)))\s+"
                              r"(?:the\s+|my\s+|this\s+)?(?:invitation|invite|meeting\s+request)"
                              r"(?:\s+(?:to|from|of|for|by)\s+(?:the\s+)?(?P<which>\S.*?))?"
                              r"(?:\s+on\s+(?P<day>\S.*))?"),
        ("answer_invitation", r"(?P<answer>accept|decline|tentatively\s+accept)\s+"
                              r"(?P<all>all\s+(?:times\s+)?of\s+)?(?:the\s+|my\s+)?(?P<which>\S.*?)"
                              r"(?:\s+on\s+(?P<day>\S.*))?"),
        ("add_event", r"(?:add|schedule|plan)\s+(?:an?\s+|the\s+)?(?:event:?\s+)?(?P<rest>\S.*)"),
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
LONGEST: Final = 8000  # maximum characters of an order
_WIDEST: Final = 40  # maximum blanks in a row: patterns scan a run of them once per blank
_BLANKS: Final = re.compile(rf"[^\S\n]{{{_WIDEST},}}")
_WRITTEN: Final = ("send", "reply", "reply_all", "reply_list", "forward", "note", "use")
_ANSWERING: Final = ("answer_invitation", "propose_time")
_LOOK: Final = ("agenda", "free", "conflicts", "links")
MOST_DAYS: Final = 92
"""That the calendar's tools look at in one piece."""
_LINK: Final = re.compile(r"(?:to|that|about|of|daran,?(?:\s+dass)?|an|zu|dass)\b[,:]?\s*|[:,]\s*", re.IGNORECASE)
_PLACE: Final = re.compile(r"(?:@|at|in)\s+(?P<place>[^\d\s].*)", re.IGNORECASE)
_JOINED: Final = re.compile(r"(?P<before>.+?)[\s,]+(?P<link>and|or|und|oder)(?:\s+(?:again|wieder))?", re.I | re.S)
_RIVAL: Final = re.compile(
    r"(?P<link>and|or|und|oder|&)\b\s*(?P<number>\d{1,2}\b)?|(?P<alone>\d\S*)(?=\s+(?:to|that|about|an|zu|dass)\b)",
    re.IGNORECASE,
)
"""Words after a time that make a second time: joined to it, or a number that the time does not include."""
_BOUND: Final = re.compile(
    r"(?P<before>.+?)[\s,]+"
    r"(?P<word>(?:(?:not|no|nicht|sometime|irgendwann)\s+)?"
    r"(?:before|after|until|till|since|from|(?:later|earlier|sooner)\s+than|vor|(?:später|früher)\s+als))",
    re.IGNORECASE | re.DOTALL,
)
"""A text that ends with a word that turns the time after it into a limit."""
_OF_TIME: Final = re.compile(
    r"\b(?:(?:before|after|since|from|vor|nach|seit)\s+)?(?:every|each|next|this|on|at|in|until|tomorrow|today|tonight|daily|weekly|monthly|jede[nrs]?|alle|am|um|morgen|heute)\b",
    re.IGNORECASE,
)


def parse(text: str, locale: str = "en") -> Command:
    """Return the command in ``text``.

    Its kind is ``unknown`` if no pattern takes the whole of it, ``too_long`` beyond ``LONGEST``. Times in it are found
    by the reader of times in words: call it in a thread.
    """
    said = _BLANKS.sub(" " * _WIDEST, text.strip())
    if len(said) > LONGEST:
        return Command("too_long")
    while polite := _POLITE.match(said):
        said = said[polite.end() :].lstrip()
    bare = said.rstrip(" \t\n.!?")
    if order := read_order(bare, locale):
        says = json.dumps(order.says) if order.says else ""
        values = {"rule": order.rule, "says": says, "thing": order.thing, "why": order.why}
        return Command(order.kind, {key: value for key, value in values.items() if value})
    plain, at_server = asks_server(bare)
    if query := mail_query(plain, locale):
        return Command("search_mail", {"query": query, **({"server": "yes"} if at_server else {})})
    for kind, pattern in _PATTERNS:
        # what a person writes into a mail or a note keeps its full stop
        subject = said if kind in _WRITTEN else (bare or said)
        match = pattern.fullmatch(subject)
        if match is None:
            continue
        values = {k: v.strip() for k, v in match.groupdict().items() if v}
        if kind == "remind":
            command = _reminder(values.get("before", ""), values.get("rest", ""), locale)
        elif kind == "add_event":
            command = _event(values["rest"], locale)
        elif kind == "free_with":
            command = free_with(values, locale)
        elif kind in _ANSWERING and "day" in values and not _is_day(values["day"], locale):
            which = " on ".join(filter(None, (values.get("which"), values.pop("day"))))
            command = Command(kind, {**values, "which": which})
        elif kind in _LOOK and "span" in values and not names_days(values["span"], locale):
            continue
        else:
            command = Command(kind, values)
        if command is not None:
            return command
    return Command("agenda", {"span": bare}) if names_days(bare, locale, bare=True) else Command("unknown")


def _reminder(before: str, rest: str, locale: str) -> Command | None:
    """Return a reminder: its text, and its time in the user's words; anything but a time is left for other patterns."""
    if before:
        return Command("remind", {"text": _linked(rest), "when": before}) if is_time(before, locale) and rest else None
    lead = None if _LINK.match(rest) else leading_time(rest, locale)
    if lead is not None:
        text, when = _linked(lead.after), lead.time
        if rival := _RIVAL.match(lead.after):
            other = rival["alone"] or opening_time(lead.after[rival.end("link") :].strip(), locale) or rival["number"]
            if other:  # the reader refuses both, and says so
                return Command("remind", {"text": text, "when": f"{lead.time} {rival['link'] or ''} {other}"})
        more = trailing_time(text, locale)
        if more is not None and is_time(f"{when} {more.time}", locale):
            text, when = more.before, f"{when} {more.time}"
        return Command("remind", {"text": text, "when": when})
    text = _linked(rest)
    if trail := _trailing(text, locale):
        return Command("remind", {"text": trail.before, "when": trail.time})
    if is_time(text, locale):
        return Command("remind_without_text", {"when": text})
    said = _OF_TIME.search(text)
    return Command("remind_without_time", {"text": text, "said": text[said.start() :]} if said else {"text": text})


def _is_day(words: str, locale: str) -> bool:
    return names_days(words, locale) or is_time(words, locale)


def _event(rest: str, locale: str) -> Command | None:
    found = _trailing(rest, locale, _PLACE)
    if found is None:
        return None
    place = _PLACE.fullmatch(found.after)
    values = {"text": found.before, "when": found.time, "place": place["place"] if place else ""}
    return Command("add_event", {key: value for key, value in values.items() if value})


def _trailing(text: str, locale: str, after: re.Pattern[str] | None = None) -> Within | None:
    """Return the time that ``text`` ends with.

    It includes what makes a reader refuse it: another time joined to it, or the word that makes it a limit.
    """
    found = trailing_time(text, locale, after)
    joined = _JOINED.fullmatch(found.before) if found else None
    if found and joined and (more := trailing_time(joined["before"], locale)):
        return Within(more.before, f"{more.time} {joined['link']} {found.time}", found.after)
    if found and (bound := _BOUND.fullmatch(found.before)):
        return Within(bound["before"], f"{bound['word']} {found.time}", found.after)
    return found


def _linked(text: str) -> str:
    """Return ``text`` without the word that links it to a time or an order."""
    found = _LINK.match(text)
    return text[found.end() :] if found else text


def arguments_of(words: str) -> dict[str, Any]:
    """Return the arguments that ``words`` spell: a JSON object, or ``key=value`` pairs separated by commas."""
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


def agenda_span(words: str, today: date, locale: str = "en") -> tuple[str, int] | None:
    """Return what to ask the calendar for, and for how many days; ``None`` if ``words`` name no day.

    That is the first day (``today`` or an ISO date), or ``words`` themselves where the days are not in one piece.
    """
    found = spans_said(words or "today", today, locale)
    if not found:
        return None
    first, days = found[0]
    if len(found) > 1 or days > MOST_DAYS:
        return words, 1
    return "today" if first == today else first.isoformat(), days
