"""A first look at much mail that is killed again and again: each mail is taken in once, and none is news."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from tests.domains.mail.mails import deliver, mail, make_maildir, varied

MAILS = 300
CONFIG = """
[user]
addresses = ["me@example.org"]
vips = ["alice@example.com"]
zone = "UTC"
[mail]
maildir = ["{maildir}"]
"""
COUNT = (
    "SELECT count(*), count(DISTINCT c.context_id) FROM contexts c JOIN namespaces n ON n.id = c.ns"
    " WHERE n.name = ? AND c.deleted = 0"
)


def stored(home: Path, namespace: str) -> int:
    try:
        with closing(sqlite3.connect(f"file:{home / 'pepper.db'}?mode=ro", uri=True)) as connection:
            found, different = connection.execute(COUNT, (namespace,)).fetchone()
            assert found == different
            return int(found)
    except sqlite3.OperationalError:
        return 0  # not made yet


def updates(home: Path, namespace: str) -> int:
    with closing(sqlite3.connect(f"file:{home / 'pepper.db'}?mode=ro", uri=True)) as connection:
        query = "SELECT count(*) FROM updates u JOIN namespaces n ON n.id = u.ns WHERE n.name = ?"
        return int(connection.execute(query, (namespace,)).fetchone()[0])


def until_stored(process: subprocess.Popen[bytes], home: Path, namespace: str, count: int) -> None:
    deadline = time.monotonic() + 90
    while stored(home, namespace) < count:
        assert time.monotonic() < deadline, (namespace, stored(home, namespace))
        assert process.poll() is None
        time.sleep(0.02)


def test_kills_in_the_middle_lose_no_mail_and_take_none_twice(tmp_path: Path) -> None:
    home, root = tmp_path / "home", make_maildir(tmp_path / "m")
    home.mkdir()
    (home / "config.toml").write_text(CONFIG.format(maildir=root), encoding="utf-8")
    for number in range(MAILS):
        deliver(root, varied(number), f"n{number}")
    environment = {name: value for name, value in os.environ.items() if name != "OPENAI_API_KEY"}
    command = [sys.executable, "-m", "pepper_tui", "--home", str(home), "run", "--headless"]
    for kill_at in (20, 100, 200, 0):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until_stored(process, home, "raw.mail", kill_at or MAILS)
            if kill_at == 100:
                deliver(root, mail(number=2, subject="Now"), "while-it-is-taken-in")
            if not kill_at:
                until_stored(process, home, "signals.mail", MAILS + 1)
        finally:
            process.kill()
            process.wait()
    assert (stored(home, "raw.mail"), stored(home, "signals.mail")) == (MAILS + 1, MAILS + 1)
    assert (updates(home, "raw.mail"), updates(home, "signals.mail")) == (MAILS + 1, MAILS + 1)
    with closing(sqlite3.connect(f"file:{home / 'pepper.db'}?mode=ro", uri=True)) as connection:
        query = (
            "SELECT json_extract(u.data, '$.priority') FROM contexts c JOIN namespaces n ON n.id = c.ns"
            " JOIN updates u ON u.seq = c.seq WHERE n.name = 'signals.mail'"
        )
        news = [each for (each,) in connection.execute(query) if each != "log"]
    assert news == ["high"]
