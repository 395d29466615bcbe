"""An account at Gmail, by its API. So far only the road there: no account of this kind can be used yet.

| file | holds |
| --- | --- |
| ``transport.py`` | calls for the loop: in threads, paced, reads tried again |
| ``wire.py`` | one connection a call: at the configured places only, and each request sent once |
| ``units.py`` | what a command costs, and how fast one may be |
| ``trouble.py`` | what goes wrong, in words |
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from pepper_tui.config import ConfigError, Section
from pepper_tui.connectors.connector import Around, Built, Connector
from pepper_tui.connectors.finding import Finding, Patient

NOT_YET = "accounts of the kind gmail can't be used yet"
REMEDY = "take the account out of the config"


class Gmail(Section):
    address: str


def _build(settings: Gmail, around: Around) -> Built:
    raise ConfigError([f"account {around.ident}: {NOT_YET}; {REMEDY}"])


async def _check(settings: Gmail, patient: Patient) -> AsyncIterator[Finding]:
    yield Finding(f"account {settings.address}", "trouble", NOT_YET, REMEDY)


CONNECTOR = Connector(_build, _check, Gmail)
