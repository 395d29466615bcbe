"""What the commands of `pepper accounts` do.

They are apart from the options, since their imports would delay every other command.
"""

from __future__ import annotations

import asyncio
import sys
import webbrowser
from pathlib import Path
from typing import Any

import typer

from pepper_tui.clock import SystemClock, in_thread
from pepper_tui.command.accounts.adding import works
from pepper_tui.command.accounts.options import Given, further_keys, must_agree
from pepper_tui.command.asking import confirmed, unseen
from pepper_tui.command.launch import EXIT_CONFIG, EXIT_TROUBLE, LaunchError
from pepper_tui.command.output import show
from pepper_tui.engine.answers.socket import NoEngineError, RemoteError, request
from pepper_tui.setup.accounts.book import PLACES, AccountBook
from pepper_tui.text import one_line

Json = dict[str, Any]


async def listed(home: Path) -> int:
    rows = await in_thread(AccountBook(home).rows)
    health = await health_of(home)
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


async def health_of(home: Path) -> dict[str, Json] | None:
    """Return the health of the parts by name; None if no engine runs."""
    try:
        [facts] = [item async for item in request(home, "status")]
    except (NoEngineError, RemoteError):
        return None
    return {part["part"]: part for part in facts["health"]}


async def add_other(home: Path, kind: str, given: Given) -> int:
    """Add an account of a kind that signs in by its own way, or needs no sign-in."""
    must_agree(given, kind)
    keys = further_keys(given.settings, kind)
    book = AccountBook(home)
    with book.begun():
        return await _add_other(book, kind, given, keys)


async def _add_other(book: AccountBook, kind: str, given: Given, keys: Json) -> int:
    ident = given.ident or await in_thread(book.free_id, given.address or f"x@{kind}")
    table: Json = {"id": ident, "kind": kind, **({"address": given.address} if given.address else {}), **keys}
    said = await book.sign_in(ident, SystemClock(), TerminalTalk(), extra=table)
    if said:
        show(said)
    elif given.tests and not await works(book.home, ident, {}, table):
        raise LaunchError(EXIT_TROUBLE, "the account was not added; --no-test adds it anyway")
    await in_thread(book.add, table, {})
    show(f"Added {ident} to {book.home / 'config.toml'}.")
    return 0


async def test_all(home: Path, ident: str) -> int:
    book = AccountBook(home)
    idents = [(await in_thread(book.row, ident)).id] if ident else [row.id for row in await in_thread(book.rows)]
    good = [await works(home, each, {}) for each in idents]
    return 0 if all(good) else EXIT_TROUBLE


async def pause(home: Path, ident: str, *, paused: bool) -> int:
    changed = await in_thread(lambda: AccountBook(home).pause(ident, paused=paused))
    state = "paused: nothing is read or sent there" if paused else "goes on"
    show(f"{one_line(ident, 60)} {state}." if changed else f"{one_line(ident, 60)}: nothing to change.")
    return 0


async def signin(home: Path, ident: str, *, stdin: bool, tests: bool) -> int:
    book = AccountBook(home)
    await in_thread(book.row, ident)
    said = await book.sign_in(ident, SystemClock(), TerminalTalk())
    if said is not None:
        show(said)
        return 0
    name = await in_thread(book.password_name, ident)
    if not name:
        words = f"Pepper keeps no password of {ident}: see password or token_command of its table in config.toml"
        raise LaunchError(EXIT_CONFIG, words)
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


async def secrets(home: Path, ident: str, to: str) -> int:
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


async def remove(home: Path, ident: str, *, yes: bool, mail: str) -> int:
    book = AccountBook(home)
    row = await in_thread(book.row, ident)
    asks = not yes and sys.stdin.isatty() and sys.stdout.isatty()
    if not yes and not asks:
        raise LaunchError(EXIT_CONFIG, "nothing was removed: say --yes, or run it in a terminal")
    if mail not in ("", "keep", "remove"):
        raise LaunchError(EXIT_CONFIG, f"{one_line(mail, 40)}: keep or remove")
    if asks:
        show(f"{row.id}  {row.words}")
        if not confirmed("Remove this account and forget its password?", default=False):
            show("Nothing was removed.")
            return EXIT_TROUBLE
        if not mail:
            kept = confirmed("Keep the mail that Pepper has of it?", default=True)
            mail = "keep" if kept else "remove"
    if mail == "remove" and await health_of(home) is not None:
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
