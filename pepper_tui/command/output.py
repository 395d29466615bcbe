"""What all commands share: which home is meant, their output, and their exit."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Coroutine
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Annotated, Any, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from pepper_tui.command.launch import EXIT_TROUBLE, LaunchError, report
from pepper_tui.engine.answers.socket import RemoteError
from pepper_tui.engine.interpreter import DaemonThreads, log_cleanly
from pepper_tui.home import default_home
from pepper_tui.home.written import section
from pepper_tui.text.errors import PepperError, is_foreseen

log = logging.getLogger(__name__)
HomeOption = Annotated[
    Path | None,
    typer.Option("--home", metavar="DIR", help="The folder of config and data; without it $PEPPER_HOME, or your own."),
]


class Homes:
    """The home given before the command; one given after it wins. ``used``: the home that the command works on."""

    given: Path | None = None
    used: Path | None = None


def at(home: Path | None) -> Path:
    Homes.used = (home or Homes.given or default_home()).expanduser().absolute()
    return Homes.used


class NotSaidError(PepperError):
    """Raised if standard output can't be written; its words say why. Finished work is not undone."""


def show(text: str = "") -> None:
    """Print ``text``. Raises ``NotSaidError``; ``BrokenPipeError`` if the reader has closed the pipe."""
    try:
        typer.echo(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise NotSaidError(f"standard output can't be written: {error.strerror}") from error


def unsaid(error: NotSaidError) -> int:
    """Report the error if possible; return the exit code. The rest of the buffer is dropped: it would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return report(LaunchError(EXIT_TROUBLE, str(error)))


def when(seconds: float, *, exact: bool = False) -> str:
    """Return a time in the user's zone, to the minute; ``exact``: to the second."""
    at_that_time = datetime.fromtimestamp(seconds, _zone_of(Homes.used))
    return f"{at_that_time:%Y-%m-%d %H:%M:%S}" if exact else f"{at_that_time:%Y-%m-%d %H:%M}"


def user_settings(home: Path | None) -> dict[str, Any]:
    """Return the section ``[user]`` of a home's config; empty if none can be read."""
    return section(home, "user") if home else {}


def _zone_of(home: Path | None) -> tzinfo | None:
    """Return the zone that the config of ``home`` names; ``None``, the machine's own, if none can be read."""
    zone = user_settings(home).get("zone")
    try:
        return ZoneInfo(zone) if isinstance(zone, str) and zone else None
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return None


def leave(error: LaunchError) -> NoReturn:
    raise typer.Exit(report(error))


async def _patiently(work: Coroutine[Any, Any, int]) -> int:
    """Run ``work`` so that an unresponsive folder can't block the exit."""
    loop, main = asyncio.get_running_loop(), asyncio.current_task()
    loop.set_default_executor(DaemonThreads())
    if main is not None and threading.current_thread() is threading.main_thread():
        # the handler of `asyncio.run` wakes nothing: a signal just before the loop sleeps would be noticed late
        loop.add_signal_handler(signal.SIGINT, main.cancel)
    return await work


def _is_of_the_store(error: Exception) -> bool:
    """Check whether the error is a refusal of the store, told in words; if so, log it in full."""
    from pepper_tui.store import StoreError

    if isinstance(error, StoreError):
        log.error("the command ended: %s", error, exc_info=error)
    return isinstance(error, StoreError)


def do(work: Coroutine[Any, Any, int]) -> NoReturn:
    """Run ``work`` and exit with its code; known errors become words."""
    log_cleanly()
    try:
        code = asyncio.run(_patiently(work))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except LaunchError as error:
        leave(error)
    except RemoteError as error:
        leave(LaunchError(EXIT_TROUBLE, str(error)))
    except NotSaidError:
        raise
    except Exception as error:
        if not is_foreseen(error) and not _is_of_the_store(error):
            raise
        leave(LaunchError(EXIT_TROUBLE, str(error)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        code = 130
    raise typer.Exit(code)
