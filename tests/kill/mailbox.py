"""Where the mail of an attack lies: a Maildir, or an IMAP account behind a road that breaks."""

from __future__ import annotations

import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from email import message_from_bytes
from pathlib import Path
from typing import Final, Literal, NamedTuple, Protocol, get_args

from tests.connectors.caldav.servers import PASSWORD as CALDAV
from tests.connectors.imap.certificate import self_signed
from tests.connectors.imap.middle import CUTS, Middle
from tests.connectors.imap.proxy import FAULTS, Proxy
from tests.connectors.imap.servers import PASSWORD, USER, Other, running
from tests.domains.mail.mails import deliver, make_maildir
from tests.google.sign_in import CLIENT

SENT: Final = "Sent"
LISTS: Final = "Lists"
ENVIRONMENT: Final = {"IMAP_PASSWORD": PASSWORD, "CLIENT_SECRET": CLIENT["client_secret"], "CALDAV_PASSWORD": CALDAV}
Deed = Literal["read", "answered", "moved", "deleted"]
DEEDS: Final[tuple[Deed, ...]] = get_args(Deed)


class Lying(NamedTuple):
    """One copy of a mail: the folder that it lies in, and its marks."""

    folder: str
    marks: frozenset[str]


class Mailbox(Protocol):
    """``feed`` is the name of its feed, ``config`` what stands in the config about it and about sending.

    ``folders``: where archived mail goes, by the act, and ``inbox``. ``own_acts``: what can be done with ``LISTS``.
    """

    feed: str
    config: str
    folders: Mapping[str, str]
    own_acts: Sequence[str]

    def begin(self) -> None: ...

    def sign_in(self, home: Path) -> None:
        """Do what a user does before the first start, once the config is written."""
        ...

    def end(self) -> None: ...

    def deliver(self, mail: bytes, number: int) -> None: ...

    def disturb(self, chance: random.Random, kill: Callable[[], None]) -> None:
        """Let something go wrong on the way to it, or ``kill`` in the midst of a command."""
        ...

    def calm(self) -> None:
        """Let nothing more go wrong."""
        ...

    def elsewhere(self, message_id: str, deed: Deed) -> bool:
        """Let the user's other program do this to a mail in the inbox; false where it is not there."""
        ...

    def renumber(self) -> bool:
        """Let the server count the mails of the inbox anew, if it can."""
        ...

    def lying(self) -> dict[str, list[Lying]]:
        """All copies of each mail, by Message-ID, but for what Pepper has sent."""
        ...

    def sent(self) -> list[bytes]:
        """What left from the account by another way than SMTP."""
        ...

    def copies(self) -> Counter[str] | None:
        """How often each Message-ID lies among the sent mail; None where no copies are kept."""
        ...

    def problems(self) -> list[str]:
        """What is wrong there at the end, as the checker says it."""
        ...


class MaildirMailbox:
    folders: Mapping[str, str] = {
        "inbox": "INBOX",
        "archive": "Archive",
        "trash": "Trash",
        "junk": "Junk",
        "move": LISTS,
    }
    own_acts: Sequence[str] = ("move",)
    _FLAGS: Final = {"S": "seen", "F": "flagged", "R": "answered"}

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
        for act in ("archive", "trash", "junk", "move"):
            make_maildir(self._root / f".{self.folders[act]}")

    def sign_in(self, home: Path) -> None:
        """A disk asks for nothing."""

    def end(self) -> None:
        """Nothing runs."""

    def deliver(self, mail: bytes, number: int) -> None:
        deliver(self._root, mail, f"{time.time():.6f}.{number}.test")

    def disturb(self, chance: random.Random, kill: Callable[[], None]) -> None:
        """A disk does not fail."""

    def calm(self) -> None:
        """Nothing was disturbed."""

    def elsewhere(self, message_id: str, deed: Deed) -> bool:
        for path in self._files("INBOX"):
            try:
                if self._id_of(path) != message_id:
                    continue
                name, _, flags = path.name.partition(":2,")
                if deed == "deleted":
                    path.unlink()
                elif deed == "moved":
                    path.rename(self._root / f".{LISTS}" / "cur" / f"{name}:2,{flags}")
                else:
                    flags = "".join(sorted({*flags, "S" if deed == "read" else "R"}))
                    path.rename(self._root / "cur" / f"{name}:2,{flags}")
            except OSError:  # Pepper was faster
                return False
            return True
        return False

    def renumber(self) -> bool:
        return False

    def lying(self) -> dict[str, list[Lying]]:
        found = defaultdict(list)
        for folder in self.folders.values():
            for path in self._files(folder):
                marks = (self._FLAGS[flag] for flag in path.name.partition(":2,")[2] if flag in self._FLAGS)
                found[self._id_of(path)].append(Lying(folder, frozenset(marks)))
        return found

    def _files(self, folder: str) -> list[Path]:
        root = self._root if folder == "INBOX" else self._root / f".{folder}"
        return [Path(entry.path) for part in ("new", "cur") for entry in os.scandir(root / part)]

    def _id_of(self, path: Path) -> str:
        return str(message_from_bytes(path.read_bytes())["Message-ID"])

    def sent(self) -> list[bytes]:
        return []

    def copies(self) -> None:
        return None

    def problems(self) -> list[str]:
        return []


