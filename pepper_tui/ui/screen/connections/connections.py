"""Opens the accounts, and carries out what their keys say.

Adding and signing in ask for a password, so they run as the command in the terminal itself. A change counts once the
engine was started anew, which is done here at once: what was open goes on.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from pepper_tui.model import ContextFilter, EngineError, Namespace
from pepper_tui.text.errors import PepperError
from pepper_tui.ui.screen.connections.accounts import Accounts
from pepper_tui.ui.screen.connections.connection_list import ConnectionList, account_lines, tried_lines
from pepper_tui.ui.screen.reading.opened import Opened

if TYPE_CHECKING:
    from pepper_tui.ui.screen.desk import Desk
    from pepper_tui.ui.screen.inbox.editing import Editing

T = TypeVar("T")
TWICE: Final = 5.0
"""Seconds within which a second press removes."""
NEWEST: Final = 200
"""Mails among which each account's last one is looked for."""


class Connections(Opened[ConnectionList]):
    """The accounts, in place of the conversation."""

    pane = "connections"
    kind = ConnectionList

    def __init__(self, app: Desk, accounts: Accounts | None, editing: Editing) -> None:
        super().__init__(app)
        self._accounts, self._editing = accounts, editing
        self._asked: tuple[str, float] = ("", 0.0)
        self._came: dict[str, float] = {}

    def make(self) -> ConnectionList:
        return ConnectionList(self._app.pen)

    async def load(self, view: ConnectionList | None) -> None:
        found = await self._there().rows()
        self._came = await self._newest()
        if view is not None:
            view.show_accounts(found, self._app.board.health, self._came, self._app.clock.now())

    async def _newest(self) -> dict[str, float]:
        """Return when the newest mail of each account came, as far as it is among the newest of all."""
        came: dict[str, float] = {}
        if (engine := self._app.link.engine) is not None:
            mails = await engine.recall(ContextFilter(namespaces=(f"{Namespace.RAW}.mail",), limit=NEWEST))
            for mail in mails:
                ident = str(mail.data.get("account") or "mail")  # without one it came by [mail]
                came[ident] = max(came.get(ident, 0.0), mail.created_at)
        return came

    def _there(self) -> Accounts:
        if self._accounts is None:
            raise EngineError("The sample world has no accounts: they belong to a home of yours")
        return self._accounts

    def act(self, act: str, ident: str) -> None:
        """Carry out a key; removing asks once more."""
        view, now = self.list, self._app.clock.monotonic()
        account = view.accounts.get(ident) if view is not None else None
        asked, at = self._asked
        self._asked = ("", 0.0)
        if act == "remove" and account is not None and (asked != ident or now - at > TWICE):
            self._asked = (ident, now)
            key = self._app.key_names.of("connections.remove")
            forgets = " and forgets its password" if account.secrets else ""
            self._app.say_words(f"{key} again removes {ident}{forgets}; {account.stays} here")
        elif act == "add":
            self._app.link.start(self._run("add"))
        elif act == "restart":
            self._app.link.start(self._anew("Pepper starts anew"))
        elif account is not None:
            work = {"test": self._test, "remove": self._remove}
            if act == "pause":
                self._app.link.start(self._pause(ident, not account.paused))
            elif act == "sign_in":
                self._app.link.start(self._run("signin", ident))
            else:
                self._app.link.start(work[act](ident))

    async def _test(self, ident: str) -> None:
        self._app.say_words(f"Trying {ident} …")
        found = await _in_words(self._there().test(ident))
        self._app.say_words("")
        key = self._app.key_names.of("connections.sign_in")
        self._app.reading.open(
            "TEST", lambda pen: [line for each in found for line in tried_lines(each, ident, key, pen)]
        )

    async def _pause(self, ident: str, paused: bool) -> None:
        await self._anew(await _in_words(self._there().pause(ident, paused)))

    async def _remove(self, ident: str) -> None:
        await self._anew(await _in_words(self._there().remove(ident)))

    async def _run(self, *words: str) -> None:
        """Lend the terminal to the command that asks, and start anew with what it wrote."""
        command = self._there().asking(*words)
        code = await self._editing.lend(lambda: _asked_in_terminal(command))
        if code == 0:
            await self._anew("Taken in")
        elif code is not None:
            self._app.say_words("Nothing was changed")

    async def _anew(self, words: str) -> None:
        await self._app.link.reopen()
        self._app.say_words(words)
        self.reload()

    def open_row(self, row: str) -> None:
        """Open one account in full."""
        view = self.list
        if view is None or (account := view.accounts.get(row)) is None:
            return
        names, health = self._app.key_names, self._app.board.health.get(f"feed.{row}")
        came = self._came.get(row, 0.0)
        self._app.reading.open("ACCOUNT", lambda pen: account_lines(account, health, came, names, pen))


async def _in_words(work: Awaitable[T]) -> T:
    """Return what ``work`` returns; its trouble becomes an error in words."""
    try:
        return await work
    except PepperError as error:
        raise EngineError(error.told) from error


def _asked_in_terminal(command: Sequence[str]) -> int:
    """Run the command in the terminal, and wait until the user has read its end. Blocking."""
    code = subprocess.call(command)
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        input("\nEnter goes back to Pepper ")
    return code
