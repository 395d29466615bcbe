"""Signing in and out, as connectors declare it: what it needs is loaded when somebody does."""

from __future__ import annotations

from pathlib import Path

from pepper_tui.clock import Clock
from pepper_tui.config import Secrets
from pepper_tui.connectors.connector import Talk
from pepper_tui.connectors.google_account.settings import AtGoogle


async def sign_in(settings: AtGoogle, home: Path, secrets: Secrets, clock: Clock, talk: Talk) -> str:
    """See ``connector.SignIn``."""
    from pepper_tui.connectors.google_account.sign_in import flow

    return await flow.sign_in(settings, home, secrets, clock, talk)


async def sign_out(settings: AtGoogle, home: Path, secrets: Secrets) -> str:
    """See ``connector.SignOut``."""
    from pepper_tui.connectors.google_account.sign_in import flow

    return await flow.sign_out(settings, home, secrets)
