"""What a person orders for good, read without a model: "always tell me when Nora writes", "stop watching invoices".

``read`` makes of one message an ``Order``: the kind, the words that name a rule, or what a new rule says, by the
arguments of the tool ``propose_rule``. A sender stays the name that was typed: the tool looks up whom it means. What is
not understood whole is no order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from pepper_tui.llm.rule_times import Rhythm, rhythm_of

Kind = Literal["rules", "rule", "new_rule", "pause_rule", "resume_rule", "remove_rule"]


@dataclass(frozen=True, slots=True)
class Order:
    """``rule``: the words for the rule that is meant; ``says``: what a new one says."""

    kind: Kind
    rule: str = ""
    says: dict[str, Any] = field(default_factory=dict)


_I: Final = re.IGNORECASE | re.DOTALL
_LONGEST: Final = 300
_LEAD: Final = re.compile(
    r"(?:(?:from\s+now\s+on|from\s+today\s+on|starting\s+now|always|in\s+(?:the\s+)?future)[,:]?\s+)+(?:please\s+)?", _I
)
_WHEN: Final = r"(?:when(?:ever)?|if|as\s+soon\s+as|once|(?:each|every)\s+time)"
_TELL: Final = r"(?:(?:tell|notify|alert|inform|warn|ping)\s+me|let\s+me\s+know|i\s+want\s+to\s+(?:know|hear))"
_URGENT: Final = r"(?:\s+(?:at\s+once|immediately|right\s+away|urgently))"
_MAIL: Final = r"(?:(?:an?|any|every|each|all|new|the|some|my)\s+)*(?:e-?mails?|mails?|messages?)"
_COMES: Final = r"(?:\s+(?:comes?|arrives?|is\s+there)(?:\s+in)?)"
_SOMEBODY: Final = r"(?:some(?:body|one)|any(?:body|one)|people|who(?:ever)?)"
_SAYS: Final = (
    r"(?:says?|mentions?|contains?|has|have|includes?|is\s+about|are\s+about|about|with|regarding|concerning|on"
    r"|saying|mentioning|containing|that\s+(?:says?|mentions?|contains?|has|have)|for)"
)
_IN_IT: Final = r"(?:\s+in\s+(?:it|them|the\s+(?:subject|text|body|mail)))?"
_TEMPLATE: Final = r"(?:the\s+|my\s+)?(?:template\s+)?(?P<template>\"[^\"]+\"|'[^']+'|[\w-]+)(?:\s+template)?"
_WITH: Final = r"(?:with|from|using|by)"
_REPLY: Final = r"(?:(?:an?|the)\s+)?(?:repl(?:y|ies)|answers?|responses?)"
_NOBODY: Final = frozenset(
    {
        "it",
        "he",
        "she",
        "they",
        "you",
        "i",
        "we",
        "that",
        "this",
        "there",
        "something",
        "anything",
        "nothing",
        "me",
        "mail",
    }
)
_COUNTS: Final = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "ten": 10}
_HOURS: Final = {"h": 1, "d": 24, "w": 168}
_EVENTS: Final = frozenset({"meeting", "event", "call", "appointment"})

_CONDITIONS: Final = tuple(
    re.compile(pattern, _I)
    for pattern in (
        rf"(?:there\s+is\s+|i\s+(?:get|receive)\s+)?{_MAIL}{_COMES}?\s+(?:from|by)\s+(?P<who>.+?){_COMES}?"
        rf"(?:\s+{_SAYS}\s+(?P<what>.+?){_IN_IT})?{_COMES}?",
        rf"(?:there\s+is\s+|i\s+(?:get|receive)\s+)?{_MAIL}{_COMES}?\s+{_SAYS}\s+(?P<what>.+?){_IN_IT}{_COMES}?"
        rf"(?:\s+from\s+(?P<who>.+?))?{_COMES}?",
        rf"{_SOMEBODY}\s+(?:(?:that|whom?)\s+)?(?P<known>i\s+know)\s+(?:writes?|mails?)(?:\s+me)?"
        rf"(?:\s+{_SAYS}\s+(?P<what>.+?))?",
        rf"(?:{_SOMEBODY}|(?P<who>.+?))\s+(?P<question>asks?\s+me(?:\s+(?:something|anything|a\s+question))?)",
        rf"{_SOMEBODY}\s+(?:at|from)\s+(?P<who>@?[\w-]+(?:\.[\w-]+)+)\s+(?:writes?|mails?)(?:\s+me)?",
        rf"{_SOMEBODY}\s+(?:writes?|mails?|asks?|talks?|mentions?)(?:\s+me)?(?:\s+(?:about|for|of))?\s+(?P<what>.+?)",
        r"(?P<who>.+?)\s+(?:writes?|(?:e-?)?mails?|answers?|replies|reply|responds?|messages?"
        r"|sends?(?:\s+me)?\s+(?:an?\s+)?(?:new\s+)?(?:e-?mails?|mails?|messages?|something|anything))"
        rf"(?:\s+(?:to\s+)?me)?(?:\s+(?:back|again|an?\s+mail))?(?:\s+{_SAYS}\s+(?P<what>.+?){_IN_IT})?",
        r"(?:the\s+words?\s+)?(?P<what>.+?)\s+(?:is|are|gets?)\s+mentioned",
    )
)


def read(text: str) -> Order | None:
    """The order that ``text`` is, or ``None``."""
    said = " ".join(text.replace("’", "'").replace("“", '"').replace("”", '"').split())
    said = re.sub(r"(?:[,\s]+please|,\s*(?:thanks|thank\s+you))$", "", said.rstrip(" .!?"), flags=re.I).rstrip(" .!?")
    if not said or len(said) > _LONGEST:
        return None
    for kind, patterns in _NAMED.items():
        for pattern in patterns:
            if found := pattern.fullmatch(said):
                words = found.groupdict().get("rule") or ""
                return Order(kind, _target(words)) if words or kind == "rules" else None
    lead = _LEAD.match(said)
    rest = said[lead.end() :] if lead else said
    for reader in (_before_events, _timed, _follow_up, _draft, _remind, _tell, _watch):
        if says := reader(rest, lead is not None):
            return Order("new_rule", says=says)
    return None


# ------------------------------------------------------------------------------------------ rules that are there

_RULE: Final = r"(?:rules?|watch(?:es)?)"
_THE: Final = r"(?:(?:the|my|your)\s+)?"
_X: Final = r"(?P<rule>\S.*?)"
_LATER: Final = r"(?:\s+(?:any\s*more|any\s+longer|again|now|for\s+now))*"
_ABOUT: Final = rf"(?:\s+(?:{_WHEN}|about|of|on|with|for))?"


def _all(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, _I) for pattern in patterns)


def _of_rule(verbs: str, bare: str = "") -> tuple[str, ...]:
    """Patterns for ``verbs`` on a named rule; ``bare`` verbs need no word for "rule"."""
    named = (rf"(?:{verbs})\s+{_THE}{_RULE}:?\s+{_X}{_LATER}", rf"(?:{verbs})\s+{_THE}{_X}\s+{_RULE}{_LATER}")
    return (*named, rf"(?:{bare})\s+{_THE}{_X}{_LATER}") if bare else named


_NAMED: Final[dict[Kind, tuple[re.Pattern[str], ...]]] = {
    "rules": _all(
        rf"(?:(?:list|show|what\s+are|which|see)(?:\s+(?:me|all|my|the|your|of))*\s+)?{_THE}(?:rules|watches)",
        r"(?:which|what)\s+(?:rules|watches)\s+(?:do\s+i\s+have|are\s+there|have\s+i(?:\s+got)?)",
        r"what\s+(?:do|are)\s+you\s+watch(?:ing)?(?:\s+for)?(?:\s+me)?",
    ),
    "resume_rule": _all(
        *_of_rule(
            r"resume|unpause|unmute|continue|enable|restart|reactivate|(?:turn|switch)\s+on", "resume|unpause|unmute"
        ),
        rf"(?:watch|monitor)(?:\s+(?:out\s+)?for)?\s+{_X}\s+again",
        rf"{_TELL}{_ABOUT}\s+{_X}\s+again",
        rf"start\s+watching(?:\s+for)?\s+{_X}\s+again",
    ),
    "pause_rule": _all(
        *_of_rule(
            r"pause|mute|silence|suspend|disable|stop|(?:turn|switch)\s+off", "pause|mute|silence|suspend"
        ),
        rf"(?:stop|quit)\s+(?:watching|monitoring|tracking|looking)(?:\s+(?:out\s+)?for)?\s+{_X}{_LATER}",
        rf"(?:stop|quit)\s+(?:telling|notifying|alerting|informing|warning|briefing|bothering)\s+me{_ABOUT}\s+{_X}{_LATER}",
        rf"(?:do\s+not|don'?t|never)\s+(?:watch|(?:tell|notify|alert|inform|warn|brief|bother)\s+me){_ABOUT}\s+{_X}{_LATER}",
        rf"(?:i\s+)?(?:do\s+not|don'?t)\s+want\s+to\s+(?:hear|know){_ABOUT}\s+{_X}{_LATER}",
    ),
    "remove_rule": _all(*_of_rule(r"remove|delete|forget|drop|cancel")),
    "rule": _all(*_of_rule(r"show(?:\s+me)?|explain|what\s+does")),
}  # fmt: skip


def _target(words: str) -> str:
    """The words that name a rule: without what a sentence puts around them."""
    condition = _condition(words)
    if condition:
        return str(condition["name"])
    bare = _bare(re.sub(r"^(?:rule|watch)\s+", "", words, flags=re.I))
    return re.sub(rf"^{_MAIL}\s+(?:from|about|by)\s+", "", bare, flags=re.I)


# ------------------------------------------------------------------------------------------ what a rule looks for


def _condition(words: str) -> dict[str, Any] | None:
    """What mail is meant by a clause: ``source``, ``sender``, ``words``, ``known``, ``question``, and a ``name``."""
    for pattern in _CONDITIONS:
        found = pattern.fullmatch(words.strip())
        if not found:
            continue
        given = {key: value for key, value in found.groupdict().items() if value}
        says: dict[str, Any] = {"source": "mail"}
        names = []
        if "who" in given:
            people = [_person(each) for each in _parted(given["who"])]
            if not people or not all(people):
                continue
            says["sender"] = people
            names.append(" or ".join(people))
        if "known" in given:
            says["known"] = True
            names.append("people I know")
        if "question" in given:
            says["question"] = True
            names.append("questions")
        if "what" in given:
            wanted = _wanted(given["what"])
            if not wanted:
                continue
            says["words"] = wanted
            names.append(_bare(given["what"]))
        if len(says) > 1:
            return {**says, "name": ": ".join(names)[:60]}
    return None


def _person(words: str) -> str:
    """A name or address; empty where the words are none."""
    bare = re.sub(r"^(?:my|the|mr|mrs|ms|dr)\.?\s+", "", words.strip(" '\""), flags=re.I).rstrip(",;")
    if bare.lower() in _NOBODY or len(bare) > 60 or len(bare.split()) > 4 or not re.search(r"\w", bare):
        return ""
    if re.fullmatch(rf"{_SOMEBODY}(?:\s.*)?", bare, _I) or re.match(r"(?:an?|any|every|each|all|no)\s", bare, re.I):
        return ""
    if re.fullmatch(r"[\w-]+(?:\.[\w-]+)+", bare) and not bare.endswith("."):
        return f"@{bare.lower()}"  # a domain
    return bare


def _parted(words: str) -> list[str]:
    """The alternatives that stand in ``words``."""
    return [part for part in re.split(r"\s*(?:,\s*(?:or|and)?|\bor\b|\band\b)\s+", words, flags=re.I) if part.strip()]


def _bare(words: str) -> str:
    return re.sub(r"^(?:(?:the|an?|any|my|all|every|words?)\s+)+", "", words.strip(" '\""), flags=re.I).strip(" '\"")


def _wanted(words: str) -> list[str]:
    """The words to look for. What stands in quotes is taken to the letter; else a plural means its singular too."""
    quoted = [one or other for one, other in re.findall(r"\"([^\"]+)\"|(?<!\w)'([^']+)'(?!\w)", words)]
    if quoted:
        return quoted
    found: dict[str, None] = {}
    for part in _parted(words):
        bare = _bare(part)
        if not bare or len(bare) > 60 or len(bare.split()) > 6 or bare.lower() in _NOBODY:
            return []
        found.update(dict.fromkeys((bare, other_number(bare))))
    return list(found)


def other_number(words: str) -> str:
    """The plural of a singular, or the singular of a plural, by the common endings."""
    low = words.lower()
    if low.endswith("ies") and len(low) > 4:
        return words[:-3] + "y"
    if low.endswith(("sses", "xes", "ches", "shes")):
        return words[:-2]
    if low.endswith("s") and not low.endswith(("ss", "us", "is")):
        return words[:-1]
    if low.endswith("y") and not low.endswith(("ay", "ey", "oy", "uy")):
        return words[:-1] + "ies"
    return words + ("es" if low.endswith(("s", "x", "ch", "sh")) else "s")


# ------------------------------------------------------------------------------------------ what it does then

_TELLS: Final = _all(
    rf"{_TELL}(?P<urgent>{_URGENT})?\s+(?:{_WHEN}|that)\s+(?P<cond>.+?)(?P<later>{_URGENT})?",
    rf"{_WHEN}\s+(?P<cond>.+?),?\s+(?:then\s+)?(?:always\s+)?{_TELL}(?P<urgent>{_URGENT})?",
)
_TELLS_ABOUT: Final = re.compile(rf"{_TELL}(?P<urgent>{_URGENT})?\s+(?:about|of|on)\s+(?P<cond>.+)", _I)
_EVERY_MAIL: Final = re.compile(rf"(?:every|each|all|any|new)\s+{_MAIL}\b.*|{_MAIL}\s+(?:from|about|with|that)\b.*", _I)


def _tell(said: str, lead: bool) -> dict[str, Any] | None:
    for pattern in _TELLS:
        found = pattern.fullmatch(said)
        condition = _condition(found["cond"]) if found else None
        if found and condition:
            urgent = found["urgent"] or found.groupdict().get("later")
            return {**condition, "notify": True, **({"priority": "urgent"} if urgent else {})}
    found = _TELLS_ABOUT.fullmatch(said)
    if found and (lead or _EVERY_MAIL.fullmatch(found["cond"])):
        condition = _condition(found["cond"]) or (_of_words(found["cond"]) if lead else None)
        if condition:
            return {**condition, "notify": True, **({"priority": "urgent"} if found["urgent"] else {})}
    return None


def _of_words(words: str) -> dict[str, Any] | None:
    """A condition of bare words: an address, a sender, or what to look for."""
    bare = _bare(words)
    if re.fullmatch(r"\S+@\S+\.\w+", bare):
        return {"source": "mail", "sender": [bare], "name": bare[:60]}
    wanted = _wanted(words)
    return {"source": "mail", "words": wanted, "name": bare[:60]} if wanted else None


_WATCH: Final = _all(
    r"(?:watch|monitor)(?:\s+(?:out\s+)?for)?\s+(?P<what>.+)",
    r"keep\s+an\s+eye\s+(?:out\s+)?(?:on|for)\s+(?P<what>.+)",
    r"(?:look|watch)\s+out\s+for\s+(?P<what>.+)",
)


def _watch(said: str, lead: bool) -> dict[str, Any] | None:
    del lead
    for pattern in _WATCH:
        if found := pattern.fullmatch(said):
            condition = _condition(found["what"]) or _of_words(found["what"])
            return {**condition, "notify": True} if condition else None
    return None


_DRAFTS: Final = _all(
    rf"(?:draft|prepare|write|propose)\s+(?:me\s+)?{_REPLY}\s+{_WITH}\s+{_TEMPLATE}\s+(?:to|for|{_WHEN})\s+(?P<cond>.+)",
    rf"(?:draft|prepare|write|propose)\s+(?:me\s+)?{_REPLY}\s+(?:to|for|{_WHEN})\s+(?P<cond>.+)\s+{_WITH}\s+{_TEMPLATE}",
    rf"(?:answer|reply(?:\s+to)?|respond\s+to)\s+(?P<cond>.+)\s+{_WITH}\s+{_TEMPLATE}",
    rf"{_WHEN}\s+(?P<cond>.+?),?\s+(?:then\s+)?(?:draft|prepare|write|propose)\s+(?:me\s+)?{_REPLY}\s+{_WITH}\s+{_TEMPLATE}",
)


def _draft(said: str, lead: bool) -> dict[str, Any] | None:
    if not lead and not re.match(rf"{_WHEN}\s", said, _I):
        return None
    for pattern in _DRAFTS:
        found = pattern.fullmatch(said)
        condition = _condition(found["cond"]) if found else None
        if found and condition:
            name = f"reply to {condition['name']}"[:60]
            return {**condition, "name": name, "draft": found["template"].strip("'\"")}
    return None


_REMINDS: Final = re.compile(
    rf"remind\s+me\s+(?P<when>.+?)\s+(?:about|of|to\s+(?:answer|read))\s+(?P<cond>(?:every|each|all|any)\s+{_MAIL}\b.+)",
    _I,
)


def _remind(said: str, lead: bool) -> dict[str, Any] | None:
    del lead
    found = _REMINDS.fullmatch(said)
    condition = _condition(found["cond"]) if found else None
    if not found or not condition:
        return None
    return {**condition, "name": f"remind of {condition['name']}"[:60], "remind": found["when"]}


_NO_ANSWER: Final = (
    r"(?:does\s+not|doesn't|do\s+not|don't|did\s+not|didn't|has\s+not|hasn't|have\s+not|haven't)\s+"
    r"(?:answer(?:ed)?|repl(?:y|ied)|respond(?:ed)?|written(?:\s+back)?|got\s+back)(?:\s+(?:to\s+)?me)?"
)
_WITHIN: Final = (
    r"\s+(?:within|in|after|for)\s+(?P<count>\d+|an?|one|two|three|four|five|ten)\s+(?P<unit>hour|day|week)s?"
)
_FOLLOWS: Final = _all(
    rf"(?:follow\s+up|{_TELL})\s+(?:when|if)\s+(?:nobody|no\s*one)\s+(?:answers?|replies\s+to|responds\s+to)\s+"
    rf"(?:{_MAIL}\s+(?:from|to)\s+)?(?P<who>.+?){_WITHIN}",
    rf"(?:follow\s+up|{_TELL})\s+(?:when|if)\s+(?P<who>.+?)\s+{_NO_ANSWER}{_WITHIN}",
    rf"follow\s+up\s+(?:on\s+)?(?:with\s+)?(?:{_MAIL}\s+(?:from|to)\s+)?(?P<who>.+?){_WITHIN}",
)


def _follow_up(said: str, lead: bool) -> dict[str, Any] | None:
    del lead
    for pattern in _FOLLOWS:
        found = pattern.fullmatch(said)
        people = [_person(each) for each in _parted(found["who"])] if found else []
        if found and people and all(people):
            count = _COUNTS.get(found["count"].lower()) or int(found["count"])
            hours = float(count * _HOURS[found["unit"][0].lower()])
            name = f"follow up {' or '.join(people)}"[:60]
            return {"source": "mail", "sender": people, "name": name, "follow_up_hours": hours}
    return None


_EACH: Final = (
    r"(?:each|every|all|any|my)(?:\s+(?:of\s+)?(?:my|the))?\s+(?P<noun>[\w-]+)(?:\s+(?:with|about|on)\s+(?P<what>.+?))?"
)
_MINUTES: Final = r"(?P<count>\d{1,3}|an?|half\s+an)\s*(?P<unit>m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?)"
_ACT: Final = r"(?P<act>(?:brief|prepare|tell|notify|alert|warn)\s+me|give\s+me\s+a\s+brief(?:ing)?|let\s+me\s+know)"
_BEFORE: Final = _all(
    rf"(?:before|ahead\s+of)\s+{_EACH},?\s+{_ACT}(?:\s+{_MINUTES}(?:\s+(?:before|earlier|ahead|in\s+advance))?)?",
    rf"{_ACT}(?:\s+{_MINUTES})?\s+(?:before|ahead\s+of)\s+{_EACH}",
    rf"{_MINUTES}\s+(?:before|ahead\s+of)\s+{_EACH},?\s+{_ACT}",
)
_USUAL_MINUTES: Final = 15


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
        wanted = _wanted(found["what"]) if found["what"] else []
        if found["what"]:  # a name has no plural
            wanted = [_bare(part) for part in _parted(found["what"])] if "'" not in found["what"] else wanted
        if single.lower() not in _EVENTS:
            wanted = wanted or [single]
        named = f": {', '.join(wanted)}" if found["what"] else ""
        says: dict[str, Any] = {"source": "calendar", "name": f"before {noun}{named}"[:60]}
        if wanted:
            says["words"] = wanted
        brief = found["act"].lower().startswith(("brief", "prepare", "give"))
        return {**says, "brief_minutes": minutes} if brief else {**says, "before": minutes, "notify": True}
    return None


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


def _timed(said: str, lead: bool) -> dict[str, Any] | None:
    found = rhythm_of(said)
    if found is None:
        return None
    rhythm, task, leading = found
    task = re.sub(r"^(?:please|then|and)\s+", "", task.strip(" ,:;"), flags=re.I)
    if len(task) < 3 or re.match(r"remind\b", task, re.I) or not (leading or lead or _TASK.match(task)):
        return None
    return {**_of_time(rhythm), **_at_a_time(task, rhythm)}


def _of_time(rhythm: Rhythm) -> dict[str, Any]:
    return {"cron": rhythm.cron} if rhythm.cron else {"every_seconds": rhythm.every}


def _at_a_time(task: str, rhythm: Rhythm) -> dict[str, Any]:
    """What is done at a time: the day in facts, and what wants a model as its prompt."""
    if to_do := _TO_DO.fullmatch(task):
        return {"name": to_do["text"][:60], "text": to_do["text"], "notify": True}
    digest, beyond = bool(_DIGEST.match(task)), _BEYOND.search(task)
    if digest and _LETTERS.search(task):
        return {"name": f"mail {rhythm.words}"[:60], "brief_minutes": 1, "ask": task}
    if digest and beyond:
        return {"name": f"{beyond[0].lower()} {rhythm.words}"[:60], "brief_minutes": 1, "ask": task}
    if digest and _CALENDAR.search(task):
        return {"name": f"calendar {rhythm.words}"[:60], "brief_minutes": 1}
    return {"name": task[:60].strip(), "ask": task}
