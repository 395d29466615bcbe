"""Events as they are and as they are wanted, both read from iCalendar, and what Google is given to make up for it.

Only what Pepper changes is looked at: words, times, the rule, times left out, the user's own answer. So nothing else
that an event has at Google is ever written. The lines are read here, without a library whose work has no bound.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Final

from pepper_tui.connectors.google_calendar.rendering import ANSWERS, CANCELLED, ETAG, ID, Json, Seen, zone_of
from pepper_tui.domains.calendar.pieces import pieces

Moment = date | datetime
"""A day, or an instant in its zone."""
_BREAK: Final = re.compile(r"\r?\n")
_LINE: Final = re.compile(r'([A-Za-z0-9-]+)((?:;(?:"[^"]*"|[^":])*)?):(.*)', re.S)
_PARAMETER: Final = re.compile(r';([A-Za-z0-9-]+)=((?:"[^"]*"|[^";])*)')
_ESCAPED: Final = re.compile(r"\\(.)")
_WORDS: Final = {"SUMMARY": "summary", "LOCATION": "location", "DESCRIPTION": "description"}
_RULES: Final = frozenset({"RRULE", "RDATE", "EXRULE"})
_STATUS: Final = {ours.casefold(): theirs for theirs, ours in ANSWERS.items()}


@dataclass(frozen=True, slots=True)
class Part:
    """One event: a single one, a series, or an occurrence that stands for the time ``original``.

    ``recurrence``: the lines of its rule and of the times left out, as Google takes them; ``left_out`` are those times.
    ``answers`` by address. ``is_answer``: it was written to hold the user's answer, which Pepper mails itself.
    """

    ident: str = ""
    etag: str = ""
    original: Moment | None = None
    cancelled: bool = False
    words: Mapping[str, str] = field(default_factory=dict)
    start: Moment | None = None
    end: Moment | None = None
    recurrence: tuple[str, ...] = ()
    rules: frozenset[str] = frozenset()
    left_out: frozenset[Moment] = frozenset()
    answers: Mapping[str, str] = field(default_factory=dict)
    is_answer: bool = False

    @property
    def content(self) -> tuple[object, ...]:
        """What of an occurrence can be changed here."""
        return self.words, self.start, self.end, self.answers

    @property
    def length(self) -> object:
        """How long it takes by the clock on the wall."""
        if isinstance(self.start, datetime) and isinstance(self.end, datetime):
            return self.end - self.start
        return self.end - self.start if self.start and self.end else None


def parts_in(text: str) -> list[Part]:
    """Return the events of a calendar. Raises ``ValueError`` for what can't be read."""
    return [_part(each.text.decode()) for each in pieces(text.encode("utf-8", "replace"))] if text else []


def patch_of(event: Json, now: Part, want: Part, seen: Seen) -> dict[str, Any]:
    """Return what makes an event as wanted; nothing if it is. ``now`` is the event as iCalendar."""
    body: dict[str, Any] = {
        name: want.words.get(name, "")
        for name in _WORDS.values()
        if now.words.get(name, "") != want.words.get(name, "")
    }
    if want.start and want.end and (now.start, now.end) != (want.start, want.end):
        body |= {"start": _told(want.start, event["start"]), "end": _told(want.end, event["end"])}
    if now.rules != want.rules or not now.left_out <= want.left_out:
        body["recurrence"] = [*want.recurrence]
    mine = _own_address(event, seen)
    if mine in want.answers and want.answers[mine] != now.answers.get(mine):
        status = _STATUS[want.answers[mine]]
        guests = [{**each, "responseStatus": status} if each.get("self") else each for each in event["attendees"]]
        body["attendees"] = guests
        if event.get("attendeesOmitted"):  # then the others are not among them, and stay invited
            body["attendeesOmitted"] = True
    return body


def answers_for_another(event: Json, now: Part, want: Part, seen: Seen) -> bool:
    """Check whether an answer is that of somebody else than whom Google takes the user for."""
    if not want.is_answer:
        return False
    mine = _own_address(event, seen)
    told = now.answers if event.get("attendeesOmitted") else want.answers
    changed = {who for who in told if now.answers.get(who) != want.answers.get(who)}
    return mine not in want.answers or (now.etag == want.etag and not changed <= {mine})


