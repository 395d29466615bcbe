"""What happens in a world to its calendars: others' events, mails that invite, change and call off, in any order.

Every third world has calendars: those are read by the real agenda. All of it is drawn from a stream of its own, so that
worlds without any are as they would be.
"""

from __future__ import annotations

import importlib
import json
import os
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch
from zoneinfo import ZoneInfo

from pepper_tui.boundary.process import ParserProcess
from pepper_tui.config import Account as AccountConfig
from pepper_tui.config import Config
from pepper_tui.connectors.google_account import account as google_account
from pepper_tui.connectors.google_account.sign_in.grant import Grant
from tests.domains.invitations.invited import event
from tests.google.sign_in import CLIENT
from tests.simulation.calendar.account import ADDRESS, IDENT, PORT, URL, DatesAccount
from tests.simulation.mail.account import Surroundings
from tests.simulation.mail.google import SECRET

if TYPE_CHECKING:
    from tests.simulation.outside import Outside

KINDS: Final = ("", "", "", "", "mail", "google")
ME: Final = "me@example.org"
OLGA: Final = "olga@o.example"
ZONE: Final = ZoneInfo("Europe/Berlin")
ACTS: Final = (
    ("invite",) * 4 + ("revise",) * 3 + ("call_off",) * 2 + ("late", "late") + ("answer_invitation",) * 6
    + ("approve",) * 6 + ("put",) * 4 + ("shift",) * 3 + ("drop",) * 2 + ("overlap",) * 2 + ("gone", "forget")
    + ("say", "undo", "restart")
)  # fmt: skip
STORY: Final = (("invite", 1.0), ("overlap", 100.0), ("answer_invitation", 60.0), ("approve", 20.0), ("revise", 90.0))
"""What happens at last in most worlds with calendars, each so many seconds after the last."""
TOLD: Final = 0.8
MOST_EDITIONS: Final = 8
TOOLS: Final = ("add_event", "change_event", "change_event", "cancel_event", "answer_invitation", "answer_invitation")


@dataclass(slots=True)
class Asked:
    """An event that the user is asked to by mail."""

    title: str
    start: float
    sequence: int = 0
    cancelled: bool = False

    @property
    def uid(self) -> str:
        return f"{self.title.replace(' ', '-')}@o.example"