class ImapMailbox:
    """The road has two parts: one that fails at any moment, and one that fails at a command that changes a mail."""

    folders: Mapping[str, str] = MaildirMailbox.folders
    own_acts: Sequence[str] = MaildirMailbox.own_acts
    _MARKS: Final = {rb"\Seen": "seen", rb"\Flagged": "flagged", rb"\Answered": "answered"}
    _CHANGES: Final = ("MOVE", "STORE", "APPEND")

    def __init__(self, folder: Path, smtp_port: int) -> None:
        self.feed = "feed.work"
        self.config = ""
        self._folder, self._smtp = folder / "imap", smtp_port
        self._parts = ExitStack()

    def begin(self) -> None:
        self._folder.mkdir()
        certificate = self_signed(self._folder)
        server = self._parts.enter_context(running(self._folder, certificate.file, certificate.key))
        self._middle = self._parts.enter_context(Middle(server.port))
        self._road = self._parts.enter_context(Proxy(self._middle.port))
        self._other: Other = self._parts.enter_context(server.other())
        for name in (SENT, *self.folders.values()):
            self._other.client.create_folder(name) if name != "INBOX" else None
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
folders = ["INBOX", "{self.folders["archive"]}"]
probe = 1.0
timeout = 3.0
scan_interval = 5.0
smtp = {{ host = "127.0.0.1", port = {self._smtp}, security = "none", login = false }}
"""

    def sign_in(self, home: Path) -> None:
        """The password is in the environment."""

    def end(self) -> None:
        self._parts.close()

    def deliver(self, mail: bytes, number: int) -> None:
        self._other.deliver(mail)

    def disturb(self, chance: random.Random, kill: Callable[[], None]) -> None:
        command = chance.choice(self._CHANGES)
        draw = chance.random()
        if draw < 0.3:
            self._road.fail(chance.choice(FAULTS))
        elif draw < 0.75:
            self._middle.cut_at(command, chance.choice(CUTS))
        else:
            self._middle.meanwhile(command, kill)

    def calm(self) -> None:
        self._middle.let_through()

    def elsewhere(self, message_id: str, deed: Deed) -> bool:
        client = self._other.client
        client.select_folder("INBOX")
        found = client.search(["HEADER", "Message-ID", message_id])
        if found and deed == "deleted":
            client.delete_messages(found)
            client.expunge()
        elif found and deed == "moved":
            client.move(found, LISTS)
        elif found:
            client.add_flags(found, [rb"\Seen" if deed == "read" else rb"\Answered"])
        client.close_folder()
        return bool(found)

    def renumber(self) -> bool:
        """Pepper must stand still."""
        client = self._other.client
        client.rename_folder("INBOX", "Old")
        client.select_folder("Old", readonly=True)
        said = client.fetch(client.search(), ["BODY.PEEK[]", "FLAGS", "INTERNALDATE"])
        for uid in sorted(said):
            flags = [flag for flag in said[uid][b"FLAGS"] if flag in self._MARKS]
            client.append("INBOX", said[uid][b"BODY[]"], flags, said[uid][b"INTERNALDATE"])
        client.select_folder("INBOX", readonly=True)
        client.delete_folder("Old")
        return True

    def lying(self) -> dict[str, list[Lying]]:
        found = defaultdict(list)
        for folder in self.folders.values():
            self._other.client.select_folder(folder, readonly=True)
            for said in self._other.client.fetch(self._other.client.search(), ["ENVELOPE", "FLAGS"]).values():
                marks = frozenset(self._MARKS[flag] for flag in said[b"FLAGS"] if flag in self._MARKS)
                found[said[b"ENVELOPE"].message_id.decode()].append(Lying(folder, marks))
        return found

    def sent(self) -> list[bytes]:
        return []

    def copies(self) -> Counter[str]:
        return Counter(self._other.ids(SENT))

    def problems(self) -> list[str]:
        return []
