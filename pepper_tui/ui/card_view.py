"""The chosen card of the inbox, in full: every line of it, to scroll; what the keys would do stands on its frame.

A card that has just appeared, that was not walked to by the user's own step, or whose words have changed takes no
keys for half a second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

from rich.text import Text
from textual.content import Content

from pepper_tui.model import Approval
from pepper_tui.ui.board import InboxItem
from pepper_tui.ui.cards import face, opened
from pepper_tui.ui.ink import Pen
from pepper_tui.ui.reader import Reader

FRESH: Final = 0.5
"""Seconds for which a card takes no keys after it appeared under them."""
LONGEST: Final = 300
"""Lines of a card that are drawn here; a longer one says that it goes on."""


class CardView(Reader, can_focus=False):
    """One card."""

    def __init__(self, pen: Callable[[int], Pen], monotonic: Callable[[], float], *, id: str) -> None:  # noqa: A002
        super().__init__(pen, id=id)
        self._monotonic = monotonic
        self._armed_at = 0.0
        self._read_elsewhere = ""
        self._shown = ""
        self._cut = 0
        self.item: InboxItem | None = None

    def show_item(self, item: InboxItem | None, *, has_keys: bool, walked: bool) -> None:
        """Show ``item``; ``has_keys``: single letters act on it; ``walked``: the user's own step led to it."""
        before = self.item
        self.item = item
        self.display = item is not None
        if item is None:
            self._shown = ""
            return
        self.border_title = cast(str, _hints(item, has_keys))
        self.set_class(isinstance(item.record, Approval), "asks")
        self.set_class(has_keys, "has-keys")
        now_shown = item.ref + face(item)
        if now_shown == self._shown:
            return
        same_card = before is not None and before.ref == item.ref
        self._shown = now_shown
        if same_card or not walked:  # other words under the same key have to be read
            self.guard()
        else:
            self._armed_at = self._monotonic()
        self.read_out(self._lines)

    def _lines(self, pen: Pen) -> list[Text]:
        lines = opened(self.item, pen) if self.item is not None else []
        self._cut = max(0, len(lines) - LONGEST)
        if self._cut:
            lines = [*lines[:LONGEST], Text(f"… {self._cut} more lines: Enter shows all", pen.ink.warn)]
        return lines

    @property
    def lines_wanted(self) -> int:
        """How many lines the whole card takes at this width."""
        return len(self._strips)

    def seen_more(self) -> None:
        below = self.below
        self.border_subtitle = f"{below} more line{'s' if below > 1 else ''} · PgDn" if below else ""

    # --------------------------------------------------------------------------------------- may it be acted on

    @property
    def takes_keys(self) -> bool:
        """Whether the card has stood long enough."""
        return self._monotonic() >= self._armed_at

    def guard(self) -> None:
        """The card has only now come into view: it takes no keys for a moment."""
        self._armed_at = self._monotonic() + FRESH

    @property
    def in_view(self) -> bool:
        return self.display and self.is_on_screen and bool(self.region.area)

    def was_read(self, item: InboxItem) -> bool:
        """Whether each line of the card, as it stands now, has been on the screen."""
        name = item.ref + face(item)
        return self._read_elsewhere == name or (self._shown == name and self.read and not self._cut)

    def mark_read(self, item: InboxItem) -> None:
        """The card was read elsewhere, to its end."""
        self._read_elsewhere = item.ref + face(item)


def _hints(item: InboxItem, has_keys: bool) -> Content:
    if item.kind == "unknown":
        acts = {"1": "check", "2": "happened", "3": "did not", "4": "leave"} if has_keys else {"Ctrl+T": "to answer"}
    elif isinstance(item.record, Approval):
        keys = ("y", "n", "e", "z", "w") if has_keys else ("F2", "F3", "F4", "F6")
        acts = dict(zip(keys, ("approve", "reject", "edit", "snooze", "why"), strict=False))
        if not any(isinstance(line, dict) and line.get("editable") for line in item.record.effect.get("lines", [])):
            del acts[keys[2]]
    elif has_keys:
        acts = {"x": "done", "d": "dismiss", "z": "snooze", "w": "why"}
    else:
        acts = {"F5": "dismiss", "F6": "snooze", "F8": "why"}
    return Content(" ").join(Content.assemble((key, "bold"), f" {word}") for key, word in acts.items())
