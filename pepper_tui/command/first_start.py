"""The first start in lines: ask, and write the config."""

from __future__ import annotations

from pathlib import Path

import typer

from pepper_tui.command.launch import EXIT_CONFIG, EXIT_TROUBLE, LaunchError, report


def first_start(home: Path, *, yes: bool = False) -> int:
    """Ask, and write a config; return the exit code."""
    from pepper_tui.setup.first_start.command import FirstStartError
    from pepper_tui.setup.first_start.command import init as ask_and_write

    try:
        return 0 if ask_and_write(home, yes=yes) else EXIT_CONFIG
    except FirstStartError as error:
        return report(LaunchError(EXIT_CONFIG, str(error)))
    except OSError as error:
        return report(LaunchError(EXIT_TROUBLE, f"{home}: {error.strerror}; nothing was written"))
    except (typer.Abort, KeyboardInterrupt):
        typer.echo("Nothing was written.", err=True)
        return EXIT_TROUBLE
