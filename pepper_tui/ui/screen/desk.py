"""The screen's interface for its parts: what is on it, and the other parts, each as a small protocol.

A part takes the ``Desk``, never the app, so parts do not depend on one another's files.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from textual.app import App

if TYPE_CHECKING:
    from pepper_tui.clock import Clock
    from pepper_tui.model import Approval, CardLine, Written
    from pepper_tui.ui.screen.ink import Pen
    from pepper_tui.ui.screen.link import Link
    from pepper_tui.ui.screen.reading.reader import Draw
    from pepper_tui.ui.screen.terminal.notices import Notices
    from pepper_tui.ui.shared.board import Board
    from pepper_tui.ui.shared.keys import KeyNames
    from pepper_tui.ui.shared.matters import InboxItem


BUSY: Final = "Save or leave what is open first"


class Reads(Protocol):
    """Reading in place of the conversation; see ``reading``."""

    card: InboxItem | None

    def open(self, heading: str, draw: Draw, card: InboxItem | None = None, /) -> None: ...

    def close(self) -> bool: ...

    def open_card(self, item: InboxItem, /) -> None: ...

    def open_why(self, ref: str, /) -> None: ...

    def act(self, act: str, /) -> None: ...


class Asks(Protocol):
    """Prompts to the user; see ``inbox/prompts``."""

    @property
    def open(self) -> bool: ...

    def ask(
        self,
        words: str,
        answer: Callable[[str], None],
        *,
        choices: Sequence[str] = (),
        may_be_empty: bool = False,
        filtered: bool = False,
        numbered: bool = False,
    ) -> None: ...

    def answer(self, question: str, answer: Callable[[Written], None], /) -> None: ...

    def edit(self, approval: Approval, /) -> None: ...

    def write(
        self,
        heading: str,
        lines: Sequence[CardLine],
        save: Callable[[dict[str, Written]], Awaitable[None]],
        filled: Mapping[str, Written] | None = None,
        /,
    ) -> None: ...

    def left(self) -> None: ...


class Arranges(Protocol):
    """Layout and focus; see ``panes``."""

    def show(self, tab: str, /) -> None: ...

    def go(self, pane: str, /) -> None: ...

    def settle(self) -> None: ...

    def leave_opened(self, but: str = "") -> None: ...

    def to_composer(self) -> None: ...

    def note_origin(self) -> None: ...

    def back(self) -> None: ...


class ActsOnItems(Protocol):
    """Acts on inbox items; see ``inbox/inbox_controller``."""

    def act(self, act: str, item: InboxItem, /) -> None: ...


class OpensList(Protocol):
    """Lists in place of the conversation; see ``reading/opened``."""

    def leave(self) -> None: ...

    def reload(self) -> None: ...

    def open_row(self, row: str, /) -> None: ...


class OpensDays(OpensList, Protocol):
    """The agenda."""

    def changed(self) -> None: ...


class Desk(App[str]):
    """What every part is given."""

    clock: Clock
    link: Link
    key_names: KeyNames
    notices: Notices
    reading: Reads
    asking: Asks
    panes: Arranges
    acts: ActsOnItems
    jumping = False
    """Whether the next key is a jump label."""
    keys: deque[float]
    """The times of the latest keys, newest last."""

    @property
    def audit(self) -> OpensList:
        raise NotImplementedError

    @property
    def rules(self) -> OpensList:
        raise NotImplementedError

    @property
    def mail(self) -> OpensList:
        raise NotImplementedError

    @property
    def agenda(self) -> OpensDays:
        raise NotImplementedError

    @property
    def connections(self) -> OpensList:
        raise NotImplementedError

    @property
    def board(self) -> Board:
        raise NotImplementedError

    @property
    def stands(self) -> bool:
        """True while the panes exist; a timer may still fire while the screen is taken down."""
        raise NotImplementedError

    def pen(self, width: int) -> Pen:
        raise NotImplementedError

    def say_words(self, words: str, *, bad: bool = False, stay: bool = False) -> None:
        """Show words in the status line."""
        raise NotImplementedError

    def attend(self, at_inbox: bool) -> None:
        """Tell the engine whether the user is at a card."""
        raise NotImplementedError
