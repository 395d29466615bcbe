"""The port through which mail is sent: an account that can send."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from pepper_tui.text.errors import Foreseen, PepperError


class OutcomeUnknownError(PepperError, Foreseen):
    """The message was handed over, but the server never answered: it may or may not have been sent."""


class Outbox(Protocol):
    """One account that sends mail. ``account`` is what an approval binds: who sends, and by which server."""

    @property
    def address(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def account(self) -> str: ...

    async def send(self, recipients: Sequence[str], message: str, on_handed_over: Callable[[], None], /) -> str:
        """Send ``message`` to exactly ``recipients``, or to none of them; return the server's words.

        It is sent by the address in its From, which is one of the account's identities.

        ``on_handed_over`` is called once the server has taken the message. Raises ``NotDoneError`` if nothing was sent,
        ``OutcomeUnknownError`` if that is unknown. Nothing is retried here.
        """
        ...


@runtime_checkable
class TracedOutbox(Outbox, Protocol):
    """An outbox that can find out afterwards whether a mail has gone."""

    async def fate(self, message_id: str, /) -> bool | None:
        """Return whether the mail with this Message-ID, which ``send`` was given, has gone; ``None`` if unknown."""
        ...
