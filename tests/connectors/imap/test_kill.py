"""The real program on an account, killed in the midst of its first look and while it watches."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.connectors.imap.servers import PASSWORD, USER, Server
from tests.domains.mail.mails import mail, varied
from tests.living.test_intake_kill import stored, until_stored, updates

MAILS = 200
CONFIG = """
[user]
vips = ["alice@example.com"]
zone = "UTC"
[[account]]
id = "work"
kind = "imap"
address = "me@example.org"
host = "127.0.0.1"
port = {port}
user = "{user}"
security = "none"
password = "env:IMAP_PASSWORD"
"""


def news(home: Path) -> list[str]:
    query = (
        "SELECT json_extract(u.data, '$.metadata.message_id') FROM contexts c JOIN namespaces n ON n.id = c.ns"
        " JOIN updates u ON u.seq = c.seq WHERE n.name = 'signals.mail' AND json_extract(u.data, '$.priority') != 'log'"
    )
    with closing(sqlite3.connect(f"file:{home / 'pepper.db'}?mode=ro", uri=True)) as connection:
        return sorted(each for (each,) in connection.execute(query))


def test_kills_lose_no_mail_and_take_none_twice(server: Server, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text(CONFIG.format(port=server.port, user=USER), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "OPENAI_API_KEY"}
    environment["IMAP_PASSWORD"] = PASSWORD
    command = [sys.executable, "-m", "pepper_tui", "--home", str(home), "run", "--headless"]
    with server.other() as other:
        other.deliver(*map(varied, range(MAILS)))
        for kill_at, signals in ((20, 0), (80, 0), (140, 0), (MAILS + 2, MAILS + 2), (MAILS + 3, MAILS + 3)):
            process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                if kill_at == 140:
                    other.deliver(mail(number=1, subject="While it was down"))
                until_stored(process, home, "raw.mail", min(kill_at, 160))
                if kill_at == 140:
                    other.deliver(mail(number=2, subject="Meanwhile"))
                if kill_at == MAILS + 3:
                    other.deliver(mail(number=3, subject="Later"))
                until_stored(process, home, "raw.mail", kill_at)
                until_stored(process, home, "signals.mail", signals)
            finally:
                process.kill()
                process.wait()
    for namespace in ("raw.mail", "signals.mail"):
        assert (stored(home, namespace), updates(home, namespace)) == (MAILS + 3, MAILS + 3)
    assert news(home) == [f"<m{number}@example.com>" for number in (1, 2, 3)]
