"""The IMAP account of a world: a server of its own make, with any mixture of abilities."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, Final

from tests.simulation.mail.account import ADDRESS, IDENT, Lying, Surroundings
from tests.simulation.mail.imap_server import DELETED, INBOX, SENT, ImapServer
from tests.simulation.mail.imap_talk import Talk
from tests.simulation.mail.road import WAITS, ImapSocket, Road, running

MARKS: Final = {rb"\Seen": "seen", rb"\Flagged": "flagged", rb"\Answered": "answered", DELETED: "deleted"}
_CHANGING: Final = frozenset({"UID STORE", "UID MOVE", "UID COPY", "UID EXPUNGE", "APPEND"})
PASSWORD: Final = "IMAP_PASSWORD"
"""The variable of the environment that holds it."""


class ImapAccount:
    folders: Final = {"archive": "Archive", "trash": "Trash", "junk": "Junk", "inbox": INBOX}
    acts: Sequence[str] = ("archive", "archive", "trash", "junk", "move", "read", "unread", "flag", "unflag")
    watched = frozenset({INBOX, "Archive"})

    def __init__(self, around: Surroundings) -> None:
        chance = around.chance
        abilities = chance.choice(
            (("IDLE", "UIDPLUS", "MOVE", "CONDSTORE"), ("IDLE", "UIDPLUS", "MOVE"), ("IDLE", "UIDPLUS"), ("IDLE",), ())
        )
        self.road = Road(chance, around.kill, _CHANGING.__contains__, "APPEND")
        self._keeps_copies = chance.random() < 0.3
        self.server = ImapServer(around.now, abilities)
        self.server.changed, self.server.renumbered = self._tell, self._hang_up
        self._around = around
        self._sockets: list[ImapSocket] = []
        self._refuses_until, self._refusal = 0.0, ""
        self._number = 0
        self.config: dict[str, Any] = {
            "id": IDENT,
            "kind": "imap",
            "address": ADDRESS,
            "host": "127.0.0.1",
            "security": "none",
            "password": f"env:{PASSWORD}",
            "folders": [INBOX, "Archive"],
            "probe": 200.0,
            "timeout": WAITS,
            "scan_interval": chance.choice((120.0, 300.0)),
            "smtp": {"host": "127.0.0.1", "security": "none", "login": False},
        }

    def connect(self) -> ImapSocket:
        self.road.open()
        self._number += 1
        socket = ImapSocket(Talk(self.server, self._fate), self._number)
        self._sockets = [*[each for each in self._sockets if not each.talk.over][-20:], socket]
        return socket

    def _fate(self, name: str) -> str:
        if name == "sign-in":
            return self._refusal if self._around.elapsed() < self._refuses_until else ""
        return self.road.fate(name)

    def _tell(self, folder: str) -> None:
        for each in self._sockets:
            if each.talk.told(folder):
                self._wake(each)

    def _hang_up(self, folder: str) -> None:
        for each in self._sockets:
            if each.talk.folder == folder:
                each.talk.over = True
                self._wake(each)

    @staticmethod
    def _wake(socket: ImapSocket) -> None:
        try:
            loop = running()
        except RuntimeError:
            return  # nobody runs
        if socket.fileno() in loop.sockets:
            loop.readable(socket.fileno())

    def deliver(self, source: bytes) -> None:
        self.server.deliver(source)

    def passes_on(self, source: bytes) -> None:
        if self._keeps_copies:
            self.server.folders[SENT].add(source, (rb"\Seen",), self._around.now())

    def elsewhere(self, message_id: str, deed: str) -> bool:
        return self.server.elsewhere(message_id, deed)

    def counts_anew(self) -> None:
        self.server.renumber(self._around.chance.choice((INBOX, INBOX, "Archive")))

    def loses_sign_in(self) -> float:
        chance = self._around.chance
        self._refusal = chance.choice(("UNAVAILABLE", "AUTHENTICATIONFAILED"))
        lasts = chance.choice((30.0, 300.0))
        self._refuses_until = self._around.elapsed() + lasts
        for folder in self.server.folders:
            self._hang_up(folder)
        return 0.0

    def storm(self) -> None:
        self._refusal, self._refuses_until = "LIMIT", self._around.elapsed() + 60.0
        for folder in self.server.folders:
            self._hang_up(folder)

    def lying(self) -> dict[str, list[Lying]]:
        found: dict[str, list[Lying]] = defaultdict(list)
        for folder in self.server.folders.values():
            for mail in folder.mails.values() if folder.name != SENT else ():
                place = f"imap:{IDENT}/{folder.name}/{folder.validity}.{mail.uid}"
                marks = frozenset(MARKS[flag] for flag in mail.flags if flag in MARKS)
                found[mail.message_id].append(Lying(place, folder.name, marks))
        return found

    def copies(self) -> dict[str, int]:
        return Counter(mail.message_id for mail in self.server.folders[SENT].mails.values())

    def calm(self) -> None:
        self.road.calm()
        self._refuses_until = 0.0

    def problems(self) -> list[str]:
        return []
