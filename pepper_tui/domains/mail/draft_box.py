"""The port of the accounts that keep drafts: what the user goes on with in any mail program."""

from __future__ import annotations

from typing import Protocol


class DraftBox(Protocol):
    """One account's drafts. ``account`` is its id, as in ``Copy.account``."""

    @property
    def account(self) -> str: ...

    async def save(self, message_id: str, message: str, /) -> str:
        """Put a mail among the drafts, unless one with this Message-ID is there; return where they lie, in words.

        Raises ``NotDoneError`` if nothing was put there, ``OutcomeUnknownError`` if that is unknown. Nothing is retried
        here.
        """
        ...

    async def holds(self, message_id: str, /) -> bool | None:
        """Check whether a draft with this Message-ID is there; ``None`` if that can't be known now."""
        ...
