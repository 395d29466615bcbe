"""`pepper config …`: where the config is, its settings, a check of it, and an example."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pepper_tui.boundary.plain_file import plain_text
from pepper_tui.command.launch import (
    EXIT_CONFIG,
    EXIT_TROUBLE,
    LaunchError,
    missing_config,
    read_config,
)
from pepper_tui.command.output import HomeOption, at, leave, show
from pepper_tui.text import clean

if TYPE_CHECKING:
    from pepper_tui.config import Config
    from pepper_tui.connectors.registry import Named

config_app = typer.Typer(
    help="The config: where it is, what it says, whether it is right; an example.", no_args_is_help=True
)


def _of_accounts(home: Path, config: Config) -> tuple[list[Named], list[str]]:
    """Return the accounts that the config names, and their problems."""
    from pepper_tui.config import ConfigError
    from pepper_tui.connectors.registry import named

    found: list[Named] = []
    try:
        found.extend(named(config, home))
    except ConfigError as error:
        return found, error.problems
    return found, []


@config_app.command("check")
def config_check(home: HomeOption = None) -> None:
    """Read the config and say what it sets up, or what is wrong: file, line, key."""
    from pepper_tui.config import ConfigError, old_key_notes
    from pepper_tui.config.report import missing_things, summary

    where = at(home)
    path = where / "config.toml"
    with suppress(OSError, UnicodeDecodeError, ConfigError):  # reported below, with all other problems
        for note in old_key_notes(plain_text(path), path):
            show(f"{note}; to write that into the file: pepper config upgrade")
    config = configured(where)
    accounts, wrong = _of_accounts(where, config)
    calendars = [one.ident for one in accounts if one.connector.holds == ("calendars",)]
    problems = [*missing_things(where, config), *wrong]
    for line in summary(config, calendars):
        show(line)
    if problems:
        leave(LaunchError(EXIT_CONFIG, *problems))
    show(f"{path}: good")


@config_app.command("upgrade")
def config_upgrade(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and write nothing.")] = False,
    home: HomeOption = None,
) -> None:
    """Write renamed keys under their new names, and the mail in [mail] as accounts; all else stays as it is."""
    from pepper_tui.config import ConfigError
    from pepper_tui.config.report import changes
    from pepper_tui.config.upgrade import upgrade_of, write

    path = at(home) / "config.toml"
    try:
        upgrade = upgrade_of(path)
        for note in upgrade.notes:
            show(note)
        for line in changes(upgrade.before, upgrade.after):
            show(clean(line))
        for line in upgrade.left:
            show(line)
        if not upgrade.notes:
            show(f"{path}: nothing to do")
        elif dry_run:
            show(f"{path}: nothing was written")
        else:
            show(f"{path}: written; the one before is {write(upgrade)}")
    except FileNotFoundError:
        leave(missing_config(path.parent))
    except ConfigError as error:
        leave(LaunchError(EXIT_CONFIG, *error.problems))
    except UnicodeDecodeError as error:
        leave(LaunchError(EXIT_CONFIG, f"{path}: {error}"))
    except OSError as error:
        leave(LaunchError(EXIT_TROUBLE, f"{error.filename or path}: {error.strerror}; nothing was changed"))


@config_app.command("path")
def config_path(home: HomeOption = None) -> None:
    """Where the config is, or would be."""
    show(str(at(home) / "config.toml"))


@config_app.command("show")
def config_show(home: HomeOption = None) -> None:
    """Every setting as it is now, defaults included. Secrets are only named, as the config names them."""
    from pepper_tui.config.report import settings

    for line in settings(configured(at(home)).model_dump(mode="json", exclude_none=True)):
        show(line)


@config_app.command("example")
def config_example() -> None:
    """Print a complete example, every key with its meaning."""
    from pepper_tui.config.report import example_text

    show(example_text().rstrip("\n"))


def configured(home: Path) -> Config:
    """Return the home's config, or end the command."""
    try:
        return read_config(home)
    except LaunchError as error:
        leave(error)
