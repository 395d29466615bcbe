"""Where the mail of an attack lies: a Maildir, or an IMAP account behind a road that breaks."""

from __future__ import annotations

import random
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Protocol

from tests.connectors.imap.certificate import self_signed
from tests.connectors.imap.proxy import FAULTS, Proxy
from tests.connectors.imap.servers import PASSWORD, USER, Other, running
from tests.domains.mail.mails import deliver, make_maildir

SENT: Final = "Sent"


class Mailbox(Protocol):
    """``feed`` is the name of its feed, ``config`` what stands in the config about it and about sending."""

    feed: str
    config: str

    def begin(self) -> None: ...

    def end(self) -> None: ...

    def deliver(self, mail: bytes, number: int) -> None: ...

    def disturb(self, chance: random.Random) -> None:
        """Let something go wrong on the way to it."""
        ...

    def copies(self) -> Counter[str] | None:
        """How often each Message-ID lies among the sent mail; None where no copies are kept."""
        ...


class MaildirMailbox:
    def __init__(self, folder: Path, smtp_port: int) -> None:
        self.feed = "feed.mail"
        self._root = folder / "Maildir"
        self.config = f"""
[mail]
maildir = ["{self._root}"]
[mail.smtp]
host = "127.0.0.1"
port = {smtp_port}
security = "none"
"""

    def begin(self) -> None:
        make_maildir(self._root)

    def end(self) -> None:
        """Nothing runs."""

    def deliver(self, mail: bytes, number: int) -> None:
        deliver(self._root, mail, f"{time.time():.6f}.{number}.test")

    def disturb(self, chance: random.Random) -> None:
        """A disk does not fail."""

    def copies(self) -> None:
        return None


class ImapMailbox:
    def __init__(self, folder: Path, smtp_port: int) -> None:
        self.feed = "feed.work"
        self.config = ""
        self._folder, self._smtp = folder / "imap", smtp_port
        self._parts = ExitStack()

    def begin(self) -> None:
        self._folder.mkdir()
        certificate = self_signed(self._folder)
        server = self._parts.enter_context(running(self._folder, certificate.file, certificate.key))
        self._road = self._parts.enter_context(Proxy(server.port))
        self._other: Other = self._parts.enter_context(server.other())
        self._other.client.create_folder(SENT)
        self.config = f"""
[[account]]
id = "work"
kind = "imap"
address = "me@example.org"
host = "127.0.0.1"
port = {self._road.port}
security = "none"
user = "{USER}"
password = "env:IMAP_PASSWORD"
probe = 1.0
timeout = 3.0
scan_interval = 5.0
smtp = {{ host = "127.0.0.1", port = {self._smtp}, security = "none", login = false }}
"""

    def end(self) -> None:
        self._parts.close()

    def deliver(self, mail: bytes, number: int) -> None:
        self._other.deliver(mail)

    def disturb(self, chance: random.Random) -> None:
        self._road.fail(chance.choice(FAULTS))

    def copies(self) -> Counter[str]:
        return Counter(self._other.ids(SENT))


ENVIRONMENT: Final = {"IMAP_PASSWORD": PASSWORD}
