"""Lines of a log file that hold one of some words."""

from __future__ import annotations

from linelog.check import check
from linelog.feed import LineLogFeed
from linelog.settings import LineLog
from pepper_tui.connectors.connector import Adding, Around, Asked, Built, Connector
from pepper_tui.store.upkeep.retention_rules import Rule


def _build(settings: LineLog, around: Around) -> Built:
    return Built([LineLogFeed(around.ident, settings, around.triage)])


CONNECTOR = Connector(
    _build,
    check,
    LineLog,
    retention={"raw.linelog_*": Rule(days=30, versions=1)},
    adding=Adding(
        "Lines of a log file", (Asked("path", "The file"), Asked("words", "Words, separated by commas", several=True))
    ),
)
