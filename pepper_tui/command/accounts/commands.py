"""`pepper accounts …`: the accounts whose mail Pepper reads and sends; adding, trying, pausing and removing them.

Each writes the config and the place of secrets. A running engine has read its config at the start, so it is told of at
the end.
"""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pepper_tui.command.launch import EXIT_CONFIG, EXIT_TROUBLE, LaunchError, missing_config
from pepper_tui.command.output import HomeOption, at, do, show
from pepper_tui.text.errors import PepperError

if TYPE_CHECKING:
    from types import ModuleType

accounts_app = typer.Typer(
    help="Your accounts, of mail and of calendars: add, test, pause, sign in again, remove.",
    invoke_without_command=True,
)
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The account's id, as `pepper accounts list` shows it.")]


@accounts_app.callback()
def accounts(context: typer.Context, home: HomeOption = None) -> None:
    if context.invoked_subcommand is None:
        _do(at(home), _work().listed(at(home)))


@accounts_app.command("list")
def accounts_list(home: HomeOption = None) -> None:
    """Each account: its id, address and server, and how it does if Pepper runs."""
    _do(at(home), _work().listed(at(home)))


@accounts_app.command("add")
def accounts_add(
    address: Annotated[str, typer.Argument(metavar="[ADDRESS]", help="As you@example.org.")] = "",
    ident: Annotated[str, typer.Option("--id", help="A name of your own for it: letters, digits, _.")] = "",
    host: Annotated[str, typer.Option(help="The server for reading (IMAP).")] = "",
    port: Annotated[int, typer.Option(help="Its port; without it 993, or 143.", min=0, max=65535)] = 0,
    security: Annotated[str, typer.Option(help="tls, starttls, or none for this machine.")] = "",
    user: Annotated[str, typer.Option(help="The user there; without it the address.")] = "",
    smtp_host: Annotated[str, typer.Option(help="The server for sending.")] = "",
    smtp_port: Annotated[int, typer.Option(help="Its port; without it 465, or 587.", min=0, max=65535)] = 0,
    smtp_security: Annotated[str, typer.Option(help="As --security.")] = "",
    smtp_user: Annotated[str, typer.Option(help="The user for sending, where it is another.")] = "",
    no_smtp: Annotated[bool, typer.Option("--no-smtp", help="Nothing is sent from there.")] = False,
    ca: Annotated[str, typer.Option(metavar="FILE", help="The certificate of a CA of your own.")] = "",
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read it from standard input.")] = False,
    password_env: Annotated[str, typer.Option(metavar="NAME", help="It stays in this environment variable.")] = "",
    token_command: Annotated[str, typer.Option(help="A program that prints an access token, for a password.")] = "",
    discover: Annotated[bool, typer.Option("--discover", help="The domain may be asked for its servers.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    no_test: Annotated[bool, typer.Option("--no-test", help="Add it without trying the sign-in.")] = False,
    url: Annotated[str, typer.Option(help="The address of a calendar; -: a secret one, from standard input.")] = "",
    kind: Annotated[
        str,
        typer.Option(help="What it is: `pepper accounts kinds` lists them. Without it mail by IMAP, or it is asked."),
    ] = "",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A further key, as paths=~/Mail, smtp.host=x."),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Add an account of mail or calendars: its settings are found, shown, tried, and then written into the config."""
    from pepper_tui.command.accounts.options import Given

    given = Given(
        address,
        ident,
        host,
        port,
        security,
        user,
        smtp_host,
        smtp_port,
        smtp_security,
        smtp_user,
        not no_smtp,
        ca,
        password_env,
        password_stdin,
        discover,
        yes,
        not no_test,
        token_command,
        tuple(settings or ()),
        url,
    )
    _do(at(home), _work().add_of_kind(at(home), kind, given), changes=True)


@accounts_app.command("kinds")
def accounts_kinds() -> None:
    """List the kinds of accounts that can be added, and what each asks."""
    _do(Path(), _work().listed_kinds())


@accounts_app.command("test")
def accounts_test(
    ident: Annotated[str, typer.Argument(metavar="[ID]", help="Without it: all.")] = "", home: HomeOption = None
) -> None:
    """Sign in at an account's servers, and say what is wrong. Exits 1 where something is."""
    _do(at(home), _work().test_all(at(home), ident))


@accounts_app.command("pause")
def accounts_pause(ident: IdArgument, home: HomeOption = None) -> None:
    """Read nothing from an account and send nothing by it, until it is resumed."""
    _do(at(home), _work().pause(at(home), ident, paused=True), changes=True)


@accounts_app.command("resume")
def accounts_resume(ident: IdArgument, home: HomeOption = None) -> None:
    """Let a paused account go on."""
    _do(at(home), _work().pause(at(home), ident, paused=False), changes=True)


@accounts_app.command("signin")
def accounts_signin(
    ident: IdArgument,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read it from standard input.")] = False,
    no_test: Annotated[bool, typer.Option("--no-test", help="Keep it without trying it.")] = False,
    home: HomeOption = None,
) -> None:
    """Sign in again: a new password, or the way of the account's kind. A running Pepper notices it by itself."""
    _do(at(home), _work().signin(at(home), ident, stdin=password_stdin, tests=not no_test))


@accounts_app.command("secrets")
def accounts_secrets(
    ident: IdArgument,
    to: Annotated[str, typer.Option("--to", metavar="keyring|file", help="Move them there.")] = "",
    home: HomeOption = None,
) -> None:
    """Where an account's password or token is kept, and moving it."""
    _do(at(home), _work().secrets(at(home), ident, to))


@accounts_app.command("remove")
def accounts_remove(
    ident: IdArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    stored: Annotated[
        str,
        typer.Option(
            "--stored",
            "--mail",
            metavar="keep|remove",
            help="What becomes of its mail, or of the copy of its calendars, in Pepper's store.",
        ),
    ] = "",
    home: HomeOption = None,
) -> None:
    """Take an account out of the config and forget its secrets. What is at the server is not touched."""
    _do(at(home), _work().remove(at(home), ident, yes=yes, stored=stored), changes=True)


def _do(home: Path, work: Awaitable[int], *, changes: bool = False) -> None:
    """Carry out ``work``, with its troubles in words; say that a running engine has to start anew."""

    from pepper_tui.config import ConfigError

    async def carried_out() -> int:
        try:
            code = await work
        except FileNotFoundError as error:
            raise (missing_config(home) if not (home / "config.toml").exists() else error) from None
        except ConfigError as error:
            raise LaunchError(EXIT_CONFIG, *error.problems) from None
        except LaunchError:
            raise
        except PepperError as error:
            raise LaunchError(EXIT_TROUBLE, error.told) from None
        except typer.Abort:
            show("\nNothing was written.")
            return EXIT_TROUBLE
        if changes and not code and await _work().health_of(home) is not None:
            show("Pepper runs: it takes this in when it starts again (Ctrl+N there, then r).")
        return code

    do(carried_out())


def _work() -> ModuleType:
    from pepper_tui.command.accounts import work

    return work
