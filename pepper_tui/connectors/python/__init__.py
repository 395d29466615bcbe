"""The Python connector: feeds and tools in Python files of the user."""

from __future__ import annotations

from pepper_tui.config import OwnFeed
from pepper_tui.connectors.connector import Around, Built, Connector
from pepper_tui.connectors.python.feed import load_own_feed


def _build(settings: OwnFeed, around: Around) -> Built:
    return Built([load_own_feed(settings, around.triage)])


CONNECTOR = Connector(_build)
