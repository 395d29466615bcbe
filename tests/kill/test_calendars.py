"""The check of calendars sees what it is there for: each thing that can be wrong is one problem."""

from __future__ import annotations

import json
import random
from email.message import EmailMessage
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.kill.calendars.calendars import Calendars
from tests.kill.calendars.checks import Checks
from tests.kill.calendars.organizer import Asked
from tests.kill.calendars.place import ADDRESS, At, Deed, event, moment

START = moment(7)
PUT, MOVED, DROPPED = (Deed(True, "put", "U1", START), Deed(True, "move", "U1", START), Deed(True, "drop", "U1"))
ADDS = {"uid": "U1", "fields": {"start": START, "path": "caldav:cal/work:U1"}}
MOVES = {"uid": "U1", "calendar": "cal/work", "after": ["U1", START, START + 60]}
DROPS = {"uid": "U1", "calendar": "cal/work", "after": []}


class Place:
    """A calendar in which ``history`` happened."""

    calendar = "cal/work"
    wanted = feed = config = ""

    def __init__(self, *history: Deed) -> None:
        self.history = [*history]

    def lying(self) -> dict[str, At]:
        return {}

    def problems(self) -> list[str]:
        return []


class Told:
    """An attack after which the store holds ``told``, and that has sent ``mails``."""

    def __init__(self, folder: Path, *history: Deed) -> None:
        self.folder, self.chance, self.seed = folder, random.Random(1), 1
        self.given = SimpleNamespace(approvals={"card": 1.0})
        self.mails: list[bytes] = []
        self.told: dict[str, list[dict[str, Any]]] = {}
        self.versions: list[tuple[str, str, int, str]] = []
        self.began_at = 0
        attack: Any = self
        self.calendars = Calendars(attack)
        self.calendars.file.begin()
        place: Any = Place(*history)
        self.calendars.places.append(place)

    def call(self, tool: str, state: str, payload: dict[str, Any], error: str = "", yes: bool = True) -> None:
        self.told["tool.call"] = [{"id": "call", "name": tool, "state": state, "error": error}]
        card = {"id": "card" if yes else "other", "call": "call", "retry_of": "", "effect": {"payload": payload}}
        self.told["approval"] = [card]

    def seen(self, number: int, **data: Any) -> None:
        """A version of the event E as Pepper saw it."""
        whole = {"uid": "E", "gone": False, "status": "CONFIRMED", "calendar": "else", "backlog": False, **data}
        self.versions.append(("event_e", "event", number, json.dumps(whole)))

    def signal(self, number: int, content: str, priority: str = "normal", uid: str = "E") -> None:
        metadata = {"kind": "x", "uid": uid}
        row = {"id": f"signal_event_e_{number}", "priority": priority, "content": content, "metadata": metadata}
        self.told.setdefault("signals.calendar", []).append(row)

    def facts(self, namespace: str) -> list[dict[str, Any]]:
        return self.told.get(namespace, [])

    def left(self) -> list[bytes]:
        return self.mails

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        if "raw.calendar" in query:
            return self.versions
        return [(call["id"], 1, json.dumps({"state": "attempted"})) for call in self.facts("tool.call")]

    @property
    def problems(self) -> set[str]:
        attack: Any = self
        return {each.partition(":")[0] for each in Checks(attack, self.calendars).problems()}


@pytest.mark.parametrize(
    ("tool", "payload", "deed"),
    [("add_event", ADDS, PUT), ("change_event", MOVES, MOVED), ("cancel_event", DROPS, DROPPED)],
)
@pytest.mark.parametrize(
    ("state", "times", "error", "yes", "problem"),
    [
        ("succeeded", 1, "", True, ""),
        ("succeeded", 0, "", True, "lost"),
        ("succeeded", 2, "", True, "twice"),
        ("succeeded", 1, "", False, "twice"),
        ("failed", 0, "", True, ""),
        ("failed", 1, "refused", True, "hidden"),
        ("failed", 1, "lost, after it was given the event; once more does no harm", True, ""),
        ("unknown", 1, "", True, ""),
        ("cancelled", 1, "", True, "hidden"),
    ],
)
def test_a_change_is_made_once_and_told(
    tmp_path: Path, tool: str, payload: Any, deed: Deed, state: str, times: int, error: str, yes: bool, problem: str
) -> None:
    told = Told(tmp_path, *[deed] * times)
    told.call(tool, state, payload, error, yes)
    assert told.problems == ({problem} if problem else set())


@pytest.mark.parametrize(
    ("state", "answers", "problem"),
    [
        ("succeeded", ["ACCEPTED"], ""),
        ("succeeded", [], "lost"),
        ("succeeded", ["DECLINED"], "lost"),
        ("succeeded", ["ACCEPTED", "ACCEPTED"], "twice"),
        ("failed", ["ACCEPTED"], "hidden"),
        ("unknown", ["ACCEPTED"], ""),
    ],
)
def test_an_answer_leaves_once_and_says_what_was_approved(
    tmp_path: Path, state: str, answers: list[str], problem: str
) -> None:
    told = Told(tmp_path)
    answer = {"uid": "inv-M1@example.com", "answer": "accept", "edition": [0, 0.0], "proposed": [], "add": {}}
    told.call("answer_invitation", state, {"told": answer})
    told.told["mail.sent"] = [{"id": "<a@x>", "call": "call"}]
    for partstat in answers:
        mail = EmailMessage()
        mail["Message-ID"] = "<a@x>"
        mine = f"ATTENDEE;PARTSTAT={partstat}:mailto:{ADDRESS}\r\nEND:VEVENT"
        text = event("inv-M1@example.com", "M1", START).replace("END:VEVENT", mine)
        mail.set_content(f"BEGIN:VCALENDAR\r\n{text}END:VCALENDAR\r\n", subtype="calendar", params={"method": "REPLY"})
        told.mails.append(mail.as_bytes())
    problems = told.problems
    assert (problem in problems) if problem else not problems


def test_each_version_has_one_signal_and_is_another(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.seen(1, start=1)
    assert told.problems == {"lost"}
    told.signal(1, "New event: E", "log")
    assert told.problems == set()
    told.seen(2, start=1, backlog=True)
    told.signal(2, "Changed: E", "log")
    assert told.problems == {"twice"}


@pytest.mark.parametrize(
    ("lines", "problem"), [(["New event: E"], ""), ([], "lost"), (["New event: E", "New event: E"], "twice")]
)
def test_what_others_make_is_told_once(tmp_path: Path, lines: list[str], problem: str) -> None:
    told = Told(tmp_path)
    told.calendars.deeds["E"].append((5, Deed(False, "put", "E", START)))
    told.calendars.deeds["E"].append((6, Deed(False, "drop", "E")))
    told.seen(1, start=1, gone=True)
    told.signal(1, "New event: E", "log")
    for number, line in enumerate(lines, start=2):
        told.signal(number, line)
    assert told.problems == ({problem} if problem else set())


def test_an_invitation_that_is_not_known_is_lost(tmp_path: Path) -> None:
    told = Told(tmp_path)
    asked = Asked("M1", START, sequence=1, cancelled=True)
    told.calendars.organizer.asked[asked.uid] = asked
    assert told.problems == {"lost"}
    told.told["calendar.invitation"] = [{"uid": asked.uid, "sequence": 1, "cancelled": True, "answer": "needs-action"}]
    assert told.problems == set()
