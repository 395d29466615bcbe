"""Somebody who invites the user by mail, changes what they are asked to, and calls it off; and the answers they get."""

from __future__ import annotations

import random
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage, Message
from typing import Final

from tests.domains.invitations.invited import event
from tests.kill.calendars.place import ADDRESS, lines_of, moment, read

OLGA: Final = "olga@example.com"
PREFIX: Final = "inv-"
LATEST: Final = 8  # of its editions


@dataclass
class Asked:
    """An event that the user is asked to. ``title`` is the tag of its first mail."""

    title: str
    start: float
    sequence: int = 0
    cancelled: bool = False

    @property
    def uid(self) -> str:
        return f"{PREFIX}{self.title}@example.com"


@dataclass(frozen=True)
class Reply:
    """A mail that answers an invitation."""

    message_id: str
    method: str
    uid: str
    answer: str


class Organizer:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.asked: dict[str, Asked] = {}

    def mail(self, tag: str, number: int) -> bytes:
        """A mail that asks, changes what was asked, or calls it off."""
        there = [each for each in self.asked.values() if not each.cancelled and each.sequence < LATEST]
        if not there or self._chance.random() < 0.5:
            one = Asked(tag, moment(number))
            self.asked[one.uid] = one
            return self._written(tag, one, "REQUEST")
        one = self._chance.choice(there)
        one.sequence += 1
        one.cancelled = self._chance.random() < 0.4
        if not one.cancelled:
            one.start = moment(number)
        return self._written(tag, one, "CANCEL" if one.cancelled else "REQUEST")

    def _written(self, tag: str, one: Asked, method: str) -> bytes:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = f"Olga <{OLGA}>", ADDRESS, f"{tag} invited"
        mail["Date"], mail["Message-ID"] = "Tue, 01 Sep 2026 09:00:00 +0000", f"<{tag}@example.com>"
        mail.set_content("You are invited.")
        attendee = f"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{ADDRESS}"
        whole = event(one.start, one.uid, one.title, one.sequence, attendee=attendee, organizer=OLGA)
        text = "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", f"METHOD:{method}", whole, "END:VCALENDAR", ""])
        mail.add_alternative(text, subtype="calendar", params={"method": method})
        return mail.as_bytes()


def replies(mails: list[bytes]) -> list[Reply]:
    """Those of ``mails`` that answer an invitation."""
    found = []
    for mail in map(message_from_bytes, mails):
        found += [_reply(mail, part) for part in mail.walk() if part.get_content_type() == "text/calendar"]
    return found


def _reply(mail: Message, part: Message) -> Reply:
    text = part.get_payload(decode=True)
    assert isinstance(text, bytes)
    lines = lines_of(text.decode())
    uid, at = read(lines.partition("BEGIN:VEVENT\n")[2])
    ident = mail["X-Google-Original-Message-ID"] or mail["Message-ID"]  # Google gives each mail an id of its own
    return Reply(str(ident), str(part.get_param("method")), uid, at.answer)
