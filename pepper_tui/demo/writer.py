"""Fills a Maildir and a calendar over time: what was there before, then what arrives.

Deliveries follow the Maildir rules (written in ``tmp``, then renamed into ``new``), so that a reader never sees half a
mail; the calendar is replaced as a whole. The writer knows nothing of Pepper.
"""

from __future__ import annotations

import itertools
import os
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.demo.letters import ARRIVING, BEFORE, LATER_SENDERS, LATER_SUBJECTS, Letter

MEETING_AFTER: Final = 11 * 60 + 25
"""Seconds from the start to the roadmap review: a brief 11 minutes before it comes after 25 s."""

CALENDAR_CHANGES_AT: Final = 41.0
CALENDAR_FILE: Final = "alex.ics"
FOLDERS: Final = (".Sent", ".Archive", ".Trash", ".Junk", ".Drafts")
"""What a mail program would have made: so each key of the mail list has somewhere to put a mail."""


class Writer:
    """One sample world on disk: ``prepare`` creates it once, ``run`` keeps it going until cancelled."""

    def __init__(self, maildir: Path, calendar: Path, clock: Clock) -> None:
        self._maildir = maildir
        self._calendar = calendar / CALENDAR_FILE
        self._clock = clock
        self._message_ids: dict[str, str] = {}
        self._start = clock.now()
        self._moved = False

    def prepare(self) -> None:
        """Create the Maildir with the mail of the last weeks (unless it exists), and today's calendar."""
        self._start = self._clock.now()
        fresh = not self._maildir.exists()
        for folder in ("", *FOLDERS):
            for part in ("tmp", "new", "cur"):
                (self._maildir / folder / part).mkdir(parents=True, exist_ok=True)
        if fresh:
            for letter in BEFORE:
                self._deliver(letter, seen=True)
        self._calendar.parent.mkdir(parents=True, exist_ok=True)
        self._write_calendar()

    async def run(self) -> None:
        """Deliver ``ARRIVING`` on schedule, then one more mail every 4 to 8 seconds, later every 20 to 40."""
        begun = self._clock.monotonic()
        moments: list[tuple[float, Letter | None]] = [(letter.at, letter) for letter in ARRIVING]
        moments.append((CALENDAR_CHANGES_AT, None))
        for at, letter in sorted(moments, key=lambda moment: moment[0]):
            await self._clock.sleep(begun + at - self._clock.monotonic())
            if letter:
                self._deliver(letter)
            else:
                self._moved = True
                self._write_calendar()
        for number in itertools.count():
            pause = 4 + 4 * self._clock.jitter()
            await self._clock.sleep(pause if number < 20 else pause * 5)
            self._deliver(self._later(number))

    def _later(self, number: int) -> Letter:
        sender = LATER_SENDERS[number * 7 % len(LATER_SENDERS)]
        subject, body = LATER_SUBJECTS[number % len(LATER_SUBJECTS)]
        listed = "list.example" if "weeklybyte" in sender or "codehost" in sender or "boulderhall" in sender else ""
        first = sender.split()[0]
        return Letter(0, sender, subject, f"{body}\n\n{first}\n", mailing_list=listed)

    def _deliver(self, letter: Letter, *, seen: bool = False) -> Path:
        when = self._start + letter.at if seen else self._clock.now()
        message = self._message(letter, when)
        base = self._maildir / f".{letter.folder}" if letter.folder else self._maildir
        name = f"{int(when)}.{self._clock.new_id('demo')}.pepper"
        temporary = base / "tmp" / name
        temporary.write_bytes(message.as_bytes())
        os.utime(temporary, (when, when))
        target = base / "cur" / f"{name}:2,S" if seen else base / "new" / name
        temporary.rename(target)
        return target

    def _message(self, letter: Letter, when: float) -> EmailMessage:
        message = EmailMessage()
        message["From"] = letter.sender
        message["To"] = letter.to
        if letter.cc:
            message["Cc"] = letter.cc
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(datetime.fromtimestamp(when, UTC))
        domain = parseaddr(letter.sender)[1].partition("@")[2]
        message_id = f"<{self._clock.new_id('m')}@{domain}>"
        message["Message-ID"] = message_id
        if letter.key:
            self._message_ids[letter.key] = message_id
        if letter.answers in self._message_ids:
            message["In-Reply-To"] = self._message_ids[letter.answers]
            message["References"] = self._message_ids[letter.answers]
        if letter.mailing_list:
            message["List-Id"] = f"<{letter.mailing_list}>"
            message["List-Unsubscribe"] = f"<mailto:leave@{letter.mailing_list}>"
            message["Precedence"] = "list"
        message.set_content(letter.body)
        if letter.html:
            message.add_alternative(letter.html, subtype="html")
        if letter.attachment:
            kind = {"jpg": ("image", "jpeg"), "pdf": ("application", "pdf")}
            main, sub = kind.get(letter.attachment.rpartition(".")[2], ("application", "octet-stream"))
            message.add_attachment(b"sample", maintype=main, subtype=sub, filename=letter.attachment)
        return message

    def _write_calendar(self) -> None:
        temporary = self._calendar.with_suffix(".tmp")
        temporary.write_bytes(self._events())
        temporary.replace(self._calendar)

    def _events(self) -> bytes:
        from icalendar import Calendar, Event

        calendar = Calendar()
        calendar.add("prodid", "-//Pepper//sample calendar//EN")
        calendar.add("version", "2.0")
        start = datetime.fromtimestamp(int(self._start), UTC)
        hour = start.replace(minute=0, second=0)
        moved = timedelta(minutes=30 if self._moved else 0)
        rows: list[tuple[str, str, datetime, float, str, str, str]] = [
            # key, title, start, minutes, place, description, repeating rule
            (
                "roadmap",
                "Roadmap review",
                start + timedelta(seconds=MEETING_AFTER),
                45,
                "Room Vega",
                "Priya: churn and onboarding. Sam: hiring plan. Alex: the first bet for Q4.",
                "",
            ),
            (
                "crit",
                "Design crit",
                hour + timedelta(hours=3) + moved,
                30,
                "Room Lyra" if self._moved else "Room Vega",
                "Bring the empty states.",
                "",
            ),
            ("standup", "Stand-up", hour - timedelta(days=14, hours=1), 15, "Hall", "", "DAILY"),
            ("dentist", "Dr. Aoki, check-up", hour + timedelta(days=1, hours=2), 30, "Aoki Dental", "", ""),
            ("rosa", "Lunch with Rosa", hour + timedelta(days=2, hours=1), 60, "Canteen", "Her first week.", ""),
            ("board", "Board meeting", hour + timedelta(days=5), 120, "Room Orion", "The deck goes out before.", ""),
        ]
        for key, title, begins, minutes, place, description, rule in rows:
            event = Event()
            # a restarted demo is another day: its one-off events are different events
            event.add("uid", f"{key}@northlight.example" if rule else f"{key}-{int(self._start)}@northlight.example")
            event.add("dtstamp", start)
            event.add("dtstart", begins)
            event.add("dtend", begins + timedelta(minutes=minutes))
            event.add("summary", title)
            event.add("location", place)
            event.add("sequence", 1 if self._moved and key == "crit" else 0)
            event.add("organizer", "mailto:nora@northlight.example")
            for who in ("alex", "priya", "sam"):
                event.add("attendee", f"mailto:{who}@northlight.example", parameters={"PARTSTAT": "ACCEPTED"})
            if description:
                event.add("description", description)
            if rule:
                event.add("rrule", {"freq": rule.lower()})
            calendar.add_component(event)
        return bytes(calendar.to_ical())
