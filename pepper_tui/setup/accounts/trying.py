"""Tries an account with its connector's own check: as the config has it, or as it would be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

from pepper_tui.boundary.plain_file import plain_text
from pepper_tui.config import CONFIG_FILE, Config, ConfigError, Secrets, parse_config
from pepper_tui.connectors.finding import Finding, Patient
from pepper_tui.connectors.registry import Named, named
from pepper_tui.setup.accounts.tables import unknown_account, with_account

LONGEST: Final = 60.0
"""Seconds for the whole check of one account."""


async def tried(
    home: Path, ident: str, *, held: Mapping[str, str] | None = None, extra: Mapping[str, Any] | None = None
) -> AsyncIterator[Finding]:
    """Yield what the check of an account finds.

    ``extra`` is an account that is not in the config yet; ``held`` are secrets that are not kept yet. Raises
    ``ConfigError``.
    """

    one = await asyncio.to_thread(account_of, home, ident, extra)
    patient = Patient(home, await asyncio.to_thread(_config, home, extra), Secrets(home, held=held), {}, ident)
    if one.connector.check is None:
        return
    try:
        async with asyncio.timeout(LONGEST):
            async for finding in one.connector.check(one.settings, patient):
                yield finding
    except TimeoutError:
        yield Finding(f"account {ident}", "trouble", f"does not answer within {LONGEST:g} s", "try again")


def account_of(home: Path, ident: str, extra: Mapping[str, Any] | None = None) -> Named:
    """Return the account of that id, whatever is wrong with another. Raises ``ConfigError``. Blocking."""
    config = _config(home, extra)
    known = [each.id for each in config.account]
    if ident not in known:
        raise unknown_account(ident, known)
    problems: list[str] = []
    try:
        for one in named(config, home):
            if one.ident == ident:
                return one
    except ConfigError as error:
        problems = error.problems
    mine = [problem for problem in problems if f"account {ident}" in problem]
    raise ConfigError(mine or problems)


def trial_words(one: Named) -> str:
    """Return what trying the account does, in words."""
    settings = one.settings
    said = [getattr(settings, key, "") for key in ("password", "token_command")]
    said.append(getattr(getattr(settings, "smtp", None), "password", ""))
    return "Trying the sign-in …" if any(said) or one.connector.sign_in is not None else "Looking there …"


def _config(home: Path, extra: Mapping[str, Any] | None) -> Config:
    source = plain_text(home / CONFIG_FILE)
    return parse_config(with_account(source, extra) if extra else source, home / CONFIG_FILE)
