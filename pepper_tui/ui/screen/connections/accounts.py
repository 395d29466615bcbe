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
    def sends(self) -> bool | None:
        """Whether mail is sent from there; None where it is none of mail."""
        ...

    @property
    def rests(self) -> str:
        """What is not done while it is paused."""
        ...

    @property
    def stays(self) -> str:
        """What removing it leaves."""
        ...

    @property
    def secrets(self) -> bool:
        """Whether it has a password, a token or a secret address."""
        ...

    @property
    def words(self) -> str:
        """Its kind, address and server, on one line."""
        ...


class Tried(Protocol):
    """What one part of a test has found."""

    @property
    def part(self) -> str: ...

    @property
    def state(self) -> str:
        """``ok``, ``note`` or ``trouble``."""
        ...

    @property
    def detail(self) -> str: ...

    @property
    def remedy(self) -> str: ...


class Accounts(Protocol):
    """The accounts of a home. Each raises ``PepperError``."""

    async def rows(self) -> Sequence[Account]: ...

    async def test(self, ident: str, /) -> Sequence[Tried]:
        """Look at what it names, and sign in where it does; return what was found, part by part."""
        ...

    async def pause(self, ident: str, paused: bool, /) -> str: ...

    async def remove(self, ident: str, /) -> str:
        """Take it out of the config and forget its secrets; what it has brought stays in the store."""
        ...

    def asking(self, *words: str) -> list[str]:
        """Return the command that asks the user in a terminal of its own, as for ``add`` and ``signin``."""
        ...