class CalendarWorld:
    """``dates``: the account; None in worlds where nothing but mails brings events."""

    def __init__(self, seed: int, outside: Outside, elapsed: Callable[[], float], kill: Callable[[], None]) -> None:
        self.chance = random.Random(f"calendar {seed}")
        self._outside, self._elapsed = outside, elapsed
        kind = self.chance.choice(KINDS)
        self.on = bool(kind)
        self.asked: dict[str, Asked] = {}
        self.touched: set[str] = set()  # UIDs that others have changed or removed
        self._late: list[bytes] = []
        self._count = 0
        self._latest = 0.0
        around = Surroundings(self.chance, self._server_time, elapsed, kill, lambda recipients, message: None)
        self.dates = DatesAccount(around, self._done) if kind == "google" else None

    def _server_time(self) -> float:
        self._latest = max(self._latest, self._outside.now())
        return self._latest

    def _done(self, what: str, uid: str, start: float) -> None:
        self._outside.changed_event(what, uid, start)

    def in_config(self, config: Config) -> Config:
        if not self.on:
            return config
        calendar = config.calendar.model_copy(update={"paths": []})
        accounts = [AccountConfig.model_validate(self.dates.config)] if self.dates is not None else []
        return config.model_copy(update={"calendar": calendar, "account": [*config.account, *accounts]})

    def among(self, acts: list[tuple[str, float, str]]) -> list[tuple[str, float, str]]:
        """Return the acts with some of the calendars' among them."""
        if not self.on:
            return acts
        chance, found = self.chance, [*acts]
        for _ in range(chance.choice((5, 9, 16))):
            seconds = chance.choice((0.0, 0.05, 1.0, 30.0, 150.0, 400.0))
            found.insert(chance.randrange(len(found) + 1), ("seconds", seconds, f"dates {chance.choice(ACTS)}"))
        story = [("seconds", seconds, f"dates {name}") for name, seconds in STORY if chance.random() < TOLD]
        return [("seconds", 0.0, "dates put"), ("seconds", 0.0, "dates invite"), *found, *story]

    # ------------------------------------------------------------------------------------------- acts of the world

    def happens(self, name: str) -> bool:
        """Let it happen; false if it is no act of the world."""
        act = getattr(self, f"_act_{name}", None)
        if act is None or not self.on:
            return False
        act()
        return True

    def _moment(self) -> float:
        """A start that nothing else has, to the minute."""
        self._count += 1
        ahead = self.chance.choice((1500.0, 3600.0, 4 * 3600.0, 86_400.0))
        return (self._outside.now() + ahead) // 60 * 60 + 0.0 + self._count

    def _act_invite(self) -> None:
        start = self._moment()
        one = Asked(f"asked {self._count}", start)
        self.asked[one.uid] = one
        self._send(one, "REQUEST")

    def _act_revise(self) -> None:
        if one := self._any_asked():
            one.sequence, one.start = one.sequence + 1, self._moment()
            self._send(one, "REQUEST")

    def _act_call_off(self) -> None:
        if one := self._any_asked():
            one.sequence, one.cancelled = one.sequence + 1, True
            self._send(one, "CANCEL")

    def _act_late(self) -> None:
        """What was under way comes, in any order."""
        self.chance.shuffle(self._late)
        while self._late:
            self._outside.deliver(self._late.pop())

    def _any_asked(self) -> Asked | None:
        there = [each for each in self.asked.values() if not each.cancelled and each.sequence < MOST_EDITIONS]
        return self.chance.choice(there) if there else None

    def _send(self, one: Asked, method: str) -> None:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = f"Olga <{OLGA}>", ME, f"About {one.title}"
        mail["Date"] = "Tue, 01 Sep 2026 09:00:00 +0000"
        mail["Message-ID"] = f"<{one.title.replace(' ', '-')}-{one.sequence}@o.example>"
        mail.set_content("You are invited.")
        attendee = f"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{ME}"
        whole = event(one.start, one.uid, one.title, one.sequence, attendee=attendee, organizer=OLGA)
        text = "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", f"METHOD:{method}", whole, "END:VCALENDAR", ""])
        mail.add_alternative(text, subtype="calendar", params={"method": method})
        mail.set_boundary(f"part-{self._count}-{one.sequence}")
        if self.chance.random() < 0.25:
            self._late.append(mail.as_bytes())
        else:
            self._outside.deliver(mail.as_bytes())

    def _act_put(self) -> None:
        if self.dates is not None:
            start = self._moment()
            self.dates.put(self._count, f"date {self._count}", start)

    def _act_overlap(self) -> None:
        """An event that takes place while another does."""
        starts = [start for start, _ in self.dates.lying().values()] if self.dates is not None else []
        if self.dates is not None and starts:
            self._count += 1
            start = self.chance.choice(starts) + self.chance.choice((0.0, 600.0))
            self.dates.put(self._count, f"date {self._count}", start)

    def _act_shift(self) -> None:
        if self.dates is not None and (uid := self._any_there()):
            self.dates.move(uid, self._moment())

    def _act_drop(self) -> None:
        if self.dates is not None and (uid := self._any_there()):
            self.dates.drop(uid)

    def _any_there(self) -> str:
        there = sorted(self.dates.lying()) if self.dates is not None else []
        uid = self.chance.choice(there) if there else ""
        self.touched.add(uid)
        return uid

    def _act_gone(self) -> None:
        if self.dates is not None:
            road = self.dates.road
            road.closed_until = self._elapsed() + self.chance.choice((5.0, 60.0, 600.0))
            road.closed_silently = self.chance.random() < 0.5

    def _act_forget(self) -> None:
        """Google no longer knows how far Pepper has read."""
        if self.dates is not None:
            self.dates.book.expire_sync_tokens()

    def calm(self) -> None:
        self._act_late()
        if self.dates is not None:
            self.dates.calm()

    # ------------------------------------------------------------------------------------------- what a model asks for

    def wanted(self, tool: str) -> dict[str, Any]:
        """Return the arguments with which a model calls a tool of the calendar."""
        if tool not in TOOLS or not self.on:
            return {}
        start = datetime.fromtimestamp(self._moment() // 60 * 60 + self._count * 60, ZONE).strftime("%Y-%m-%d %H:%M")
        titles = [title for _, title in self.dates.lying().values()] if self.dates is not None else []
        title = self.chance.choice(titles or ["none"])
        asked = self.chance.choice([each.title for each in self.asked.values()] or [""])
        calls: dict[str, dict[str, Any]] = {
            "add_event": {"title": f"own {self._count}", "start": start, "minutes": 30},
            "change_event": {"event": title, "start": start},
            "cancel_event": {"event": title},
            "answer_invitation": {
                "invitation": asked,
                "answer": self.chance.choice(("accept", "tentative", "decline")),
            },
        }
        return calls[tool]

    # ------------------------------------------------------------------------------------------- the edges

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Put the account below the sockets of this process, and the parsers into it. Enter it after that of mail."""
        if not self.on:
            yield
            return
        import httplib2

        connection = httplib2.HTTPConnectionWithTimeout
        others_connect, others_keeper = connection.connect, google_account.keeper_of

        def dial(one: Any) -> None:
            if one.port == PORT:
                assert self.dates is not None
                one.sock = self.dates.connect()
            else:
                others_connect(one)

        with (
            patch.dict(os.environ, {SECRET: CLIENT["client_secret"]}),
            patch.object(connection, "connect", dial),
            patch.object(google_account, "keeper_of", lambda home: _Keeper(self, others_keeper, home)),
            patch.object(ParserProcess, "parse", _parse),
        ):
            yield


class _Keeper:
    """Keeps the sign-in of the calendar; the others' are where they were."""

    def __init__(self, world: CalendarWorld, others: Callable[[Any], Any], home: Any) -> None:
        self._world, self._others, self._home = world, others, home

    def read(self, name: str) -> str | None:
        if not name.startswith("google_calendar_"):
            held: str | None = self._others(self._home).read(name)
            return held
        assert self._world.dates is not None
        held_ = self._world.dates.grant
        grant = Grant(ADDRESS, CLIENT["client_id"], URL, held_["refresh_token"], list(held_["scopes"]))
        return json.dumps(grant.data())

    def write(self, name: str, value: str) -> None:
        raise AssertionError("all was allowed")


def _parse(process: Any, function: str, sources: Sequence[bytes], *, until: float = 0.0, **options: Any) -> list[Any]:
    """Parse here, as the parser process would."""
    module = importlib.import_module(process._module)
    found = []
    for source in sources:
        try:
            answer = getattr(module, function)(source, **options)
        except Exception as error:
            answer = {"failed": f"{type(error).__name__}: {error}"[:1000]}
        found.append(json.loads(json.dumps(answer)))
    return found


__all__ = ["IDENT", "Asked", "CalendarWorld"]
