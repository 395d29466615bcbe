"""One terminal session with mail where it lives: come, answered, filed and taken back, without a model.

The real program in a real pty; a server of others for IMAP (Dovecot where ``PEPPER_IMAP`` asks for it), the double for
Google. What counts is read at the servers.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from pepper_tui.boundary.secret_keeper import keeper_of
from pepper_tui.config import load_config
from pepper_tui.connectors.gmail.service import MODIFY
from pepper_tui.connectors.gmail.settings import Gmail
from pepper_tui.connectors.google_account.sign_in.grant import Client, Grant, keep
from tests.connectors.gmail.account import allow, said
from tests.connectors.imap.certificate import self_signed
from tests.connectors.imap.proxy import Proxy
from tests.connectors.imap.servers import PASSWORD, USER, Server, running
from tests.domains.mail.mails import deliver, mail, make_maildir
from tests.google import Google
from tests.google.process import GoogleProcess
from tests.google.sign_in import CLIENT
from tests.living.world import CountingSmtp
from tests.stored import stored
from tests.terminal import Terminal

ALEX = "alex@example.com"
HEAD = """
[user]
name = "Alex"
zone = "UTC"
vips = ["alice@example.com"]
[tools]
undo_seconds = 2
[[account]]
"""
PEPPER = [sys.executable, "-m", "pepper_tui"]
QUIET = {"OPENAI_API_KEY": "", "CLIENT_SECRET": CLIENT["client_secret"]}
SOON = 2.0
QUICK = "probe = 1\ntimeout = 3"


class Place(Protocol):
    """An account where it lives, as somebody sees it who is not Pepper."""

    wait: float

    def settle(self, home: Path) -> None: ...
    def deliver(self, raw: bytes) -> None: ...
    def inbox(self) -> list[str]: ...
    def archived(self) -> list[str]: ...
    def arrived(self) -> list[bytes]: ...
    def copies(self) -> int: ...
    def answered(self, message_id: str) -> bool: ...
    def delete(self, message_id: str) -> None: ...


class AtImap:
    wait = SOON

    def __init__(self, server: Server, smtp: CountingSmtp) -> None:
        self._server, self._smtp = server, smtp

    def settle(self, home: Path) -> None:
        rows = f"""id = "work"
