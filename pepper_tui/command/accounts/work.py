"""What the commands of `pepper accounts` do.

They are apart from the options, since their imports would delay every other command.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from pepper_tui.clock import SystemClock, in_thread
from pepper_tui.command.accounts.adding import add
from pepper_tui.command.accounts.keeping import LONGEST_SECRET, works
from pepper_tui.command.accounts.kinds import add_other, chosen_kind, listed_kinds
from pepper_tui.command.accounts.options import IMAP, Given
from pepper_tui.command.accounts.terminal_talk import TerminalTalk
from pepper_tui.command.asking import confirmed, unseen
from pepper_tui.command.launch import EXIT_CONFIG, EXIT_TROUBLE, LaunchError
from pepper_tui.command.output import show
from pepper_tui.engine.answers.socket import NoEngineError, RemoteError, request
from pepper_tui.setup.accounts.book import PLACES, AccountBook
from pepper_tui.text import one_line

__all__ = ["listed_kinds"]
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


async def add_of_kind(home: Path, kind: str, given: Given) -> int:
    """Add an account of that kind; without one, of the kind that the user chooses, or mail at a server."""
    what = kind or (await chosen_kind() if given.asks and not given.names_servers else IMAP)
    return await (add(home, given) if what == IMAP else add_other(home, what, given))


async def test_all(home: Path, ident: str) -> int:
    book = AccountBook(home)
    idents = [(await in_thread(book.row, ident)).id] if ident else [row.id for row in await in_thread(book.rows)]
    good = [await works(home, each, {}) for each in idents]
    return 0 if all(good) else EXIT_TROUBLE


async def pause(home: Path, ident: str, *, paused: bool) -> int:
    book = AccountBook(home)
    row = await in_thread(book.row, ident)
    changed = await in_thread(lambda: book.pause(ident, paused=paused))
    state = f"paused: {row.rests}" if paused else "goes on"
    show(f"{one_line(ident, 60)} {state}." if changed else f"{one_line(ident, 60)}: nothing to change.")
    return 0


async def signin(home: Path, ident: str, *, stdin: bool, tests: bool) -> int:
    book = AccountBook(home)
    await in_thread(book.row, ident)
    said = await book.sign_in(ident, SystemClock(), TerminalTalk())
    if said is not None:
        show(said)
        return 0
    what, name = await in_thread(book.kept_secret, ident)
    if stdin:
        secret = sys.stdin.buffer.readline(LONGEST_SECRET).decode("utf-8", "replace").rstrip("\r\n")
    elif sys.stdin.isatty():
        secret = unseen(f"The new {what} of {ident} (it is not shown)")
    else:
        raise LaunchError(EXIT_CONFIG, f"nobody can type {_a(what)} here: --password-stdin")
    if not secret:
        raise LaunchError(EXIT_CONFIG, f"standard input holds no {what}")
    if tests and not await works(home, ident, {name: secret}):
        raise LaunchError(EXIT_TROUBLE, f"the {what} was not kept; --no-test keeps it anyway")
    place = await in_thread(book.keep, name, secret)
    show(f"The {what} of {ident} is now in {place}.")
    return 0


def _a(noun: str) -> str:
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


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


async def remove(home: Path, ident: str, *, yes: bool, stored: str) -> int:
    book = AccountBook(home)
    row = await in_thread(book.row, ident)
    asks = not yes and sys.stdin.isatty() and sys.stdout.isatty()
    if not yes and not asks:
        raise LaunchError(EXIT_CONFIG, "nothing was removed: say --yes, or run it in a terminal")
    if stored not in ("", "keep", "remove"):
        raise LaunchError(EXIT_CONFIG, f"{one_line(stored, 40)}: keep or remove")
    if asks:
        show(f"{row.id}  {row.words}")
        forgets = " and forget its password" if row.secrets else ""
        if not confirmed(f"Remove this account{forgets}?", default=False):
            show("Nothing was removed.")
            return EXIT_TROUBLE
        if not stored:
            kept = confirmed(
                f"Keep {'the mail' if row.held == 'mail' else row.held} that Pepper has of it?", default=True
            )
            stored = "keep" if kept else "remove"
    if stored == "remove" and await health_of(home) is not None:
        raise LaunchError(EXIT_TROUBLE, "nothing was removed: end Pepper first, its store is in use")
    said = await book.remove(ident)
    show(f"Removed {row.id}" + (f"; {said}" if said else "") + ".")
    if stored == "remove":
        from pepper_tui.command.accounts.stored import remove_stored

        await remove_stored(home, row.id, row.holds)
    else:
        show(f"{row.stays[0].upper()}{row.stays[1:]} in Pepper's store.")
    return 0
