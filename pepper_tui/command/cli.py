"""The `pepper` command with its subcommands.

Exit codes: 0 done; 1 trouble; 2 a missing or unusable config (or wrong usage); 3 another engine holds the home; 4 `ask`
or `answer` left approvals or questions in the inbox. Answers go to stdout, everything else to stderr; text from outside
is cleaned.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pepper_tui import __version__
from pepper_tui.command.accounts.commands import accounts_app
from pepper_tui.command.ask import answer, ask
from pepper_tui.command.config import config_app
from pepper_tui.command.launch import (
    EXIT_CONFIG,
    EXIT_TROUBLE,
    LaunchError,
    run_headless,
)
from pepper_tui.command.log import log
from pepper_tui.command.output import HomeOption, Homes, NotSaidError, at, do, leave, show, unsaid
from pepper_tui.command.rules import rules_app
from pepper_tui.command.status import status
from pepper_tui.command.store import store_app
from pepper_tui.command.when import when

app = typer.Typer(
    name="pepper",
    help="Pepper, a proactive assistant that lives in a terminal. Without a command: the screen.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    try:
        app(prog_name="pepper")
    except NotSaidError as error:
        sys.exit(unsaid(error))


@app.callback(invoke_without_command=True)
def pepper(
    context: typer.Context,
    home: HomeOption = None,
    demo: Annotated[bool, typer.Option("--demo", help="Sample mail and calendar; nothing leaves the machine.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="Lines instead of a screen, for screen readers.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        show(f"pepper {__version__}")
        raise typer.Exit()
    Homes.given = home
    if context.invoked_subcommand is None:
        from pepper_tui.command.front import screen

        raise typer.Exit(screen(home, demo, plain))
    if plain:
        leave(LaunchError(EXIT_CONFIG, "--plain goes alone, or with --demo"))
    if demo and context.invoked_subcommand != "run":
        leave(LaunchError(EXIT_CONFIG, "--demo goes alone, or with `run --headless`"))
    context.obj = demo


def run(
    context: typer.Context,
    headless: Annotated[
        bool, typer.Option("--headless", help="No screen; `ask`, `log` and `status` reach it.")
    ] = False,
    demo: Annotated[bool, typer.Option("--demo", help="On the demo's sample world.")] = False,
    home: HomeOption = None,
) -> None:
    """Run Pepper, with the screen or without."""
    demo = demo or bool(context.obj)
    if not headless:
        from pepper_tui.command.front import screen

        raise typer.Exit(screen(home or Homes.given, demo))
    if demo and not (home or Homes.given):
        from pepper_tui.command.launch import demo_home

        home = demo_home()
    raise typer.Exit(run_headless(at(home), demo=demo))


def init(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: take the mail and calendars found.")] = False,
    home: HomeOption = None,
) -> None:
    """Find mail, calendars and models on this machine, ask, and write a config. Never over one that is there."""
    from pepper_tui.command.first_start import first_start

    raise typer.Exit(first_start(at(home), yes=yes))


def doctor(home: HomeOption = None) -> None:
    """Each part, whether it works, and how to fix it. Exits 1 where something is wrong."""
    do(_doctor(at(home)))


async def _doctor(home: Path) -> int:
    from pepper_tui.setup.doctor import examine, in_words

    wrong = 0
    async for finding in examine(home):
        wrong += finding.state == "trouble"
        show(in_words(finding))
    show()
    show("All is well." if not wrong else f"{wrong} {'thing needs' if wrong == 1 else 'things need'} fixing.")
    return EXIT_TROUBLE if wrong else 0


for command in (when, run, ask, answer, log, status, init, doctor):
    app.command()(command)
app.add_typer(accounts_app, name="accounts")
app.add_typer(config_app, name="config")
app.add_typer(store_app, name="store")
app.add_typer(rules_app, name="rules")
