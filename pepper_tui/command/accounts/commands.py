"""`pepper accounts …`: the accounts whose mail Pepper reads and sends; adding, trying, pausing and removing them.

Each writes the config and the place of secrets. A running engine has read its config at the start, so it is told of at
the end.
"""

from __future__ import annotations

import asyncio
import sys
import webbrowser
from pathlib import Path
from typing import Annotated, Any

import typer

from pepper_tui.clock import SystemClock, in_thread
from pepper_tui.command.accounts.adding import Given, add, unseen, works
from pepper_tui.command.launch import EXIT_CONFIG, EXIT_TROUBLE, LaunchError, missing_config
from pepper_tui.command.output import HomeOption, at, do, show
from pepper_tui.config import ConfigError
from pepper_tui.engine.answers.socket import NoEngineError, RemoteError, request
from pepper_tui.setup.accounts.book import PLACES, AccountBook
from pepper_tui.text import one_line
from pepper_tui.text.errors import PepperError

Json = dict[str, Any]
accounts_app = typer.Typer(
    help="Your mail accounts: add, test, pause, sign in again, remove.", invoke_without_command=True
)
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The account's id, as `pepper accounts list` shows it.")]


@accounts_app.callback()
def accounts(context: typer.Context, home: HomeOption = None) -> None:
    if context.invoked_subcommand is None:
        _do(at(home), _list(at(home)))


@accounts_app.command("list")
def accounts_list(home: HomeOption = None) -> None:
    """Each account: its id, address and server, and how it does if Pepper runs."""
    _do(at(home), _list(at(home)))


async def _list(home: Path) -> int:
    rows = await in_thread(AccountBook(home).rows)
    health = await _health(home)
    for row in rows:
        show(f"{row.id:<16} {row.words}")
        said = (health or {}).get(f"feed.{row.id}")
        if said:
            show(f"{'':<16} {one_line(said['state'], 20)}: {one_line(said['detail'], 300)}")
            if said["remedy"] and said["state"] in ("trouble", "stopped"):
                show(f"{'':<16} → {one_line(said['remedy'], 300)}")
    if not rows:
        show("no accounts yet; add one: pepper accounts add you@example.org")
    return 0


