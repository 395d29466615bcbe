"""The program connector: feeds that are programs, each of whose output lines is a JSON object."""

from __future__ import annotations

from functools import partial

from pepper_tui.config import ExecFeed
from pepper_tui.connectors.connector import Around, Built, Connector
from pepper_tui.connectors.program.check import check
from pepper_tui.connectors.program.feed import ExecFeed as Program


def _build(settings: ExecFeed, around: Around) -> Built:
    env = partial(around.secrets.all_filled, settings.env)
    env()  # so that an unreadable secret is reported at the start
    return Built([Program(settings, around.triage, env, around.home)])


CONNECTOR = Connector(_build, check)
