"""Mail accounts at a server: the first sync beside a bare fetch, a push on the screen, memory, and the first frame.

``python -m bench.accounts [MAILS]`` prints the rows; ``rows()`` returns them. The server is the IMAP tests' own, on the
loopback device: pymap, or Dovecot where ``PEPPER_IMAP=dovecot``. The bare fetch asks for the same bytes with the same
library, in one thread, and throws them away; it and Pepper take turns.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from bench.intake import letter
from bench.measured import Measured, percentile
from bench.screen import COMPOSER, running
from tests.connectors.imap.certificate import self_signed
from tests.connectors.imap.servers import PASSWORD, USER, Server
from tests.connectors.imap.servers import running as serving

MAILS = 20_000
ROUNDS = 3
PUSHES = 40
STARTS = 7
PIECE = 200  # mails of one bare fetch
LIMIT = 900.0
CONFIG = """
[user]
name = "Alex"
addresses = ["alex@example.com"]
zone = "UTC"
"""
ACCOUNT = """
[[account]]
id = "{ident}"
kind = "imap"
address = "alex@example.com"
host = "127.0.0.1"
port = {port}
user = "{user}"
security = "none"
password = "env:IMAP_PASSWORD"
"""


def bare(server: Server) -> float:
    """Seconds to fetch all mails of the INBOX."""
    with server.other() as other:
        other.client.normalise_times = False
        began = time.perf_counter()
        other.client.select_folder("INBOX", readonly=True)
        uids = other.client.search()
        for at in range(0, len(uids), PIECE):
            other.client.fetch(uids[at : at + PIECE], ["BODY.PEEK[]", "INTERNALDATE", "RFC822.SIZE"])
        return time.perf_counter() - began


def home_in(folder: Path, *ports: int) -> Path:
    folder.mkdir(mode=0o700)
    accounts = [ACCOUNT.format(ident=f"work{n}", port=port, user=USER) for n, port in enumerate(ports)]
    (folder / "config.toml").write_text(CONFIG + "".join(accounts), encoding="utf-8")
    return folder


def count(home: Path, namespace: str) -> int:
    try:
        with closing(sqlite3.connect(f"file:{home / 'pepper.db'}?mode=ro", uri=True, timeout=0.5)) as connection:
            query = "SELECT count(*) FROM contexts c JOIN namespaces n ON n.id = c.ns WHERE n.name = ?"
            found: int = connection.execute(query, (namespace,)).fetchone()[0]
            return found
    except sqlite3.Error:
        return 0


@dataclass
class Sync:
    """One first sync: seconds to the first mail and to the last, and the memory of the process after it, in MB."""

    first: float = LIMIT
    done: float = LIMIT
    memory: float = 0.0


def first_sync(home: Path, mails: int) -> Sync:
    """A first start without a screen, until every mail is stored."""
    command = [sys.executable, "-m", "pepper_tui", "--home", str(home), "run", "--headless"]
    began, sync = time.perf_counter(), Sync()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while (passed := time.perf_counter() - began) < LIMIT:
            there = count(home, "raw.mail")
            sync.first = min(sync.first, passed) if there else LIMIT
            if there >= mails:
                sync.done = passed
                break
            time.sleep(0.1)
        while count(home, "signals.mail") < mails and time.perf_counter() - began < LIMIT:
            time.sleep(0.5)
        status = Path(f"/proc/{process.pid}/status").read_text()
        sync.memory = int(status.partition("VmRSS:")[2].split()[0]) / 1024
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    return sync


def newcomer(name: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"] = f"{name} <{name.lower()}@example.net>", "Alex <alex@example.com>"
    mail["Subject"], mail["Message-ID"] = "Are you there?", f"<{name}@example.net>"
    mail.set_content("I have just written this.\n")
    return mail.as_bytes()


def pushes(server: Server, home: Path) -> list[float]:
    """Seconds from the delivery of a mail at the server to its sender's name on the screen."""
    chance, found = random.Random(3), []
    with server.other() as other, running("-m", "pepper_tui", "--home", str(home)) as program:
        program.until(COMPOSER)
        until = time.perf_counter() + 8.0
        while time.perf_counter() < until:
            program.read(0.1)
        for _ in range(PUSHES):
            name = "".join(chance.choices("BCDFGHJKLMNPQRSTVWXZ", k=8)).capitalize()
            program.forget()
            began = time.perf_counter()
            other.deliver(newcomer(name))
            program.until(name.encode())
            found.append(time.perf_counter() - began)
            until = time.perf_counter() + chance.uniform(0.2, 0.8)
            while time.perf_counter() < until:
                program.read(0.05)
    return found


def first_frame(home: Path) -> float:
    began = time.perf_counter()
    with running("-m", "pepper_tui", "--home", str(home)) as program:
        program.until(COMPOSER)
        return time.perf_counter() - began


@contextmanager
def filled(folder: Path, mails: int) -> Iterator[Server]:
    """A server whose INBOX holds so many mails."""
    certificate, chance = self_signed(folder), random.Random(1)
    with serving(folder, certificate.file, certificate.key) as server:
        with server.other() as other:
            for at in range(0, mails, 500):
                other.deliver(*(letter(number, chance) for number in range(at, min(mails, at + 500))))
        yield server


def rows(mails: int = MAILS) -> list[Measured]:
    os.environ["IMAP_PASSWORD"] = PASSWORD
    with tempfile.TemporaryDirectory(prefix="pepper-bench-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        with filled(folder, mails) as server:
            syncs, ratios = [], []
            for number in range(ROUNDS):
                alone = bare(server)
                syncs.append(first_sync(home_in(folder / f"sync{number}", server.port), mails))
                ratios.append(syncs[-1].done / alone)
            came = pushes(server, folder / "sync0")
            without, with_four = home_in(folder / "none"), home_in(folder / "four", *[server.port] * 4)
            frames = [(first_frame(without), first_frame(with_four)) for _ in range(STARTS)]
    return [
        Measured("accounts.first", statistics.median(each.first for each in syncs), "s", "until the first mail is in"),
        Measured("accounts.sync", statistics.median(each.done for each in syncs), "s", f"until all {mails:,} are in"),
        Measured("accounts.sync.ratio", statistics.median(ratios), "x", "<= 1.5: to a bare fetch in the same run"),
        Measured("accounts.memory", max(each.memory for each in syncs), "MB", f"<= 150 at 50,000; here {mails:,}"),
        Measured("accounts.push.p50", percentile(came, 0.5), "s", "<= 2: from the server to the screen"),
        Measured("accounts.push.p95", percentile(came, 0.95), "s", "<= 2"),
        Measured(
            "accounts.frame.ratio",
            statistics.median(four for _, four in frames) / statistics.median(none for none, _ in frames),
            "x",
            "<= 1.05: the first frame with four accounts, to none",
        ),
    ]


if __name__ == "__main__":
    for row in rows(int(sys.argv[1]) if len(sys.argv) > 1 else MAILS):
        print(f"{row.name:24} {row.value:12,.2f} {row.unit:9} {row.goal}".rstrip())
