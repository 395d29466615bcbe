"""The first sync of an account by IMAP, and a mail that the server pushes."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.accounts.first_sync import compared
from bench.accounts.homes import with_imap
from bench.accounts.screens import pushed
from bench.intake import letter
from bench.measured import Measured
from tests.connectors.imap.certificate import self_signed
from tests.connectors.imap.servers import Server
from tests.connectors.imap.servers import running as serving

PIECE = 200  # mails of one bare fetch


def fetched(server: Server) -> Iterator[Sequence[bytes]]:
    """All mails of the INBOX, with what Pepper asks for, too."""
    with server.other() as other:
        other.client.normalise_times = False
        other.client.select_folder("INBOX", readonly=True)
        uids = other.client.search()
        for at in range(0, len(uids), PIECE):
            said = other.client.fetch(uids[at : at + PIECE], ["BODY.PEEK[]", "INTERNALDATE", "RFC822.SIZE"])
            yield [each[b"BODY[]"] for each in said.values()]


@contextmanager
def filled(folder: Path, mails: int) -> Iterator[Server]:
    """A server whose INBOX holds so many mails."""
    certificate, chance = self_signed(folder), random.Random(1)
    with serving(folder, certificate.file, certificate.key) as server:
        with server.other() as other:
            for at in range(0, mails, 500):
                other.deliver(*(letter(number, chance) for number in range(at, min(mails, at + 500))))
        yield server


def rows(folder: Path, mails: int) -> list[Measured]:
    with filled(folder, mails) as server:
        found = compared(
            "accounts.imap",
            mails,
            folder,
            lambda: fetched(server),
            lambda number: with_imap(folder / f"imap{number}", server.port),
            ("-m", "pepper_tui"),
        )
        with server.other() as other:
            found += pushed("accounts.imap", folder / "imap0", other.deliver, "<= 2: from the server to the screen")
    return found
