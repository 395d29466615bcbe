"""The accounts as the screen asks for them: nothing here blocks the loop."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from pepper_tui.clock import in_thread
from pepper_tui.connectors.finding import Finding
from pepper_tui.setup.accounts.book import AccountBook, AccountRow
from pepper_tui.setup.accounts.trying import tried


class AccountDesk:
    """The accounts of ``home``."""

    def __init__(self, home: Path) -> None:
        self._book = AccountBook(home)

    async def rows(self) -> list[AccountRow]:
        return await in_thread(self._book.rows)

    async def test(self, ident: str) -> list[Finding]:
        return [finding async for finding in tried(self._book.home, ident)]

    async def pause(self, ident: str, paused: bool) -> str:
        await in_thread(partial(self._book.pause, ident, paused=paused))
        return f"{ident} is paused" if paused else f"{ident} goes on"

    async def remove(self, ident: str) -> str:
        row = await in_thread(self._book.row, ident)
        said = await self._book.remove(ident)
        return f"{ident} was removed; {row.stays} here" + (f"; {said}" if said else "")

    def asking(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "pepper_tui", "--home", str(self._book.home), "accounts", *words]
