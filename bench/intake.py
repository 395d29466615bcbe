"""A first start on a Maildir of 20,000 mails, on the real screen in a pty.

``python -m bench.intake`` prints the rows; ``rows()`` returns them. Keys come at a steady rate while the mail is taken
in, and a key's time is from its byte written to its character read. In the middle a mail is delivered to ``new/``: it
is on the screen once the sender's name is.
"""

from __future__ import annotations

import random
import re
import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from bench.growth import words
from bench.measured import Measured, percentile
from bench.screen import ALPHABET, COMPOSER, running

MAILS = 20_000
RUNS = 3
PACE = 0.12  # seconds between two keys
LIMIT = 240.0
NEWCOMER = "Zoe Quill"
CONFIG = """
[user]
name = "Alex"
addresses = ["alex@example.com"]
zone = "UTC"
[mail]
maildir = ["{maildir}"]
"""


def letter(number: int, chance: random.Random) -> bytes:
    """A mail as people and lists send them: plain, HTML, with an attachment, in a thread."""
    mail = EmailMessage()
    person = number % 300
    mail["From"] = f"Person {person} <person{person}@example{number % 40}.org>"
    mail["To"] = "Alex <alex@example.com>"
    mail["Subject"] = words(chance, 6)
    mail["Date"] = format_datetime(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number))
    mail["Message-ID"] = f"<{number}.{person}@example.org>"
    if number % 3 == 0:
        mail["In-Reply-To"] = mail["References"] = f"<{max(0, number - 3)}.{person}@example.org>"
    if number % 5 == 0:
        mail["List-Id"] = "<news.example.org>"
    text = "\n".join(words(chance, 12) for _ in range(chance.randint(3, 40)))
    if number % 4 == 0:
        mail.set_content(text)
        mail.add_alternative(
            f"<html><body>{'<p>' + text.replace(chr(10), '</p><p>')}</p></body></html>", subtype="html"
        )
    else:
        mail.set_content(text)
    if number % 10 == 0:
        mail.add_attachment(chance.randbytes(8_000), maintype="application", subtype="pdf", filename="offer.pdf")
    return mail.as_bytes()


def fill(maildir: Path, count: int = MAILS) -> None:
    """A Maildir of ``count`` mails that have been read before."""
    chance = random.Random(1)
    for part in ("new", "cur", "tmp"):
        (maildir / part).mkdir(parents=True)
    for number in range(count):
        (maildir / "cur" / f"{1_767_000_000 + number}.{number}.host:2,S").write_bytes(letter(number, chance))


def deliver(maildir: Path) -> None:
    """A mail that arrives now."""
    mail = EmailMessage()
    mail["From"], mail["To"] = f"{NEWCOMER} <zoe@example.net>", "Alex <alex@example.com>"
    mail["Subject"], mail["Message-ID"] = "Are you there?", "<zoe@example.net>"
    mail.set_content("I have just written this.\n")
    kept = maildir / "tmp" / "1799999999.zoe.host"
    kept.write_bytes(mail.as_bytes())
    kept.rename(maildir / "new" / kept.name)


@dataclass
class Run:
    """What one start showed. Seconds, but for ``keys`` (milliseconds) and ``memory`` (MB)."""

    keys: list[float] = field(default_factory=list)
    newcomer: float = 0.0
    done: float = 0.0
    memory: float = 0.0
    progress: set[str] = field(default_factory=set)


def stored(home: Path) -> int:
    """How many mails have become signals."""
    try:
        with closing(sqlite3.connect(f"file:{home / 'pepper.db'}?mode=ro", uri=True, timeout=0.5)) as connection:
            query = "SELECT count(*) FROM contexts c JOIN namespaces n ON n.id = c.ns WHERE n.name = 'signals.mail'"
            found: int = connection.execute(query).fetchone()[0]
            return found
    except sqlite3.Error:
        return 0


def once(maildir: Path, home: Path, count: int) -> Run:
    """One first start until all mail is in."""
    (home / "config.toml").write_text(CONFIG.format(maildir=maildir), encoding="utf-8")
    run, delivered, shown = Run(), 0.0, b""
    letters: list[str] = []
    chance = random.Random(2)
    with running("-m", "pepper_tui", "--home", str(home)) as program:
        program.until(COMPOSER)
        began = looked = time.perf_counter()
        while time.perf_counter() - began < LIMIT:
            quiet = time.perf_counter() + PACE
            if not letters:
                letters = chance.sample(ALPHABET, 30)
                if run.keys:
                    program.write("\x15")
                    quiet += 4 * PACE  # it takes more hops than a letter, which must not overtake it
            while time.perf_counter() < quiet:
                program.read(0.01)
            shown += program.seen
            program.forget()
            key = letters.pop()
            sent = time.perf_counter()
            program.write(key)
            program.until(key.encode())
            run.keys.append((time.perf_counter() - sent) * 1000)
            shown += program.seen
            program.forget()
            run.progress.update(each.decode() for each in re.findall(rb"taking in your mail: [\d,]+ of [\d,]+", shown))
            now = time.perf_counter()
            if delivered and not run.newcomer and NEWCOMER.encode() in shown:
                run.newcomer = now - delivered
            shown = shown[-200:]
            if now - looked > 1.0:
                looked, there = now, stored(home)
                if not delivered and there > count // 3:
                    delivered = now
                    deliver(maildir)
                if there > count and run.newcomer:
                    run.done = now - began
                    break
        run.memory = program.memory
    for each in (maildir / "new").iterdir():
        each.unlink()
    return run


def rows(runs: int = RUNS, count: int = MAILS) -> list[Measured]:
    """The figures, the worst of the runs."""
    found = []
    with tempfile.TemporaryDirectory(prefix="pepper-bench-") as folder:
        maildir = Path(folder) / "Maildir"
        fill(maildir, count)
        for number in range(runs):
            home = Path(folder) / f"home{number}"
            home.mkdir()
            found.append(once(maildir, home, count))
    keys = [percentile(run.keys, 0.99) for run in found]
    return [
        Measured("intake.key.p50", max(percentile(run.keys, 0.5) for run in found), "ms", "while mail is taken in"),
        Measured("intake.key.p99", max(keys), "ms", "<= 80, in each of three runs"),
        Measured("intake.key.max", max(max(run.keys) for run in found), "ms", "<= 250"),
        Measured("intake.newcomer", max(run.newcomer or LIMIT for run in found), "s", "<= 2: a new mail is on screen"),
        Measured("intake.done", max(run.done or LIMIT for run in found), "s", f"<= 60: all {count:,} are in"),
        Measured("intake.memory", max(run.memory for run in found), "MB", ""),
        Measured("intake.progress", min(len(run.progress) for run in found), "", "how often progress was another"),
    ]


if __name__ == "__main__":
    for row in rows():
        print(f"{row.name:24} {row.value:12,.2f} {row.unit:9} {row.goal}".rstrip())
