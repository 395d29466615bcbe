"""What the screen asks of the accounts in the home's config; ``setup/accounts`` meets it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Account(Protocol):
    """One account."""

    @property
    def id(self) -> str: ...

    @property
    def address(self) -> str: ...

    @property
    def paused(self) -> bool: ...

    @property
    def words(self) -> str:
        """Its kind, address and server, on one line."""
        ...


class Accounts(Protocol):
    """The accounts of a home. Each raises ``PepperError``."""

    async def rows(self) -> Sequence[Account]: ...

    async def test(self, ident: str, /) -> list[str]:
        """Sign in at its servers; return what was found, a line each."""
        ...

    async def pause(self, ident: str, paused: bool, /) -> str: ...

    async def remove(self, ident: str, /) -> str:
        """Take it out of the config and forget its secrets; its mail in the store stays."""
        ...

    def asking(self, *words: str) -> list[str]:
        """Return the command that asks the user in a terminal of its own, as for ``add`` and ``signin``."""
        ...
