"""Mails of many kinds, from a seed: what a real Maildir holds, and what no mailbox should."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

KINDS = ("plain", "charset", "unknown_charset", "html", "alternative", "nested", "attachment", "no_date", "broken",
         "raw_header", "list", "auto", "reply", "huge", "empty")  # fmt: skip


def mail(
    sender: str = "Alice <alice@example.com>",
    to: str = "me@example.org",
    subject: str = "Hello",
    text: str = "Hello there.",
    number: int = 0,
    **headers: str,
) -> bytes:
    """One plain mail; ``headers`` are further ones, ``_`` for ``-``."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Date"] = format_datetime(datetime.fromtimestamp(1_790_000_000 + number * 60, UTC))
    message["Message-ID"] = headers.pop("Message_ID", f"<m{number}@example.com>")
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


def varied(number: int, seed: int = 0) -> bytes:
    """The ``number``-th mail of an endless varied mailbox; its subject holds ``#<number>``."""
    chance = random.Random(seed * 1_000_003 + number)
    kind = KINDS[number % len(KINDS)]
    head = f"From: P{number % 37} <p{number % 37}@example.com>\nTo: me@example.org\nSubject: #{number} {kind}\n"
    head += f"Message-ID: <v{number}.{seed}@example.com>\n"
    dated = head + f"Date: {format_datetime(datetime.fromtimestamp(1_790_000_000 + number * 60, UTC))}\n"
    words = ["project", "phoenix", "meets", "friday", "budget", "lunch", "grün", "naïve", "日本"]
    body = " ".join(chance.choices(words, k=80))
    if kind == "charset":
        charset = chance.choice(["iso-8859-1", "utf-16", "koi8-r", "shift_jis", "gb2312", "utf-7", "windows-1251"])
        return f"{dated}Content-Type: text/plain; charset={charset}\n\n".encode() + body.encode(charset, "replace")
    if kind == "unknown_charset":
        return f"{dated}Content-Type: text/plain; charset=x-nonsense\n\n".encode() + body.encode()
    if kind == "raw_header":
        return dated.replace("raw_header", "Grüße").encode("latin-1") + b"\n" + body.encode("latin-1", "replace")
    if kind == "no_date":
        return f"{head}\n{body}".encode()
    if kind == "broken":
        return (
            f"{dated}Content-Type: multipart/mixed; boundary=\n\n--x\nContent-Transfer-Encoding: base64\n\n%%%".encode()
        )
    if kind == "empty":
        return dated.encode()
    message = EmailMessage()
    for line in dated.splitlines():
        name, _, value = line.partition(": ")
        message[name] = value
    if kind == "html":
        message.set_content(f"<p>{body}</p><p style='display:none'>hidden</p>", subtype="html")
        return message.as_bytes()
    if kind == "list":
        message["List-Id"] = "<dev.example.com>"
    if kind == "auto":
        message["Auto-Submitted"] = "auto-replied"
    if kind == "reply" and number > 15:
        message["References"] = f"<v{number - 15}.{seed}@example.com>"
        body += "\n\nOn Mon, Bob wrote:\n> old words\n"
    message.set_content(body * (3000 if kind == "huge" and number % 90 == 13 else 1))
    if kind in ("alternative", "nested"):
        message.add_alternative(f"<b>{body}</b>", subtype="html")
    if kind in ("attachment", "nested"):
        message.add_attachment(
            b"%PDF" + body.encode(), maintype="application", subtype="pdf", filename=f"ü{number}.pdf"
        )
    return message.as_bytes()


def make_maildir(root: Path) -> Path:
    for part in ("new", "cur", "tmp"):
        (root / part).mkdir(parents=True, exist_ok=True)
    return root


def deliver(root: Path, source: bytes, name: str) -> Path:
    """Deliver as a mail server does: written in ``tmp``, moved to ``new``."""
    written = root / "tmp" / name
    written.write_bytes(source)
    return written.rename(root / "new" / name)
