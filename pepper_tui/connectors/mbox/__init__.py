"""The mbox connector: mail from mbox files."""

from __future__ import annotations

from pepper_tui.config import Mail
from pepper_tui.connectors.connector import Around, Built, Connector
from pepper_tui.connectors.mbox.check import check
from pepper_tui.connectors.mbox.feed import MboxFeed


def _build(settings: Mail, around: Around) -> Built:
    return Built([MboxFeed(settings, around.mail)])


CONNECTOR = Connector(_build, check)
