"""What all commands share: which home is meant, how they speak, and how they end."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from pepper_tui.config import default_home
from pepper_tui.interpreter import log_cleanly
from pepper_tui.launch import EXIT_TROUBLE, LaunchError, report
from pepper_tui.remote import RemoteError

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", metavar="DIR", help="The folder of config and data; without it $PEPPER_HOME, or your own."),
]


class Homes:
    """The home given before the command; one given after it wins."""

    given: Path | None = None


def at(home: Path | None) -> Path:
    return (home or Homes.given or default_home()).expanduser().absolute()


def show(text: str = "") -> None:
    typer.echo(text)


def when(seconds: float) -> str:
    """A time in the machine's own zone, to the minute."""
    return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M}"


def leave(error: LaunchError) -> NoReturn:
    raise typer.Exit(report(error))


def do(work: Coroutine[Any, Any, int]) -> NoReturn:
    """Run ``work`` and leave with its code; known troubles become words."""
    log_cleanly()
    try:
        code = asyncio.run(work)
    except LaunchError as error:
        leave(error)
    except RemoteError as error:
        leave(LaunchError(EXIT_TROUBLE, str(error)))
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    raise typer.Exit(code)
