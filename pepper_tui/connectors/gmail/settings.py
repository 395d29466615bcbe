"""One ``[[account]]`` of the kind ``gmail``: what of it is watched, beside whose it is and the client that asks."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from pepper_tui.config.base import Seconds, Words
from pepper_tui.config.identities import Identities
from pepper_tui.connectors.gmail.service import GMAIL
from pepper_tui.connectors.google_account.service import Service
from pepper_tui.connectors.google_account.settings import AtGoogle


class Gmail(AtGoogle):
    service: ClassVar[Service] = GMAIL

    identities: Identities = []  # further addresses that are yours, as "Alex <alex@work.org>" or tables
    signature: Annotated[str, Field(max_length=4000)] = ""  # below what is sent from here
    labels: Words = Field(["INBOX", "SENT"], min_length=1)  # mail that has any of these is taken in
    max_bytes: Annotated[int, Field(ge=10_000)] = 25_000_000  # of one mail that are read
    scan_interval: Seconds = 10.0  # seconds between two looks
