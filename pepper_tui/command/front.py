"""The fast way to the screen.

Little more than the standard library is imported here, and a line is on the terminal before Textual is loaded.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pepper_tui.home import default_home


class ScreenOptions(NamedTuple):
    """Options for starting the screen."""

    home: Path | None = None
    demo: bool = False
    plain: bool = False


def screen_options(arguments: Sequence[str]) -> ScreenOptions | None:
    """Return the options if the arguments ask only for the screen; None: let ``cli`` read them."""
    home: Path | None = None
    demo = plain = False
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if argument == "--demo":
            demo = True
        elif argument == "--plain":
            plain = True
        elif argument == "--home" and rest:
            home = Path(rest.pop(0)).expanduser()
        elif argument.startswith("--home=") and len(argument) > len("--home="):
            home = Path(argument.removeprefix("--home=")).expanduser()
        else:
            return None
    return ScreenOptions(home, demo, plain)


def screen(home: Path | None, demo: bool, plain: bool = False) -> int:
    """Show the screen of ``home`` (None: the default home, or a fresh one for the demo); return the exit code."""
    if demo:
        from pepper_tui.command.launch import demo_home

        where = home or demo_home()
    else:
        where = home or default_home()
    where = where.absolute()
    if not demo and not (where / "config.toml").exists():
        return without_config(where, plain)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        from pepper_tui.command.launch import without_terminal

        return without_terminal(where, plain=plain)
    print(f"Pepper starts in {where} …", flush=True)
    from pepper_tui.command.launch import run_screen

    return run_screen(where, demo=demo, plain=plain)


def without_config(home: Path, plain: bool) -> int:
    """Say what to do in a home without a config; if somebody can answer, ask, write one, and go on with it."""
    from pepper_tui.command.launch import demo_home, missing_config, only_lines, report, run_screen

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return report(missing_config(home))
    if plain or only_lines():  # the same questions, in lines
        from pepper_tui.command.first_start import first_start

        return first_start(home) or run_screen(home, plain=True)
    from pepper_tui.ui.welcome.welcome import WelcomeApp

    chosen = WelcomeApp(home).run()
    if chosen == "demo":
        return run_screen(demo_home(), demo=True)
    if chosen == "written":
        return run_screen(home)
    return report(missing_config(home))
