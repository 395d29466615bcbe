"""A first sync, beside what any program would do with the same library.

- *Bare* is the fetch alone: the same bytes, one connection, one thread, thrown away.
- *Least* is the least that a program does which shows mail and finds it again: the same fetch, each mail read by the
  standard library's parser (sender, recipients, subject, date and the text, as its documentation reads them), and a row
  in a table and in a full-text index of SQLite, some hundred to a commit. One process, one thread, nothing judged.

Each is timed with its processor time, which other load on the machine changes less; Pepper's is that of its processes
together, its start included. All take turns, so the ratios are of one run.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import Final

from bench.measured import Measured

ROUNDS: Final = 1  # a round of 20,000 mails takes minutes
LIMIT: Final = 900.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")

Fetch = Callable[[], Iterable[Sequence[bytes]]]
"""Fetches all mails of the account, some at a time."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds by the clock, and of the processor."""

    wall: float
    cpu: float


@dataclass(slots=True)
class Sync:
    """One first sync: seconds to the first mail that is stored, until all are, and of the processor; memory in MB."""

    first: float = LIMIT
    done: float = LIMIT
    cpu: float = LIMIT
    memory: float = 0.0


def bare(fetch: Fetch) -> Spent:
    return _timed(lambda: [len(piece) for piece in fetch()])


def least(fetch: Fetch, file: Path) -> Spent:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.executescript(
            "PRAGMA journal_mode = WAL; CREATE TABLE mails (id INTEGER PRIMARY KEY, message_id TEXT, sender TEXT,"
            " recipients TEXT, subject TEXT, date TEXT, text TEXT);"
            "CREATE VIRTUAL TABLE words USING fts5 (text, content = '');"
        )

        def take() -> None:
            for piece in fetch():
                rows = [_read(source) for source in piece]
                connection.execute("BEGIN")
                for row in rows:
                    made = connection.execute("INSERT INTO mails VALUES (NULL, ?, ?, ?, ?, ?, ?)", row)
                    words = "\n".join((row[3], row[1], row[5]))
                    connection.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (made.lastrowid, words))
                connection.execute("COMMIT")

        return _timed(take)


def _read(source: bytes) -> tuple[str, ...]:
    mail = message_from_bytes(source, policy=policy.default)
    body = mail.get_body(("plain", "html"))
    headers = (str(mail[name] or "") for name in ("Message-ID", "From", "To", "Subject", "Date"))
    return (*headers, str(body.get_content()) if body else "")


def _timed(act: Callable[[], object]) -> Spent:
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def count(home: Path, namespace: str) -> int:
    try:
        with closing(sqlite3.connect(f"file:{home / 'pepper.db'}?mode=ro", uri=True, timeout=0.5)) as connection:
            query = "SELECT count(*) FROM contexts c JOIN namespaces n ON n.id = c.ns WHERE n.name = ?"
            found: int = connection.execute(query, (namespace,)).fetchone()[0]
            return found
    except sqlite3.Error:
        return 0


def sync(home: Path, mails: int, program: Sequence[str] = ("-m", "pepper_tui")) -> Sync:
    """A first start without a screen, until every mail is stored, indexed and a signal."""
    command = [sys.executable, *program, "--home", str(home), "run", "--headless"]
    began, found = time.perf_counter(), Sync()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while (passed := time.perf_counter() - began) < LIMIT:
            there = count(home, "signals.mail")
            found.first = min(found.first, passed) if there else LIMIT
            if there >= mails:
                found.done, found.cpu = passed, sum(_cpu(each) for each in family(process.pid))
                break
            time.sleep(0.2)
        found.memory = memory(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    return found


def family(process: int) -> Iterator[int]:
    """The process, and those that it has started."""
    yield process
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from family(int(child))


def _cpu(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS  # its own, and of children that have ended


def memory(process: int) -> float:
    """Megabytes of resident memory."""
    return int(Path(f"/proc/{process}/status").read_text().partition("VmRSS:")[2].split()[0]) / 1024


def compared(
    name: str, mails: int, folder: Path, fetch: Fetch, home: Callable[[int], Path], program: Sequence[str]
) -> list[Measured]:
    """The rows of so many rounds; ``home`` makes one for each."""
    bares, leasts, syncs = [], [], []
    for number in range(ROUNDS):
        bares.append(bare(fetch))
        leasts.append(least(fetch, folder / f"{name}-least{number}.db"))
        syncs.append(sync(home(number), mails, program))

    def ratio(those: list[Spent], *, cpu: bool) -> float:
        pairs = zip(syncs, those, strict=True)
        return statistics.median(a.cpu / b.cpu if cpu else a.done / b.wall for a, b in pairs)

    def each(those: list[Spent], *, cpu: bool) -> float:
        return statistics.median((one.cpu if cpu else one.wall) for one in those) / mails * 1000

    told, share = f"{name}.sync", "… of the processor, all processes together"
    return [
        Measured(f"{told}.first", statistics.median(one.first for one in syncs), "s", "until the first mail is in"),
        Measured(told, statistics.median(one.done for one in syncs), "s", f"until all {mails:,} are in"),
        Measured(
            f"{told}.cpu",
            statistics.median(one.cpu for one in syncs) / mails * 1000,
            "ms",
            "a mail: all processes together",
        ),
        Measured(f"{told}.bare", each(bares, cpu=False), "ms", "a mail: the fetch alone"),
        Measured(f"{told}.bare.cpu", each(bares, cpu=True), "ms", share),
        Measured(f"{told}.least", each(leasts, cpu=False), "ms", "a mail: fetched, read by the library, indexed"),
        Measured(f"{told}.least.cpu", each(leasts, cpu=True), "ms", share),
        Measured(f"{told}.ratio", ratio(bares, cpu=False), "x", "<= 1.5: to the fetch alone"),
        Measured(f"{told}.ratio.cpu", ratio(bares, cpu=True), "x", share),
        Measured(f"{told}.least.ratio", ratio(leasts, cpu=False), "x", "<= 1.5: to fetch, parser and index alone"),
        Measured(f"{told}.least.ratio.cpu", ratio(leasts, cpu=True), "x", share),
        Measured(f"{told}.memory", max(one.memory for one in syncs), "MB", f"after it, with {mails:,}"),
    ]