def instance_id(series: str, original: Moment) -> str:
    """Return the id of an occurrence of a series."""
    if isinstance(original, datetime):
        return f"{series}_{original.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return f"{series}_{original:%Y%m%d}"


def _own_address(event: Json, seen: Seen) -> str:
    """Return the address under which the user is invited, as ``rendering`` writes it; empty if they are not."""
    mine = next((each for each in event.get("attendees") or () if each.get("self")), None)
    return (seen.own or str(mine.get("email") or "")).casefold() if mine is not None else ""


def _told(at: Moment, before: Json) -> dict[str, str]:
    if not isinstance(at, datetime):
        return {"date": at.isoformat()}
    zone = getattr(at.tzinfo, "key", "") or str(before.get("timeZone") or "")
    return {"dateTime": at.isoformat(), **({"timeZone": zone} if zone else {})}


def _part(text: str) -> Part:
    lines = list(_lines(text))
    said = {name: (parameters, value) for name, parameters, value, _ in reversed(lines)}
    start = _moment(*said["DTSTART"]) if "DTSTART" in said else None
    zone = start.tzinfo if isinstance(start, datetime) else None
    organizer = said.get("ORGANIZER", ({}, ""))[0]
    return Part(
        ident=_text(said.get(ID, ({}, ""))[1]),
        etag=_text(said.get(ETAG, ({}, ""))[1]),
        original=_moment(*said["RECURRENCE-ID"], zone) if "RECURRENCE-ID" in said else None,
        cancelled=f"STATUS:{said.get('STATUS', ({}, ''))[1].upper()}" == CANCELLED,
        words={theirs: _text(said[ours][1]) for ours, theirs in _WORDS.items() if ours in said},
        start=start,
        end=_moment(*said["DTEND"], zone) if "DTEND" in said else None,
        recurrence=tuple(line for name, _, _, line in lines if name in (*_RULES, "EXDATE")),
        rules=frozenset(_rule(name, value) for name, _, value, _ in lines if name in _RULES),
        left_out=frozenset(
            _moment(parameters, each, zone)
            for name, parameters, value, _ in lines
            if name == "EXDATE"
            for each in value.split(",")
        ),
        answers={_address(value): _answer(parameters) for name, parameters, value, _ in lines if name == "ATTENDEE"},
        is_answer=organizer.get("SCHEDULE-AGENT", "").upper() == "CLIENT",
    )


def _lines(text: str) -> Iterator[tuple[str, dict[str, str], str, str]]:
    """Yield name, parameters, and value of each line, and the line itself."""
    for line in _BREAK.split(text):
        if found := _LINE.fullmatch(line):
            given = {name.upper(): value.strip('"') for name, value in _PARAMETER.findall(found[2])}
            yield found[1].upper(), given, found[3], line


def _moment(parameters: Mapping[str, str], value: str, zone: tzinfo | None = None) -> Moment:
    """Return a day, or an instant; ``zone`` is that of a time without any. Raises ``ValueError``."""
    if parameters.get("VALUE", "").upper() == "DATE" or "T" not in value:
        return datetime.strptime(value, "%Y%m%d").date()
    if value.endswith("Z"):
        return datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    named = zone_of(parameters["TZID"]) if "TZID" in parameters else zone
    if named is None:
        raise ValueError(f"a time of it is in a zone that is not known: {value}")
    return datetime.strptime(value, "%Y%m%dT%H%M%S").replace(tzinfo=named)


def _rule(name: str, value: str) -> str:
    """Return a rule in a form in which the order of its parts does not count."""
    return f"{name}:{';'.join(sorted(value.upper().split(';' if name != 'RDATE' else ',')))}"


def _address(value: str) -> str:
    return value.casefold().removeprefix("mailto:")


def _answer(parameters: Mapping[str, str]) -> str:
    said = parameters.get("PARTSTAT", "").casefold()
    return said if said in _STATUS else "needs-action"


def _text(value: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)
