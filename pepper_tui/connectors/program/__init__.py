"""Feeds that are programs: each line that one prints is a JSON object."""

from __future__ import annotations

from functools import partial

from pepper_tui.config import ExecFeed
from pepper_tui.connectors.connector import Around, Built, Connector
from pepper_tui.connectors.program.check import check
from pepper_tui.connectors.program.feed import ExecFeed as Program


def _build(settings: ExecFeed, around: Around) -> Built:
    env = partial(around.secrets.all_filled, settings.env)
    env()  # told at the start where a secret of it can't be read
    return Built([Program(settings, around.triage, env, around.home)])


CONNECTOR = Connector(_build, check)
