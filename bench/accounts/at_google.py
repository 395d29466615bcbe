"""The first sync of an account at the double of Google, which runs in a process of its own, and one that is polled.

Quota off means both sides: the double counts no units, and Pepper's own pace, three quarters of Gmail's 6,000 units a
minute, is lifted.
"""

from __future__ import annotations

import subprocess
import sys
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.accounts.first_sync import compared
from bench.accounts.homes import with_gmail
from bench.accounts.screens import pushed
from bench.google_double import NO_QUOTA
from bench.measured import Measured
from tests.connectors.gmail.account import ALEX
from tests.google.client import MODIFY
from tests.google.process import ROOT, GoogleProcess

POLL = 2.0  # seconds between two looks of Pepper's
LISTED, PIECE = 500, 50
UNPACED = f"""
import sys
from pepper_tui.command.cli import main
from pepper_tui.connectors.gmail.service import GMAIL
object.__setattr__(GMAIL, "units", {NO_QUOTA})
main()
"""


class Double(GoogleProcess):
    """The double with so many mails in its INBOX."""

    def __init__(self, mails: int) -> None:
        super().__init__(Path(), ALEX)
        self._mails = mails

    def start(self) -> Double:
        command = [sys.executable, "-m", "bench.google_double", str(self._mails)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.port = int(self._process.stdout.readline().removeprefix("port="))
        return self


def fetched(url: str, held: dict[str, Any]) -> Iterator[Sequence[bytes]]:
    """All mails of the INBOX, by Google's own library, in the batches that it advises."""
    from google.oauth2.credentials import Credentials
    from google_auth_httplib2 import AuthorizedHttp
    from googleapiclient.discovery import build
    from httplib2 import Http

    credentials = Credentials(**held)  # type: ignore[no-untyped-call]
    signed = AuthorizedHttp(credentials, http=Http(proxy_info=None))
    options = {"api_endpoint": url}
    gmail = build("gmail", "v1", http=signed, static_discovery=True, cache_discovery=False, client_options=options)
    messages = gmail.users().messages()
    more: dict[str, str] = {}
    while True:
        page = messages.list(userId="me", labelIds=["INBOX"], maxResults=LISTED, **more).execute()
        idents = [each["id"] for each in page.get("messages", [])]
        for at in range(0, len(idents), PIECE):
            found: list[bytes] = []

            def told(_: str, answer: Any, error: Exception | None, found: list[bytes] = found) -> None:
                if error:
                    raise error
                found.append(urlsafe_b64decode(answer["raw"] + "=="))

            batch = gmail.new_batch_http_request(callback=told)
            batch._batch_uri = f"{url}/batch/gmail/v1"
            for ident in idents[at : at + PIECE]:
                batch.add(messages.get(userId="me", id=ident, format="raw"))
            batch.execute()
            yield found
        if not (following := page.get("nextPageToken")):
            return
        more = {"pageToken": following}


def rows(folder: Path, mails: int) -> list[Measured]:
    with Double(mails) as google:
        held = google.do("allow", MODIFY, user=ALEX)
        found = compared(
            "accounts.gmail",
            mails,
            folder,
            lambda: fetched(google.url, google.do("allow", MODIFY, user=ALEX)),
            lambda number: with_gmail(
                folder / f"gmail{number}", google.url, held["refresh_token"], held["scopes"], POLL
            ),
            ("-c", UNPACED),
        )
        goal = f"<= {POLL + 2:g}: from the server to the screen, one look each {POLL:g} s"
        found += pushed(
            "accounts.gmail", folder / "gmail0", lambda raw: google.do("mailbox.deliver", raw), goal, ("-c", UNPACED)
        )
    return found
