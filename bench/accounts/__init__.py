"""Mail accounts at a server: the first sync beside a bare fetch, a push on the screen, memory, and the first frame.

``python -m bench.accounts [MAILS]`` prints the rows; ``rows()`` returns them. The servers are the tests' own, on the
loopback device: pymap, or Dovecot where ``PEPPER_IMAP=dovecot``, and the double of Google, without its quota.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from bench.accounts import at_google, at_imap, screens
from bench.measured import Measured
from tests.connectors.imap.servers import PASSWORD
from tests.google.sign_in import CLIENT

MAILS = 20_000
KEPT = 50_000
"""Mails in the store whose memory is measured."""


def rows(mails: int = MAILS, kept: int = KEPT) -> list[Measured]:
    os.environ["IMAP_PASSWORD"], os.environ["CLIENT_SECRET"] = PASSWORD, CLIENT["client_secret"]
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
    with tempfile.TemporaryDirectory(prefix="pepper-bench-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        return [
            *at_imap.rows(folder, mails),
            *at_google.rows(folder, mails),
            *screens.rows(folder, kept),
        ]
