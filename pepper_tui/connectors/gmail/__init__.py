"""An account at Gmail, by its API. So far only the road there: no account of this kind can be used yet.

| file | holds |
| --- | --- |
| ``transport.py`` | calls for the loop: in threads, paced, reads tried again |
| ``wire.py`` | one connection a call: at the configured places only, and each request sent once |
| ``units.py`` | what a command costs, and how fast one may be |
| ``trouble.py`` | what goes wrong, in words |
"""

from __future__ import annotations

from pepper_tui.config import ConfigError, Section
from pepper_tui.connectors.connector import Around, Built, Connector


class Gmail(Section):
    address: str


def _build(settings: Gmail, around: Around) -> Built:
    words = f"account {around.ident}: accounts of the kind gmail can't be used yet; take the account out of the config"
    raise ConfigError([words])


CONNECTOR = Connector(_build, settings=Gmail)
