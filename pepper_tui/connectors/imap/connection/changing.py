"""What changes mails at an IMAP server: marks, labels, moves. All of it blocks, as in ``session``.

Nothing here removes any other mail than those named: a server without UIDPLUS keeps the old copy, marked as deleted, as
its plain EXPUNGE would take whatever another program has marked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from imapclient import IMAPClient

from pepper_tui.connectors.imap.connection.session import ANSWER, FOLDERS, NEWS, NoFolderError, Session
from pepper_tui.connectors.imap.marks import marks_of
from pepper_tui.domains.mail.at_source.state import Mark

_HEADER: Final = "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]"
_HEADER_SAID: Final = b"BODY[HEADER.FIELDS (MESSAGE-ID)]"
_ID: Final = re.compile(rb"message-id:\s*(<[^>\s]{1,900}>)", re.IGNORECASE)
_SET: Final = re.compile(rb"(\d{1,10})(?::(\d{1,10}))?")
LABELS: Final = "X-GM-EXT-1"
"""The capability of a server with labels: Gmail's."""


@dataclass(frozen=True, slots=True)
class Lying:
    """A mail as it lies in the open folder."""

    marks: frozenset[Mark]
    message_id: str


class Changing(Session):
    """A session that changes mails in the open folder."""

    def open_to_change(self, folder: str) -> int:
        """Open ``folder`` for changes; return its validity. Raises ``NoFolderError``."""
        client = self._with(*NEWS)
        self.folder = ""
        try:
            said = client.select_folder(folder)
        except IMAPClient.AbortError:
            raise
        except IMAPClient.Error as error:
            raise NoFolderError(folder) from error
        self.folder = folder
        return int(said.get(b"UIDVALIDITY", 0))

    def folders_to_move_to(self) -> list[tuple[str, frozenset[bytes]]]:
        """Return each folder that holds mails, and its flags in lower case."""
        listed = self._with(FOLDERS).list_folders()
        named = [(str(name), frozenset(mark.lower() for mark in marks)) for marks, _, name in listed]
        return [(name, marks) for name, marks in named if not marks & {rb"\noselect", rb"\nonexistent"}]

    def lying(self, uids: Sequence[int]) -> dict[int, Lying]:
        """Return those of the mails that are in the folder."""
        found = self._with(ANSWER + len(uids) * 2_000).fetch(uids, ["FLAGS", _HEADER]) if uids else {}
        return {
            uid: Lying(frozenset(marks_of(found[uid][b"FLAGS"])), _message_id(found[uid].get(_HEADER_SAID)))
            for uid in uids
            if uid in found and b"FLAGS" in found[uid]
        }

    def mark(self, uids: Sequence[int], flag: bytes, *, on: bool) -> None:
        client = self._with(*NEWS)
        (client.add_flags if on else client.remove_flags)(uids, [flag], silent=True)

    def label(self, uids: Sequence[int], label: str, *, on: bool) -> None:
        client = self._with(*NEWS)
        (client.add_gmail_labels if on else client.remove_gmail_labels)(uids, [label], silent=True)

    def labels(self, uids: Sequence[int]) -> dict[int, set[str]]:
        found = self._with(ANSWER + len(uids) * 8_000).get_gmail_labels(uids) if uids else {}
        return {uid: {_text(each) for each in labels} for uid, labels in found.items()}

    def move(self, uids: Sequence[int], folder: str) -> dict[int, tuple[int, int]]:
        """Move mails in one step (RFC 6851); return validity and UID of each that the server tells (RFC 4315)."""
        client = self._with(*NEWS)
        client.wire.response("COPYUID")  # forget an earlier one
        client.move(uids, folder)
        return self._told(client.wire.response("COPYUID")[1])

    def copy(self, uids: Sequence[int], folder: str) -> dict[int, tuple[int, int]]:
        """Copy mails; return as ``move`` does."""
        client = self._with(*NEWS)
        client.wire.response("COPYUID")
        client.copy(uids, folder)
        return self._told(client.wire.response("COPYUID")[1])

    def remove(self, uids: Sequence[int]) -> None:
        """Mark mails as deleted, and remove exactly these if the server can."""
        client = self._with(*NEWS)
        client.add_flags(uids, [rb"\Deleted"], silent=True)
        if self.can("UIDPLUS"):
            client.uid_expunge(uids)

    def find(self, message_id: str) -> list[int]:
        """Return the UIDs in the open folder with that Message-ID, without those that are marked as deleted."""
        found = self._with(ANSWER).search(["UNDELETED", "HEADER", "Message-ID", message_id])
        return sorted(int(uid) for uid in found)

    @staticmethod
    def _told(said: Sequence[bytes | None] | None) -> dict[int, tuple[int, int]]:
        told: dict[int, tuple[int, int]] = {}
        for each in said or ():
            parts = (each or b"").split()
            if len(parts) == 3 and parts[0].isdigit():
                before, after = _numbers(parts[1]), _numbers(parts[2])
                if len(before) == len(after):
                    told |= {uid: (int(parts[0]), new) for uid, new in zip(before, after, strict=True)}
        return told


def _numbers(said: bytes, most: int = 10_000) -> list[int]:
    """Return the numbers of a set, such as ``3:5,9``."""
    numbers: list[int] = []
    for part in said.split(b","):
        match = _SET.fullmatch(part)
        if match is None:
            return []
        first, last = int(match[1]), int(match[2] or match[1])
        first, last = min(first, last), max(first, last)
        if len(numbers) + last - first >= most:
            return []
        numbers += range(first, last + 1)
    return numbers


def _message_id(header: bytes | None) -> str:
    found = _ID.search(header or b"")
    return found[1].decode("ascii", "replace") if found else ""


def _text(label: bytes | str) -> str:
    return label.decode("utf-8", "replace") if isinstance(label, bytes) else label
