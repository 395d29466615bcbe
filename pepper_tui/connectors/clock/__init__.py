"""The clock connector: signals for rules with a time."""

from __future__ import annotations

import asyncio

from pepper_tui.connectors.clock.check import check
from pepper_tui.connectors.clock.feed import ClockFeed
from pepper_tui.connectors.connector import Around, Built, Connector


def _build(settings: object, around: Around) -> Built:
    changed = asyncio.Event()
    around.book.changed.append(changed.set)
    return Built([ClockFeed(around.triage, changed)])


CONNECTOR = Connector(_build, check)