kind = "imap"
address = "{ALEX}"
host = "127.0.0.1"
port = {self._server.port}
security = "none"
user = "{USER}"
password = "secret:work"
archive = "Archive"
sent = "Sent Messages"
[account.smtp]
host = "127.0.0.1"
port = {self._smtp.port}
security = "none"
login = false
"""
        (home / "config.toml").write_text(HEAD + rows)
        (home / "secrets.toml").write_text(f"work = '''{PASSWORD}'''\n")
        (home / "secrets.toml").chmod(0o600)
        self._server.empty()
        with self._server.other() as other:
            for each in ("Archive", "Sent Messages"):
                other.client.create_folder(each)

    def deliver(self, raw: bytes) -> None:
        with self._server.other() as other:
            other.deliver(raw)

    def inbox(self) -> list[str]:
        return self._ids("INBOX")

    def archived(self) -> list[str]:
        return self._ids("Archive")

    def arrived(self) -> list[bytes]:
        return self._smtp.taken

    def copies(self) -> int:
        return len(self._ids("Sent Messages"))

    def answered(self, message_id: str) -> bool:
        with self._server.other() as other:
            other.client.select_folder("INBOX", readonly=True)
            return bool(other.client.search(["HEADER", "Message-ID", message_id, "ANSWERED"]))

    def delete(self, message_id: str) -> None:
        with self._server.other() as other:
            other.remove(message_id)

    def _ids(self, folder: str) -> list[str]:
        with self._server.other() as other:
            return other.ids(folder)


class AtGoogle:
    wait = SOON + 1  # one poll

    def __init__(self, google: Google) -> None:
        self._google = google

    def settle(self, home: Path) -> None:
        rows = "\n".join(f'{name} = "{value}"' for name, value in said(self._google.url).items())
        (home / "config.toml").write_text(f"{HEAD}scan_interval = 1\n{rows}\n")
        allow(self._google, Gmail.model_validate(load_config(home).account[0].own), home)

    def deliver(self, raw: bytes) -> None:
        self._google.mailbox.deliver(raw)

    def inbox(self) -> list[str]:
        return [ident for ident, labels in self._mails() if "INBOX" in labels]

    def archived(self) -> list[str]:
        return [ident for ident, labels in self._mails() if not {"INBOX", "SENT", "TRASH"} & labels]

    def arrived(self) -> list[bytes]:
        return [sent.raw for sent in self._google.mailbox.sent]

    def copies(self) -> int:
        return len([ident for ident, labels in self._mails() if "SENT" in labels])

    def answered(self, message_id: str) -> bool:
        return True  # the thread at Google says so itself

    def delete(self, message_id: str) -> None:
        mailbox = self._google.mailbox
        [found] = [each for each in mailbox.mails.values() if str(each.parsed["Message-ID"]) == message_id]
        mailbox.delete(found.id)

    def _mails(self) -> list[tuple[str, set[str]]]:
        with self._google.service.lock:
            return [(str(each.parsed["Message-ID"]), set(each.labels)) for each in self._google.mailbox.mails.values()]


@pytest.fixture(params=["imap", "gmail"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "gmail":
        with Google(ALEX) as google:
            yield AtGoogle(google)
        return
    smtp, certificate = CountingSmtp(), self_signed(tmp_path)
    smtp.start()
    try:
        with running(tmp_path, certificate.file, certificate.key) as server:
            yield AtImap(server, smtp)
    finally:
        smtp.stop()


def pressed_until(screen: Terminal, key: str, condition: str | Callable[[], bool]) -> None:
    """Press ``key`` until it counts: a card that has just appeared takes none."""
    holds = condition if callable(condition) else lambda: condition in screen.text
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, f"{key}: {condition}\n{screen.text}"
        screen.press(key)
        screen.pump(0.7)


def test_mail_comes_is_answered_filed_and_taken_back(place: Place, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    place.settle(home)
    ask = "Could you send me the room number?"
    with Terminal([*PEPPER, "--home", str(home)], QUIET) as screen:
        screen.wait_for(lambda: any(h["part"] == "feed.work" and h["state"] == "ok" for h, _ in stored(home, "health")))
        took = []
        for number in range(3):
            began = time.monotonic()
            place.deliver(mail(f"Ann{number} <ann{number}@x.example>", ALEX, f"Plan {number}", ask, number))
            screen.wait_for(f"Ann{number}")
            took.append(time.monotonic() - began)
        assert sorted(took)[1] < place.wait, took
        place.deliver(mail("Alice <alice@example.com>", ALEX, "Offsite", ask, 7))
        screen.wait_for("INBOX 1")

        screen.type("reply to alice: The room is 12.\r")
        pressed_until(screen, "f4", "EDIT Send mail to alice@example.com")
        screen.type_by_hand("Bring the plan. ")
        screen.press("\x13")
        screen.wait_for(lambda: "Bring the plan. The room is 12." in screen.text and "EDIT" not in screen.text)
        assert not place.arrived()
        pressed_until(screen, "f2", lambda: "sends in" in screen.text or bool(place.arrived()))
        screen.wait_for(lambda: bool(place.arrived()))
        screen.wait_for("Sent to alice@example.com, as you changed it.")
        screen.wait_for(lambda: place.answered("<m7@example.com>") and place.copies() == 1)
        [sent] = place.arrived()
        assert b"Bring the plan. The room is 12." in sent
        assert re.search(rb"In-Reply-To: <m7@example.com>", sent)

        place.deliver(mail("Alice <alice@example.com>", ALEX, "Lunch", "Shall we have lunch at the lake?", 8))
        screen.wait_for("lunch at the lake?")
        screen.press("\x14")  # to the inbox
        pressed_until(screen, "a", lambda: "<m8@example.com>" in place.archived())
        assert "<m8@example.com>" not in place.inbox()
        pressed_until(screen, "u", lambda: "<m8@example.com>" in place.inbox())
        assert "<m8@example.com>" not in place.archived()
        screen.wait_for("lunch at the lake?")  # its card is back

        place.delete("<m8@example.com>")  # by another program: its card ends
        screen.wait_for(lambda: "closed, as it was deleted" in str(stored(home, "undo")), 30)
        screen.wait_for(lambda: "INBOX 1" not in screen.text)
        assert (len(place.arrived()), place.copies()) == (1, 1)


def states(home: Path) -> dict[str, str]:
    return {each["part"]: each["state"] for each, _ in stored(home, "health")}


def troubles(home: Path) -> list[str]:
    """The parts that `pepper status` names as in trouble."""
    asked = [*PEPPER, "--home", str(home), "status"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=60).stdout
    return re.findall(r"^(\S+) +trouble", told, re.M)


def test_one_account_that_is_gone_holds_up_no_other_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    home, box = tmp_path / "home", make_maildir(tmp_path / "Mail")
    home.mkdir(mode=0o700)
    certificate, smtp = self_signed(tmp_path), CountingSmtp()
    with (
        running(tmp_path, certificate.file, certificate.key) as server,
        Proxy(server.port) as road,
        GoogleProcess(tmp_path / "google", ALEX) as google,
    ):
        AtImap(server, smtp).settle(home)
        config = (home / "config.toml").read_text().replace(f"port = {server.port}", f"port = {road.port}\n{QUICK}")
        rows = "\n".join(f'{name} = "{value}"' for name, value in said(google.url, "me").items())
        config = f'{config}\n[[account]]\nscan_interval = 1\n{rows}\n[mail]\nmaildir = ["{box}"]\n'
        (home / "config.toml").write_text(config)
        held = google.do("allow", MODIFY, user=ALEX)
        settings = Gmail.model_validate(load_config(home).account[1].own)
        client = Client(CLIENT["client_id"], CLIENT["client_secret"])
        keep(Grant(ALEX, client.ident, settings.api, held["refresh_token"], held["scopes"]), settings, keeper_of(home))

        def all_come(*subjects: str) -> bool:
            come = [each["subject"] for each, _ in stored(home, "raw.mail")]
            return sorted(come) == sorted(subjects)

        with Terminal([*PEPPER, "--home", str(home)], QUIET) as screen:
            parts = ("feed.work", "feed.me", "feed.mail")
            screen.wait_for(lambda: all(states(home).get(part) == "ok" for part in parts), 40)
            google.kill()
            deliver(box, mail(to=ALEX, subject="Folder", number=1), "1.new")
            with server.other() as other:
                other.deliver(mail(to=ALEX, subject="Imap", number=2))
            screen.wait_for(lambda: all_come("Folder", "Imap"))
            screen.wait_for(lambda: troubles(home) == ["me"], 40)
            google.start()
            google.do("mailbox.deliver", mail(to=ALEX, subject="Google", number=3))
            road.fail("silent")
            with server.other() as other:
                other.deliver(mail(to=ALEX, subject="Silence", number=4))
            screen.wait_for(lambda: all_come("Folder", "Imap", "Google", "Silence"), 60)
            screen.wait_for(lambda: all(states(home).get(part) == "ok" for part in parts), 40)
