"""The real program in plain lines, killed around the attempt to archive a mail: it is done once, or not, and told."""

from __future__ import annotations

import re
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.connectors.imap.servers import PASSWORD, USER, Server
from tests.connectors.imap.test_kill import CONFIG
from tests.domains.mail.mails import mail
from tests.living.test_intake_kill import stored
from tests.terminal import Terminal


def plain(home: Path, kill_at: str = "") -> Terminal:
    environment = {"IMAP_PASSWORD": PASSWORD, "PEPPER_KILL_AT": kill_at, "OPENAI_API_KEY": ""}
    return Terminal([sys.executable, "-m", "pepper_tui", "--home", str(home), "--plain"], environment, (200, 60))


def item(lines: Terminal, words: str) -> str:
    """Ask for the inbox until an item holds ``words``; its number."""
    asked = 0.0

    def there() -> bool:
        nonlocal asked
        if time.monotonic() - asked > 1.5:
            asked = time.monotonic()
            lines.type("/inbox")
            lines.press("enter")
        return number() != ""

    def number() -> str:
        found = [
            re.match(r"(?:Inbox, )?(\d+): (?!\w+ signal)", line) for line in lines.text.splitlines() if words in line
        ]
        return next((each[1] for each in found if each), "")

    lines.wait_for(there, 60)
    return number()


@pytest.mark.parametrize(
    ("kill_at", "says", "inbox", "archive"),
    [
        ("attempt_committed", "did not happen", ["<m1@example.com>"], []),
        ("mails_filed", "did happen", [], ["<m1@example.com>"]),
    ],
)
def test_a_kill_around_the_attempt_is_told_looked_up_and_nothing_is_done_twice(
    server: Server, tmp_path: Path, kill_at: str, says: str, inbox: list[str], archive: list[str]
) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text(CONFIG.format(port=server.port, user=USER), encoding="utf-8")
    with server.other() as other:
        other.client.create_folder("Archive")
        with plain(home, kill_at) as lines:
            lines.wait_for(lambda: stored(home, "feed.imap") == 1, 60)
            other.deliver(mail(number=1, subject="Lunch"))
            number = item(lines, "Lunch")
            lines.type(f"/archive {number}")
            lines.press("enter")
            assert lines.wait_dead(15) == signal.SIGKILL
        with plain(home) as lines:
            lines.type(f"/answer {item(lines, 'Archive 1 mail')} check")
            lines.press("enter")
            lines.wait_for(says)
            assert (other.ids("INBOX"), other.ids("Archive")) == (inbox, archive)
