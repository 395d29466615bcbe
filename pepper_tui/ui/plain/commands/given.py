"""What every plain-mode command gets: the conversation, and the origin of the words on its line."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from pepper_tui.model import Approval, Origin, Written
from pepper_tui.ui.shared.matters import InboxItem

if TYPE_CHECKING:
    import asyncio

    from pepper_tui.clock import Clock
    from pepper_tui.engine.protocol import Engine
    from pepper_tui.ui.plain.news import News
    from pepper_tui.ui.plain.numbers import Numbers
    from pepper_tui.ui.screen.link import Link
    from pepper_tui.ui.shared.board import Board

LISTED: Final = 30
"""Maximum rows printed per list."""


class Talk(Protocol):
    """The conversation that commands run in."""

    @property
    def board(self) -> Board: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def link(self) -> Link: ...

    @property
    def news(self) -> News: ...

    @property
    def numbers(self) -> Numbers: ...

    @property
    def over(self) -> asyncio.Event: ...

    def say(self, *lines: str) -> None: ...

    async def tell(self, written: Written, *, after_calls: bool = False) -> None: ...


class Given:
    """The conversation, and what was printed of its cards. Impossible acts raise ``ValueError`` with words."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self.origin = Origin.TYPED
        """The origin of the current line, and of a message in it."""
        self.heard: dict[str, tuple[str, str]] = {}
        """Card → the face of it that was read, and its word."""

    @property
    def engine(self) -> Engine:
        return self.talk.link.ready()

    def say(self, *lines: str) -> None:
        self.talk.say(*lines)

    async def tell(self, act: Awaitable[str]) -> None:
        """Await the act, and print its words."""
        self.say(await act)

    def say_rows(self, title: str, rows: Sequence[tuple[str, str]], rest: str) -> None:
        """Print rows (ref, words), filtered to those that hold ``rest``."""
        wanted = rest.casefold().split()
        found = [(ref, said) for ref, said in rows if all(word in said.casefold() for word in wanted)]
        of = f" of {len(rows)}" if wanted else ""
        self.say(f"{title}: {len(found) or 'none'}{of}")
        for ref, said in found[:LISTED]:
            self.say(f"{self.talk.numbers.of(ref)}: {said}")
        if len(found) > LISTED:
            self.say(f"And {len(found) - LISTED} more; words after the command narrow them")

    def items(self) -> list[InboxItem]:
        return self.talk.board.inbox(self.talk.clock.now())

    def item(self, number: str) -> InboxItem:
        ref = self.talk.numbers.ref(number)
        found = next((item for item in self.items() if item.names(ref)), None)
        if found is None:
            raise ValueError(f"{number} does not wait in the inbox: nothing was done")
        return found

    def card(self, number: str) -> Approval:
        card = self.item(number).approval
        if card is None:
            raise ValueError(f"{number} does not ask for a yes: nothing was done")
        return card


def held(given: Given, number: str) -> tuple[str, ...]:
    """Return the refs printed under ``number`` of a card with notifications: later ones are not closed unread."""
    item, ref = given.item(number), given.talk.numbers.ref(number)
    told = given.talk.numbers.told.get(item.key, {ref})
    notices = tuple(each for each in item.notice_refs if each in told)
    if not notices:
        raise ValueError(f"{number} is not a notice, or was not read: nothing was done")
    return (*((item.ref,) if item.approval is not None and item.ref in told else ()), *notices)