async def _health(home: Path) -> dict[str, Json] | None:
    """Return the health of the parts by name; None if no engine runs."""
    try:
        [facts] = [item async for item in request(home, "status")]
    except (NoEngineError, RemoteError):
        return None
    return {part["part"]: part for part in facts["health"]}


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
    discover: Annotated[bool, typer.Option("--discover", help="The domain may be asked for its servers.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    no_test: Annotated[bool, typer.Option("--no-test", help="Add it without trying the sign-in.")] = False,
    kind: Annotated[str, typer.Option(help="The connector; gmail signs in by browser.")] = "imap",
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A further key of the account.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Add an account: its settings are found, shown, tried, and then written into the config."""
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
    )
    where = at(home)
    if kind == "imap" and not settings:
        _do(where, add(where, given), changes=True)
    _do(where, _add_other(where, kind, address, ident, settings or []), changes=True)


async def _add_other(home: Path, kind: str, address: str, ident: str, settings: list[str]) -> int:
    """Add an account of a kind that signs in by its own way, or needs no sign-in."""
    book = AccountBook(home)
    ident = ident or await in_thread(book.free_id, address or f"x@{kind}")
    table: Json = {"id": ident, "kind": kind, **({"address": address} if address else {})}
    for each in settings:
        key, equals, value = each.partition("=")
        if not equals:
            raise LaunchError(EXIT_CONFIG, f"{one_line(each, 60)}: write it as KEY=VALUE")
        table[key] = value
    said = await book.sign_in(ident, SystemClock(), TerminalTalk(), extra=table)
    if said:
        show(said)
    await in_thread(book.add, table, {})
    show(f"Added {ident} to {home / 'config.toml'}.")
    return 0


@accounts_app.command("test")
def accounts_test(
    ident: Annotated[str, typer.Argument(metavar="[ID]", help="Without it: all.")] = "", home: HomeOption = None
) -> None:
    """Sign in at an account's servers, and say what is wrong. Exits 1 where something is."""
    _do(at(home), _test(at(home), ident))


async def _test(home: Path, ident: str) -> int:
    book = AccountBook(home)
    idents = [(await in_thread(book.row, ident)).id] if ident else [row.id for row in await in_thread(book.rows)]
    good = [await works(home, each, {}) for each in idents]
    return 0 if all(good) else EXIT_TROUBLE


@accounts_app.command("pause")
def accounts_pause(ident: IdArgument, home: HomeOption = None) -> None:
    """Read nothing from an account and send nothing by it, until it is resumed."""
    _do(at(home), _pause(at(home), ident, paused=True), changes=True)


@accounts_app.command("resume")
def accounts_resume(ident: IdArgument, home: HomeOption = None) -> None:
    """Let a paused account go on."""
    _do(at(home), _pause(at(home), ident, paused=False), changes=True)


async def _pause(home: Path, ident: str, *, paused: bool) -> int:
    changed = await in_thread(lambda: AccountBook(home).pause(ident, paused=paused))
    state = "paused: nothing is read or sent there" if paused else "goes on"
    show(f"{one_line(ident, 60)} {state}." if changed else f"{one_line(ident, 60)}: nothing to change.")
    return 0


@accounts_app.command("signin")
def accounts_signin(
    ident: IdArgument,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read it from standard input.")] = False,
    no_test: Annotated[bool, typer.Option("--no-test", help="Keep it without trying it.")] = False,
    home: HomeOption = None,
) -> None:
    """Sign in again: a new password, or the way of the account's kind. A running Pepper notices it by itself."""
    _do(at(home), _signin(at(home), ident, stdin=password_stdin, tests=not no_test))


async def _signin(home: Path, ident: str, *, stdin: bool, tests: bool) -> int:
    book = AccountBook(home)
    await in_thread(book.row, ident)
    said = await book.sign_in(ident, SystemClock(), TerminalTalk())
    if said is not None:
        show(said)
        return 0
    name = await in_thread(book.password_name, ident)
    if not name:
        raise LaunchError(EXIT_CONFIG, f"the password of {ident} is not kept by Pepper: see password in config.toml")
    if stdin:
        password = sys.stdin.buffer.readline(10_000).decode("utf-8", "replace").rstrip("\r\n")
    elif sys.stdin.isatty():
        password = unseen(f"The new password of {ident} (it is not shown)")
    else:
        raise LaunchError(EXIT_CONFIG, "nobody can type a password here: --password-stdin")
    if not password:
        raise LaunchError(EXIT_CONFIG, "standard input holds no password")
    if tests and not await works(home, ident, {name: password}):
        raise LaunchError(EXIT_TROUBLE, "the password was not kept; --no-test keeps it anyway")
    place = await in_thread(book.keep, name, password)
    show(f"The password of {ident} is now in {place}.")
    return 0


@accounts_app.command("secrets")
def accounts_secrets(
    ident: IdArgument,
    to: Annotated[str, typer.Option("--to", metavar="keyring|file", help="Move them there.")] = "",
    home: HomeOption = None,
) -> None:
    """Where an account's password or token is kept, and moving it."""
    _do(at(home), _secrets(at(home), ident, to))


async def _secrets(home: Path, ident: str, to: str) -> int:
    book = AccountBook(home)
    await in_thread(book.row, ident)
    if to:
        if to not in PLACES:
            raise LaunchError(EXIT_CONFIG, f"{one_line(to, 40)} is no place for secrets: keyring or file")
        moved = await in_thread(book.move, ident, to)
        show(f"moved: {', '.join(moved)}" if moved else "nothing to move")
    for name, place in (await in_thread(book.secrets_of, ident)).items():
        show(f"{name:<16} {PLACES[place]}")
    return 0


@accounts_app.command("remove")
def accounts_remove(
    ident: IdArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    mail: Annotated[str, typer.Option(metavar="keep|remove", help="What becomes of its mail in Pepper's store.")] = "",
    home: HomeOption = None,
) -> None:
    """Take an account out of the config and forget its secrets. Its mail at the server is not touched."""
    _do(at(home), _remove(at(home), ident, yes=yes, mail=mail), changes=True)


async def _remove(home: Path, ident: str, *, yes: bool, mail: str) -> int:
    book = AccountBook(home)
    row = await in_thread(book.row, ident)
    asks = not yes and sys.stdin.isatty() and sys.stdout.isatty()
    if not yes and not asks:
        raise LaunchError(EXIT_CONFIG, "nothing was removed: say --yes, or run it in a terminal")
    if mail not in ("", "keep", "remove"):
        raise LaunchError(EXIT_CONFIG, f"{one_line(mail, 40)}: keep or remove")
    if asks:
        show(f"{row.id}  {row.words}")
        if not typer.confirm("Remove this account and forget its password?", default=False):
            show("Nothing was removed.")
            return EXIT_TROUBLE
        if not mail:
            kept = typer.confirm("Keep the mail that Pepper has of it?", default=True)
            mail = "keep" if kept else "remove"
    if mail == "remove" and await _health(home) is not None:
        raise LaunchError(EXIT_TROUBLE, "nothing was removed: end Pepper first, its store is in use")
    said = await book.remove(ident)
    show(f"Removed {row.id}" + (f"; {said}" if said else "") + ".")
    if mail == "remove":
        from pepper_tui.command.accounts.stored_mail import remove_mail

        await remove_mail(home, row.id)
    else:
        show("Its mail stays in Pepper's store.")
    return 0


class TerminalTalk:
    """How a sign-in speaks with the user of a terminal."""

    async def say(self, words: str, /) -> None:
        show(words)

    async def open(self, address: str, /) -> None:
        show(address)
        await asyncio.to_thread(webbrowser.open, address)

    async def paste(self, words: str, /) -> str:
        if not sys.stdin.isatty():
            await asyncio.Event().wait()
        said: str = await asyncio.to_thread(typer.prompt, words)
        return said


def _do(home: Path, work: Any, *, changes: bool = False) -> None:
    """Carry out ``work``, with its troubles in words; say that a running engine has to start anew."""

    async def carried_out() -> int:
        try:
            code: int = await work
        except FileNotFoundError as error:
            raise (missing_config(home) if not (home / "config.toml").exists() else error) from None
        except ConfigError as error:
            raise LaunchError(EXIT_CONFIG, *error.problems) from None
        except LaunchError:
            raise
        except PepperError as error:
            raise LaunchError(EXIT_TROUBLE, "; ".join(filter(None, [error.words, error.remedy]))) from None
        except typer.Abort:
            show("\nNothing was written.")
            return EXIT_TROUBLE
        if changes and not code and await _health(home) is not None:
            show("Pepper runs: it takes this in when it starts again (in it, F11 then r starts it anew).")
        return code

    do(carried_out())
