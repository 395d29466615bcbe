"""What accounts cost the screen: a mail from the server on it, the first frame, and the memory with much mail."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from pathlib import Path

from bench.accounts.homes import with_imap
from bench.accounts.kept_mail import keep_mail
from bench.measured import Measured, percentile
from bench.screen import COMPOSER, Program, running
from tests.connectors.imap.certificate import self_signed
from tests.connectors.imap.servers import running as serving

PUSHES = 40
STARTS = 9
SETTLE = 8.0
TO_THE_INBOX = "\x14"
"""Ctrl+T."""


def newcomer(name: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"] = f"{name} <{name.lower()}@example.net>", "Alex <alex@example.com>"
    mail["Subject"], mail["Message-ID"] = "Are you there?", f"<{name}@example.net>"
    mail.set_content("I have just written this.\n")
    return mail.as_bytes()


def pushed(
    name: str, home: Path, deliver: Callable[[bytes], object], goal: str, program: Sequence[str] = ("-m", "pepper_tui")
) -> list[Measured]:
    """Seconds from the delivery of a mail at the server to its sender's name on the screen."""
    chance, found = random.Random(3), []
    with running(*program, "--home", str(home)) as screen:
        screen.until(COMPOSER)
        _rest(screen, SETTLE)
        for _ in range(PUSHES):
            sender = "".join(chance.choices("BCDFGHJKLMNPQRSTVWXZ", k=8)).capitalize()
            screen.forget()
            began = time.perf_counter()
            deliver(newcomer(sender))
            screen.until(sender.encode())
            found.append(time.perf_counter() - began)
            _rest(screen, chance.uniform(0.2, 0.8))
    return [
        Measured(f"{name}.push.p50", percentile(found, 0.5), "s", goal),
        Measured(f"{name}.push.p95", percentile(found, 0.95), "s", goal),
    ]


def _rest(screen: Program, seconds: float) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        screen.read(0.05)


def first_frame(home: Path) -> float:
    """Milliseconds from the start to the first paint that holds the composer."""
    with running("-m", "pepper_tui", "--home", str(home)) as screen:
        return screen.until(COMPOSER)


def used(home: Path) -> tuple[float, float]:
    """Memory in MB soon after the start, and after reading in the mail list, a filter, a search and an order."""
    with running("-m", "pepper_tui", "--home", str(home)) as screen:
        screen.until(COMPOSER)
        _rest(screen, SETTLE)
        started = screen.memory
        for keys in (TO_THE_INBOX, "m", "j" * 40, "\r", "J" * 5, "\x1b", "o", "/w1\r", "\r", "\x1b", "\x1b"):
            screen.write(keys)
            _rest(screen, 2.0)
        screen.write("search mail w5 w7\r")
        _rest(screen, SETTLE)
        return started, screen.memory


def rows(folder: Path, kept: int) -> list[Measured]:
    certificate = self_signed(folder)
    with serving(folder, certificate.file, certificate.key) as server:
        without, with_four = with_imap(folder / "none"), with_imap(folder / "four", *[server.port] * 4)
        frames = []
        for number in range(STARTS + 1):
            pair = [without, with_four] if number % 2 else [with_four, without]
            took = {home: first_frame(home) for home in pair}
            if number:  # the first turn fills the file cache
                frames.append((took[without], took[with_four]))
        much = with_imap(folder / "much", *[server.port] * 4)
        asyncio.run(keep_mail(much, kept))
        started, after = used(much)
    none, four = (statistics.median(each) for each in zip(*frames, strict=True))
    return [
        Measured("accounts.frame.none", none, "ms", "first frame without accounts"),
        Measured("accounts.frame.four", four, "ms", "… with four"),
        Measured("accounts.frame.ratio", statistics.median(b / a for a, b in frames), "x", "<= 1.05: in pairs"),
        Measured("accounts.memory.start", started, "MB", f"<= 150: four accounts, {kept:,} mails, after the start"),
        Measured("accounts.memory", after, "MB", "<= 150: … after the mail list, an open thread, a search"),
    ]
