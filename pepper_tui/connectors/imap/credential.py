"""What an account signs in with: its password, or the token that a program of the user's prints."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from pepper_tui.config import Secrets
from pepper_tui.connectors.bearer import Credential, TokenCommand
from pepper_tui.connectors.imap.settings import Imap


def credential(settings: Imap, ident: str, home: Path, secrets: Secrets) -> Callable[[], Credential]:
    """Return what gives the present one; it blocks. Raises ``ConfigError`` when called."""
    if settings.token_command:
        return TokenCommand(settings.token_command, f"token_command of account {ident}", home)
    return partial(secrets.value, settings.password)
