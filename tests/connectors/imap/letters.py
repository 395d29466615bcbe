"""Two hundred mails of a seed, in four folders, and sixty queries for them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

NOW: Final = datetime(2026, 11, 27, 17, 0, tzinfo=UTC)
FOLDERS: Final = ("INBOX", "Archive", "Sent", "Lists.Choir")
PEOPLE: Final = (
    ("Dana Fox", "dana@example.com"), ("Bob Stone", "bob@x.org"), ("Jürgen Müller", "jm@firma.example"),
    ("Jordan Daniels", "jordan@example.com"), ("", "noreply@shop.example"), ("boss@example.com", "eve@evil.example"),
)  # fmt: skip
WORDS: Final = (  # noqa: SIM905
    "rent lease budget invoice meeting lunch report contract figures holiday ticket server review "
    "choir rehearsal Bücher café doctor train flight gift offer update photo"
).split()
SHARES: Final = {"\\Seen": 0.6, "\\Answered": 0.1, "\\Flagged": 0.1}
QUERIES: Final = """
rent
RENT
rent budget
"rent budget"
rent OR lease
rent OR lease budget
rent -budget
-rent
-(rent OR lease)
(rent lease) OR (budget invoice)
NOT rent lunch
Bücher
bücher
"lunch report" OR choir
from:dana
from:Dana
from:"Dana Fox"
from:dana@example.com
from:@example.com
from:jor
from:Müller
from:boss@example.com
from:eve@evil.example
-from:dana
from:dana OR from:bob rent
from:nobody
from:fox
to:me
to:me@example.org
to:bob
cc:zoe
cc:zoe@x.org -to:bob
to:(bob OR zoe)
subject:rent
subject:"rent lease"
subject:(rent OR lease) from:dana
-subject:rent rent
subject:update
before:2026-09-20
after:2026-11-01
after:"last week"
on:2026-10-10
on:"last month"
until:2026-09-30
-after:2026-10-01
-on:2026-10-10 after:2026-10-05 before:2026-10-15
after:2026-10-01 before:2026-10-08 rent
has:attachment
has:attachment from:bob
-has:attachment rent
is:unread
is:read rent
is:flagged
is:answered OR is:flagged
-is:unread
is:unread from:dana rent OR lease
in:archive
in:inbox is:unread
in:choir
-in:inbox rent
""".strip().splitlines()


@dataclass(frozen=True, slots=True)
class Letter:
    source: bytes
    folder: str
    flags: tuple[str, ...]
    message_id: str


def letters() -> list[Letter]:
    chance = random.Random(7)
    return [_letter(number, chance) for number in range(200)]


def _letter(number: int, chance: random.Random) -> Letter:
    message = EmailMessage()
    name, address = chance.choice(PEOPLE)
    message["From"] = f'"{name}" <{address}>' if name.isascii() else f"{name} <{address}>"
    message["To"] = chance.choice(["Alex <me@example.org>", "Bob Stone <bob@x.org>, me@example.org"])
    if chance.random() < 0.3:
        message["Cc"] = "Zoë Park <zoe@x.org>"
    message["Subject"] = " ".join(chance.sample(WORDS, 3))
    message["Message-ID"] = ident = f"<l{number}@example.com>"
    date = NOW - timedelta(hours=chance.randrange(24, 24 * 100))
    message["Date"] = format_datetime(date.astimezone(chance.choice([UTC, _zone(9), _zone(-8)])))
    text = "\n".join(" ".join(chance.choices(WORDS, k=6)) for _ in range(2))
    if chance.random() < 0.15:
        message.set_content(f"<html><body><p>{text}</p></body></html>", subtype="html", cte="quoted-printable")
    else:
        message.set_content(text, cte=chance.choice(["quoted-printable", "base64"]))
    if chance.random() < 0.2:
        message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="plan.pdf")
    flags = [mark for mark, share in SHARES.items() if chance.random() < share]
    return Letter(message.as_bytes(), FOLDERS[min(number % 7, 3)], tuple(flags), ident)


def _zone(hours: int) -> timezone:
    return timezone(timedelta(hours=hours))
