"""One letter of the box: its bytes as the user's server delivers them, and the labels of whoever made it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from typing import Final

START: Final = 1_800_000_000.0
"""A Friday morning: the manual clock's first second."""
DAY: Final = 86_400.0
ME: Final = ("Alex Rivera", "me@example.org")
SERVER: Final = "mx4.mailhost.example"
"""The user's own provider, as it names itself in Authentication-Results."""

PASS: Final = "spf=pass smtp.mailfrom={domain}; dkim=pass header.d={domain}; dmarc=pass header.from={domain}"
FAIL: Final = "spf=fail smtp.mailfrom={domain}; dkim=none; dmarc=fail (p=NONE) header.from={domain}"
NONE: Final = "spf=none smtp.mailfrom={domain}; dkim=none; dmarc=none header.from={domain}"


@dataclass
class Letter:
    """``facts`` and ``signs`` are the truth; ``kind`` says what was meant, for whoever reads a mistake."""

    kind: str
    at: float
    source: bytes
    facts: frozenset[str] = frozenset()
    signs: frozenset[str] = frozenset()
    folder: str = "INBOX"
    message_id: str = ""
    sender: str = ""


@dataclass
class Maker:
    """Makes letters, from a seed, and knows who has written before."""

    chance: random.Random
    letters: list[Letter] = field(default_factory=list)
    number: int = 0

    def put(
        self,
        kind: str,
        day: float,
        sender: tuple[str, str],
        subject: str,
        text: str,
        *,
        facts: str = "",
        signs: str = "",
        folder: str = "INBOX",
        to: tuple[str, str] = ME,
        cc: str = "",
        answers: str = "",
        quoted: str = "",
        auth: str = PASS,
        html: bool = False,
        written: float | None = None,
        below: str = "",
        message: EmailMessage | None = None,
        **headers: str,
    ) -> str:
        """Put a letter into the box; return its Message-ID.

        ``facts`` and ``signs`` are labels, separated by spaces. ``auth`` is what the user's server found; ``below``,
        a header that stood in the mail already. ``written``: the day of its Date, if not that of its arrival.
        """
        self.number += 1
        at = START + day * DAY + self.chance.randrange(3_600)
        domain = sender[1].rpartition("@")[2]
        message_id = headers.pop("Message_ID", f"<{self.number}.{self.chance.randrange(10**9)}@{domain}>")
        message = message or EmailMessage()
        message["From"], message["To"], message["Subject"] = formataddr(sender), formataddr(to), subject
        if cc:
            message["Cc"] = cc
        when = at if written is None else START + written * DAY
        message["Date"] = format_datetime(datetime.fromtimestamp(when, UTC))
        message["Message-ID"] = message_id
        if answers:
            message["In-Reply-To"] = message["References"] = answers
        for name, value in headers.items():
            message[name.replace("_", "-")] = value
        if not message.is_multipart() and message.get_content_type() == "text/plain":
            self._write(message, text, quoted, html=html)
        source = message.as_bytes()
        if folder != "Sent":
            source = self._delivered(source, domain, auth, below)
        labels = frozenset(facts.split()), frozenset(signs.split())
        self.letters.append(Letter(kind, at, source, *labels, folder, message_id, sender[1]))
        return message_id

    @staticmethod
    def _write(message: EmailMessage, text: str, quoted: str, *, html: bool) -> None:
        body = text if not quoted else f"{text}\n\nOn Mon, Alex Rivera wrote:\n> " + quoted.replace("\n", "\n> ") + "\n"
        if html:
            rows = "".join(f"<p>{line}</p>" for line in body.splitlines() if line)
            message.set_content(f"<html><body>{rows}</body></html>", subtype="html")
        else:
            message.set_content(body)

    def _delivered(self, source: bytes, domain: str, auth: str, below: str) -> bytes:
        found = auth.format(domain=domain)
        lines = [f"Return-Path: <someone@{domain}>"] if b"Return-Path" not in source else []
        lines += [
            f"Received: from out.{domain} by {SERVER}; Fri, 15 Jan 2027 08:00:00 +0000",
            *([f"Authentication-Results: {SERVER};\n {found}"] if found else []),
        ]
        if below:
            lines += [f"Received: from somewhere by relay.{domain}; Fri, 15 Jan 2027 07:59:00 +0000", below]
        return "\n".join(lines).encode() + b"\n" + source

    def one(self, *of: str) -> str:
        return self.chance.choice(of)
