"""Standing orders, read without a model: "always tell me when Nora writes", "stop watching invoices".

``read`` turns one message into an ``Order``: the kind, the words that name a rule, or what a new rule says, as
arguments of the tool ``propose_rule``. A sender stays the name that was typed: the tool resolves it. An order with a
part that is not understood is refused whole, in words that name the part; a message that does not look like an order is
none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from pepper_tui.clock.words import one_time
from pepper_tui.llm.offline.rule_at_times import at_a_time
from pepper_tui.llm.offline.rule_conditions import (
    MAIL,
    Doubt,
    bare_words,
    condition,
    limits,
    other_number,
    parted,
    person,
    wanted_words,
)
from pepper_tui.llm.offline.rule_targets import NAMED, TELL, WHEN, Kind, patterns, target


@dataclass(frozen=True, slots=True)
class Order:
    """A standing order.

    ``rule``: the words for the rule that is meant; ``says``: what a new one says; ``thing``: what is to be watched, if
    it may be a name as well as a word; ``why``: why an order was not understood.
    """

    kind: Kind
    rule: str = ""
    says: dict[str, Any] = field(default_factory=dict)
    thing: str = ""
    why: str = ""


_I: Final = re.IGNORECASE | re.DOTALL
_LONGEST: Final = 300
_LEAD: Final = re.compile(
    r"(?:(?:from\s+now\s+on|from\s+today\s+on|starting\s+now|always|in\s+(?:the\s+)?future)[,:]?\s+)+(?:please\s+)?", _I
)
_URGENT: Final = r"(?:\s+(?:at\s+once|immediately|right\s+away|urgently))"
_TEMPLATE: Final = r"(?:the\s+|my\s+)?(?:template\s+)?(?P<template>\"[^\"]+\"|'[^']+'|[\w-]+)(?:\s+template)?"
_WITH: Final = r"(?:with|from|using|by)"
_REPLY: Final = r"(?:(?:an?|the)\s+)?(?:repl(?:y|ies)|answers?|responses?)"
_COUNTS: Final = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "ten": 10}
_HOURS: Final = {"h": 1, "d": 24, "w": 168}
_EVENTS: Final = frozenset({"meeting", "event", "call", "appointment"})


def read(text: str, locale: str = "en") -> Order | None:
    """Return the order in ``text``, or ``None``. Times in it are read as elsewhere: call it in a thread."""
    said = " ".join(text.replace("’", "'").replace("“", '"').replace("”", '"').split())
    said = re.sub(r"(?:[,\s]+please|,\s*(?:thanks|thank\s+you))$", "", said.rstrip(" .!?"), flags=re.I).rstrip(" .!?")
    if not said or len(said) > _LONGEST:
        return None
    for kind, forms in NAMED.items():
        for pattern in forms:
            if found := pattern.fullmatch(said):
                words = found.groupdict().get("rule") or ""
                return Order(kind, target(words)) if words or kind == "rules" else None
    lead = _LEAD.match(said)
    rest = said[lead.end() :] if lead else said
    try:
        at_times = partial(at_a_time, locale=locale)
        for reader in (_before_events, _follow_up, _tell_when, at_times, _draft, _remind, _tell_about, _watch):
            if says := reader(rest, lead is not None):
                return Order("new_rule", says=says, thing=_thing(rest, says))
        when = _TELLS_WHEN.match(rest)
        if lead or when or _AN_ORDER.fullmatch(rest):
            limits(rest)
            return Order("rule_unclear", why=str(Doubt(rest[when.end() :] if when else rest)))
    except Doubt as doubt:
        return Order("rule_unclear", why=str(doubt))
    return None


_AN_ORDER: Final = re.compile(
    r"(?!.*\bremind\s+me\b)(?:(?:every|each)\s.*\b(?:tell|brief|show|give|notify|alert|draft|sum|check)\b.*"
    r"|(?:before|ahead\s+of)\s+(?:each|every|all)\s.*"
    r"|(?:brief|prepare|tell|notify|alert|warn)\s+me\b.*\b(?:before|ahead\s+of)\s+(?:each|every|all)\s.*"
    rf"|{TELL}\s+only\s+{WHEN}\s.*|{WHEN}\s[^,]+,.*\b{TELL}\b.*)|remind\s+me\s.*\babout\s+(?:every|each|all)\s+{MAIL}\b.*",
    _I,
)
"""What can only be a standing order, even if it is not understood."""


def _thing(said: str, says: dict[str, Any]) -> str:
    """Return the bare words to search for, if nothing says whether they are words or a name."""
    if "sender" in says or '"' in said or not says.get("notify") or not says.get("words"):
        return ""
    word = str(says["words"][0])
    for pattern in (*_WATCH, _TELLS_ABOUT):
        found = pattern.fullmatch(said)
        if found and bare_words(found.groupdict().get("what") or found.groupdict().get("cond") or "") == word:
            return word
    return ""


# ------------------------------------------------------------------------------------------ what it does then

_TELLS: Final = patterns(
    rf"{TELL}(?P<urgent>{_URGENT})?\s+(?:{WHEN}|that)\s+(?P<cond>.+?)(?P<later>{_URGENT})?",
    rf"{WHEN}\s+(?P<cond>.+?),?\s+(?:then\s+)?(?:always\s+)?{TELL}(?P<urgent>{_URGENT})?",
)
_TELLS_ABOUT: Final = re.compile(rf"{TELL}(?P<urgent>{_URGENT})?\s+(?:about|of|on)\s+(?P<cond>.+)", _I)
_EVERY_MAIL: Final = re.compile(rf"(?:every|each|all|any|new)\s+{MAIL}\b.*|{MAIL}\s+(?:from|about|with|that)\b.*", _I)


_TELLS_WHEN: Final = re.compile(rf"{TELL}(?:{_URGENT})?\s+{WHEN}\b", _I)


def _tell_when(said: str, lead: bool) -> dict[str, Any] | None:
    del lead
    for pattern in _TELLS:
        found = pattern.fullmatch(said)
        says = condition(found["cond"]) if found else None
        if found and says:
            urgent = found["urgent"] or found.groupdict().get("later")
            return {**says, "notify": True, **({"priority": "urgent"} if urgent else {})}
    return None


def _tell_about(said: str, lead: bool) -> dict[str, Any] | None:
    found = _TELLS_ABOUT.fullmatch(said)
    if found and (lead or _EVERY_MAIL.fullmatch(found["cond"])):
        says = _sought(found["cond"]) if lead else condition(found["cond"])
        if says:
            return {**says, "notify": True, **({"priority": "urgent"} if found["urgent"] else {})}
    return None


_FROM: Final = re.compile(r"(?!.*\bmails?\b)(?P<what>\S.*?)\s+from\s+(?P<who>[^\"]+)", _I)


def _sought(words: str) -> dict[str, Any] | None:
    """Return a condition on what is to be watched: "invoices from Dana", a clause, or bare words."""
    sent = _FROM.fullmatch(words)
    says = condition(f"mail about {sent['what']} from {sent['who']}") if sent else None
    return says or condition(words) or _of_words(words)


def _of_words(words: str) -> dict[str, Any] | None:
    """Return a condition of bare words: an address, a sender, or words to search for."""
    bare = bare_words(words)
    if re.fullmatch(r"\S+@\S+\.\w+", bare):
        return {"source": "mail", "sender": [bare], "name": bare[:60]}
    wanted = wanted_words(words)
    return {"source": "mail", "words": wanted, "name": bare[:60]} if wanted else None


_WATCH: Final = patterns(
    r"(?:watch|monitor)(?:\s+(?:out\s+)?for)?\s+(?P<what>.+)",
    r"keep\s+an\s+eye\s+(?:out\s+)?(?:on|for)\s+(?P<what>.+)",
    r"(?:look|watch)\s+out\s+for\s+(?P<what>.+)",
)


def _watch(said: str, lead: bool) -> dict[str, Any] | None:
    del lead
    for pattern in _WATCH:
        if found := pattern.fullmatch(said):
            says = _sought(found["what"])
            return {**says, "notify": True} if says else None
    return None


_DRAFTS: Final = patterns(
    rf"(?:draft|prepare|write|propose)\s+(?:me\s+)?{_REPLY}\s+{_WITH}\s+{_TEMPLATE}\s+(?:to|for|{WHEN})\s+(?P<cond>.+)",
    rf"(?:draft|prepare|write|propose)\s+(?:me\s+)?{_REPLY}\s+(?:to|for|{WHEN})\s+(?P<cond>.+)\s+{_WITH}\s+{_TEMPLATE}",
    rf"(?:answer|reply(?:\s+to)?|respond\s+to)\s+(?P<cond>.+)\s+{_WITH}\s+{_TEMPLATE}",
    rf"{WHEN}\s+(?P<cond>.+?),?\s+(?:then\s+)?(?:draft|prepare|write|propose)\s+(?:me\s+)?{_REPLY}\s+{_WITH}\s+{_TEMPLATE}",
)


def _draft(said: str, lead: bool) -> dict[str, Any] | None:
    if not lead and not re.match(rf"{WHEN}\s", said, _I):
        return None
    for pattern in _DRAFTS:
        found = pattern.fullmatch(said)
        says = condition(found["cond"]) if found else None
        if found and says:
            name = f"reply to {says['name']}"[:60]
            return {**says, "name": name, "draft": found["template"].strip("'\"")}
    return None


_REMINDS: Final = re.compile(
    rf"remind\s+me\s+(?P<when>.+?)\s+(?:about|of|to\s+(?:answer|read))\s+(?P<cond>(?:every|each|all|any)\s+{MAIL}\b.+)",
    _I,
)


def _remind(said: str, lead: bool) -> dict[str, Any] | None:
    del lead
    found = _REMINDS.fullmatch(said)
    says = condition(found["cond"]) if found else None
    if not found or not says:
        return None
    try:
        one_time(found["when"])
    except ValueError as error:
        raise Doubt(found["when"], str(error)) from error
    return {**says, "name": f"remind of {says['name']}"[:60], "remind": found["when"]}


_NO_ANSWER: Final = (
    r"(?:does\s+not|doesn't|do\s+not|don't|did\s+not|didn't|has\s+not|hasn't|have\s+not|haven't)\s+"
    r"(?:answer(?:ed)?|repl(?:y|ied)|respond(?:ed)?|written(?:\s+back)?|got\s+back)(?:\s+(?:to\s+)?me)?"
)
_WITHIN: Final = (
    r"\s+(?:within|in|after|for)\s+(?P<count>\d+|an?|one|two|three|four|five|ten)\s+(?P<unit>hour|day|week)s?"
)
_FOLLOWS: Final = patterns(
    rf"(?:follow\s+up|{TELL})\s+(?:when|if)\s+(?P<who>.+?)\s+{_NO_ANSWER}{_WITHIN}",
    rf"follow\s+up\s+(?!when\b|if\b)(?:on\s+)?(?:with\s+)?(?:{MAIL}\s+from\s+)?(?P<who>.+?){_WITHIN}",
)
_NOT_ANSWERED: Final = patterns(
    rf"(?:follow\s+up|{TELL})\s+(?:when|if)\s+(?P<part>(?:nobody|no\s*one)\s+(?:has\s+)?(?:answer|repl|respond).*)",
    rf"follow\s+up\s+(?:on\s+)?(?P<part>{MAIL}\s+to\s+.*)",
    rf"(?:follow\s+up|{TELL})\s+(?:when|if)\s+.+?\s+(?P<part>{_NO_ANSWER}\b.*)",
    r"follow\s+up\s+(?P<part>(?:when|if)\b.*)",
)
_FOLLOW_HINT: Final = (
    "a follow-up waits for the next answer of the one who wrote, so say it like this: follow up when Dana doesn't "
    "answer within 2 days"
)


def _follow_up(said: str, lead: bool) -> dict[str, Any] | None:
    del lead
    for pattern in _FOLLOWS:
        found = pattern.fullmatch(said)
        if not found or re.fullmatch(r"nobody|no\s*one", found["who"], re.I):
            continue
        people = [person(each) for each in parted(found["who"])]
        if people and all(people):
            count = _COUNTS.get(found["count"].lower()) or int(found["count"])
            hours = float(count * _HOURS[found["unit"][0].lower()])
            name = f"follow up {' or '.join(people)}"[:60]
            return {"source": "mail", "sender": people, "name": name, "follow_up_hours": hours}
    for pattern in _NOT_ANSWERED:
        if found := pattern.fullmatch(said):
            raise Doubt(found["part"], _FOLLOW_HINT)
    return None


_EACH: Final = (
    r"(?:each|every|all|any|my)(?:\s+(?:of\s+)?(?:my|the))?\s+(?P<noun>[\w-]+)(?:\s+(?:with|about|on)\s+(?P<what>.+?))?"
)
_MINUTES: Final = r"(?P<count>\d{1,3}|an?|half\s+an)\s*(?P<unit>m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?)"
_ACT: Final = r"(?P<act>(?:brief|prepare|tell|notify|alert|warn)\s+me|give\s+me\s+a\s+brief(?:ing)?|let\s+me\s+know)"
_BEFORE: Final = patterns(
    rf"(?:before|ahead\s+of)\s+{_EACH},?\s+{_ACT}(?:\s+{_MINUTES}(?:\s+(?:before|earlier|ahead|in\s+advance))?)?",
    rf"{_ACT}(?:\s+{_MINUTES})?\s+(?:before|ahead\s+of)\s+{_EACH}",
    rf"{_MINUTES}\s+(?:before|ahead\s+of)\s+{_EACH},?\s+{_ACT}",
)
_USUAL_MINUTES: Final = 15


def _named_in(words: str) -> list[str]:
    """Return the words that an event must contain. A name has no plural, so only the words as they stand."""
    try:
        wanted = wanted_words(words)
    except Doubt as doubt:
        raise Doubt(doubt.part, "a rule about events holds for each of them, on all days") from doubt
    return wanted if re.search(r"[\"']", words) else [bare_words(part) for part in parted(words)]


def _before_events(said: str, lead: bool) -> dict[str, Any] | None:
    del lead
    for pattern in _BEFORE:
        found = pattern.fullmatch(said)
        if not found:
            continue
        minutes = _USUAL_MINUTES
        if found["count"]:
            count = {"a": 1.0, "an": 1.0}.get(found["count"].lower())
            count = 0.5 if found["count"].lower().startswith("half") else count or float(found["count"])
            minutes = round(count * (60 if found["unit"][0].lower() == "h" else 1))
        noun = found["noun"]
        single = other_number(noun) if noun.lower().endswith("s") else noun
        wanted = _named_in(found["what"]) if found["what"] else []
        if single.lower() not in _EVENTS:
            wanted = wanted or [single]
        named = f": {', '.join(wanted)}" if found["what"] else ""
        says: dict[str, Any] = {"source": "calendar", "name": f"before {noun}{named}"[:60]}
        if wanted:
            says["words"] = wanted
        brief = found["act"].lower().startswith(("brief", "prepare", "give"))
        return {**says, "brief_minutes": minutes} if brief else {**says, "before": minutes, "notify": True}
    return None
