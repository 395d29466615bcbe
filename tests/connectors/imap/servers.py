"""IMAP servers of others for the tests: pymap, which pip installs, and Dovecot, where ``PEPPER_IMAP`` asks for it.

Each is a process of its own on the loopback device, with one user; ``Other`` is that user's other mail program.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

USER: Final = "alex"
PASSWORD: Final = "a pass; with \"odd\" 'letters'"
DOVECOT: Final = "dovecot"
ASKED: Final = os.environ.get("PEPPER_IMAP", "pymap")


@dataclass(frozen=True, slots=True)
class Server:
    kind: str
    port: int

    @contextlib.contextmanager
    def other(self) -> Iterator[Other]:
        """Another mail program of the user's."""
        client = IMAPClient("127.0.0.1", self.port, ssl=False, timeout=60)
        try:
            client.login(USER, PASSWORD)
            yield Other(client)
        finally:
            client.shutdown()

    def empty(self) -> None:
        """Leave an empty INBOX and no other folder."""
        with self.other() as other:
            other.empty()


class Other:
    def __init__(self, client: Any) -> None:
        self.client = client

    def deliver(self, *given: bytes, folder: str = "INBOX") -> None:
        mails = [b"\r\n".join(mail.splitlines()) for mail in given]  # as every server keeps them
        if len(mails) > 1 and self.client.has_capability("MULTIAPPEND"):
            for at in range(0, len(mails), 100):
                self.client.multiappend(folder, mails[at : at + 100])
            return
        for mail in mails:
            self.client.append(folder, mail)

    def remove(self, *message_ids: str, folder: str = "INBOX") -> None:
        self.client.select_folder(folder)
        for each in message_ids:
            self.client.delete_messages(self.client.search(["HEADER", "Message-ID", each]))
        self.client.expunge()
        self.client.close_folder()

    def mark(self, message_id: str, *flags: bytes, folder: str = "INBOX") -> None:
        """Give the mails with ``message_id`` these flags."""
        self.client.select_folder(folder)
        self.client.add_flags(self.client.search(["HEADER", "Message-ID", message_id]), flags)
        self.client.unselect_folder() if self.client.has_capability("UNSELECT") else None

    def move(self, message_id: str, to: str, folder: str = "INBOX") -> None:
        self.client.select_folder(folder)
        found = self.client.search(["HEADER", "Message-ID", message_id])
        if self.client.has_capability("MOVE"):
            self.client.move(found, to)
            return
        self.client.copy(found, to)
        self.client.delete_messages(found)
        self.client.expunge()

    def ids(self, folder: str) -> list[str]:
        """The Message-IDs in a folder, in order."""
        self.client.select_folder(folder, readonly=True)
        said = self.client.fetch(self.client.search(), ["ENVELOPE", "FLAGS"])
        return [(said[uid][b"ENVELOPE"].message_id or b"").decode() for uid in sorted(said)]

    def unread(self, folder: str = "INBOX") -> int:
        self.client.select_folder(folder, readonly=True)
        return len(self.client.search("UNSEEN"))

    def renumber(self, folder: str, mails: Sequence[bytes]) -> None:
        """Make ``folder`` anew with ``mails``, so that the server counts anew."""
        self.client.delete_folder(folder)
        time.sleep(1.1)  # servers make the number of the second
        self.client.create_folder(folder)
        self.deliver(*mails, folder=folder)

    def empty(self) -> None:
        self.client.select_folder("INBOX")
        for _, _, name in self.client.list_folders():
            if name != "INBOX":
                with contextlib.suppress(IMAPClientError):
                    self.client.delete_folder(name)
        self.client.select_folder("INBOX")
        if found := self.client.search():
            self.client.delete_messages(found)
            self.client.expunge()
        self.client.close_folder()


@contextlib.contextmanager
def running(folder: Path, certificate: Path, key: Path) -> Iterator[Server]:
    """The server that is asked for. It offers STARTTLS with ``certificate``."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # not in pytest's own folder, which every other run of tests closes to Dovecot's user
    place = Path(tempfile.mkdtemp(prefix="pepper-imap-"))
    command = _dovecot(folder, place, port, certificate, key) if ASKED == DOVECOT else _pymap(port, certificate, key)
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while not _greets(port):
            said = (folder / "server.log").read_text() + "".join(p.read_text() for p in folder.glob("dovecot.log"))
            assert process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.05)
        yield Server(ASKED, port)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)
        shutil.rmtree(place, ignore_errors=True)


def _greets(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            return connection.recv(100).startswith(b"* OK")
    except OSError:
        return False


def _pymap(port: int, certificate: Path, key: Path) -> list[str]:
    # it holds its connections by nothing but a circle, which the collector of garbage now and then removes
    # and half a million rounds over the password, a quarter of a second, at each of a test's sign-ins prove nothing
    program = (
        "import functools, gc, sys; gc.disable(); from pymap import config;"
        " config.BuiltinHash = functools.partial(config.BuiltinHash, rounds=1);"
        " from pymap.main import main; sys.exit(main())"
    )
    return [sys.executable, "-c", program, "--host", "127.0.0.1", "--port", str(port),
            "--cert", str(certificate), "--key", str(key), "--no-service", "admin", "dict",
            "--demo-user", USER, "--demo-password", PASSWORD]  # fmt: skip


def _dovecot(folder: Path, place: Path, port: int, certificate: Path, key: Path) -> list[str]:
    program = shutil.which("dovecot") or "/usr/sbin/dovecot"
    mine = pwd.getpwuid(os.getuid())
    who = pwd.getpwnam("nobody") if mine.pw_uid == 0 else mine
    place.chmod(0o755)
    for each in ("base", "state", "mail"):
        (place / each).mkdir()
    os.chown(place / "mail", who.pw_uid, who.pw_gid)
    (place / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
    config = place / "dovecot.conf"
    config.write_text(f"""
base_dir = {place}/base
state_dir = {place}/state
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
default_login_user = nobody
default_internal_user = {"nobody" if mine.pw_uid == 0 else mine.pw_name}
default_internal_group = {"nogroup" if mine.pw_uid == 0 else mine.pw_gid}
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
mail_location = maildir:{place}/mail/%u
first_valid_uid = 1
mailbox_idle_check_interval = 1s
mail_max_userip_connections = 100
auth_failure_delay = 0
auth_mechanisms = plain
passdb {{
  driver = passwd-file
  args = {place}/users
}}
userdb {{
  driver = static
  args = uid={who.pw_uid} gid={who.pw_gid} home={place}/mail/%u
}}
namespace inbox {{
  inbox = yes
  mailbox "Sent Messages" {{
    auto = no
    special_use = \\Sent
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
""")
    return [program, "-F", "-c", str(config)]
