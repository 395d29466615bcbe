"""The first start in lines: ask, and write the config."""

from __future__ import annotations

import asyncio
from pathlib import Path

import typer

from pepper_tui.command.asking import confirmed
from pepper_tui.command.launch import EXIT_CONFIG, EXIT_TROUBLE, LaunchError, report
from pepper_tui.text.errors import PepperError


def first_start(home: Path, *, yes: bool = False) -> int:
    """Ask, and write a config; return the exit code."""
    from pepper_tui.setup.first_start.command import FirstStartError
    from pepper_tui.setup.first_start.command import init as ask_and_write

    try:
        if not ask_and_write(home, yes=yes):
            return EXIT_CONFIG
        if not yes and confirmed("Add an account now (mail or calendars at a server)?", default=False):
            return _add_account(home)
        return 0
    except FirstStartError as error:
        return report(LaunchError(EXIT_CONFIG, str(error)))
    except OSError as error:
        return report(LaunchError(EXIT_TROUBLE, f"{home}: {error.strerror}; nothing was written"))
    except (typer.Abort, KeyboardInterrupt):
        typer.echo("Nothing was written.", err=True)
        return EXIT_TROUBLE


def _add_account(home: Path) -> int:
    """Ask for an account, and add it; without it the first start is done all the same."""
    from pepper_tui.command.accounts.options import Given
    from pepper_tui.command.accounts.work import add_of_kind

    try:
        asyncio.run(add_of_kind(home, "", Given()))
    except (PepperError, typer.Abort) as error:
        typer.echo(f"{error or 'No account was added'}; later: pepper accounts add", err=True)
    return 0
