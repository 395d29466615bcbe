"""The end of adding an account, of any kind: its password, the trial, and only then what is written."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from pepper_tui.clock import in_thread
from pepper_tui.command.accounts.options import Given
from pepper_tui.command.asking import asked, unseen
from pepper_tui.command.launch import EXIT_CONFIG, EXIT_TROUBLE, LaunchError
from pepper_tui.command.output import show
from pepper_tui.connectors.finding import in_words
from pepper_tui.setup.accounts.book import AccountBook
from pepper_tui.setup.accounts.trying import account_of, trial_words, tried

LONGEST_SECRET: Final = 10_000


def piped(what: str) -> str:
    """Return a line of standard input. Raises ``LaunchError`` if there is none."""
    said = sys.stdin.buffer.readline(LONGEST_SECRET).decode("utf-8", "replace").rstrip("\r\n")
    if not said:
        raise LaunchError(EXIT_CONFIG, f"standard input holds no {what}")
    return said


def password(given: Given, *words: str) -> str:
    """Return the password: from standard input, or typed unseen after ``words`` on it."""
    if given.password_stdin:
        return piped("password")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise LaunchError(EXIT_CONFIG, "nobody can type a password here: --password-stdin or --password-env NAME")
    for each in words:
        show(each)
    return unseen("Password (it is not shown)")


async def keep(
    book: AccountBook,
    table: dict[str, Any],
    given: Given,
    ask: Callable[[], str] | None,
    held: Mapping[str, str] | None = None,
) -> int:
    """Take the password, try it, and write the account. ``ask`` returns a password; ``held`` are other secrets."""
    ident = str(table["id"])
    while True:
        secrets = {**(held or {}), **({ident: ask()} if ask is not None else {})}
        if not given.tests or await works(book.home, ident, secrets, table):
            break
        if not given.asks:
            raise LaunchError(EXIT_TROUBLE, "the account was not added; --no-test adds it anyway")
        other = "p another password · " if ask is not None else ""
        again = asked(f"{other}k keep it anyway · q leave", "p" if other else "q").strip().lower()
        if again == "k":
            break
        if again != "p" or not other:
            show("Nothing was written.")
            return EXIT_TROUBLE
    await written(book, table, secrets)
    return 0


async def written(book: AccountBook, table: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
    """Write the account, and say where everything is."""
    place = await in_thread(book.add, table, secrets)
    ident = str(table["id"])
    what = "password is" if list(secrets) == [ident] else "secrets are" if len(secrets) > 1 else "address is"
    show(f"Added {ident} to {book.home / 'config.toml'}" + (f"; its {what} in {place}." if secrets else "."))


async def works(home: Path, ident: str, held: Mapping[str, str], extra: Mapping[str, Any] | None = None) -> bool:
    """Try an account, and print what is found; return whether nothing is wrong."""
    show(trial_words(await in_thread(account_of, home, ident, extra)))
    wrong = 0
    async for finding in tried(home, ident, held=held, extra=extra):
        wrong += finding.state == "trouble"
        show(in_words(finding))
    return not wrong
