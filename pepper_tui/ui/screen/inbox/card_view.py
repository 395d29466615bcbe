"""The inbox's chosen card in full: all its lines, scrollable, with the keys' effects on its frame.

A card takes no keys for half a second after it appears, changes its words, or is shown without the user's own step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

from rich.text import Text
from textual.content import Content

from pepper_tui.model import Namespace
from pepper_tui.ui.screen.inbox.cards import face, opened
from pepper_tui.ui.screen.ink import Pen
from pepper_tui.ui.screen.reading.reader import Reader
from pepper_tui.ui.shared.keys import KeyNames, names_of
from pepper_tui.ui.shared.matters import ANSWERS, InboxItem, takes_words

FRESH: Final = 0.5
"""Seconds for which a card takes no keys after it has appeared."""
FRESH_WORDS: Final = "The card has just come, or has changed: read it, then press the key again"
LONGEST: Final = 300
"""Lines of a card that are drawn here; a longer card says that it goes on."""


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
        self.border_title = cast(str, _hints(item, has_keys, names_of(self.app)))
        self.set_class(item.approval is not None, "asks")
        self.set_class(has_keys, "has-keys")
        now_shown = item.key + face(item)
        if now_shown == self._shown:
            return
        same_card = before is not None and before.key == item.key
        self._shown = now_shown
        if same_card or not walked:  # new words under the same key must be read first
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
        """Whether the card has been visible long enough."""
        return self._monotonic() >= self._armed_at

    def guard(self) -> None:
        """Ignore keys for a moment, as the card has just come into view."""
        self._armed_at = self._monotonic() + FRESH

    @property
    def in_view(self) -> bool:
        return self.display and self.is_on_screen and bool(self.region.area)

    def was_read(self, item: InboxItem) -> bool:
        """Check whether each line of the card, in its current form, has been on the screen."""
        name = item.key + face(item)
        return self._read_elsewhere == name or (self._shown == name and self.read and not self._cut)

    def mark_read(self, item: InboxItem) -> None:
        """Record that the card was read elsewhere, to its end."""
        self._read_elsewhere = item.key + face(item)


def _hints(item: InboxItem, has_keys: bool, names: KeyNames) -> Content:
    ids: tuple[str, ...]
    again: dict[str, str] = {}
    if item.kind == "unknown":
        ids = ("inbox.check", "inbox.happened", "inbox.did_not", "inbox.leave") if has_keys else ("go.toggle_inbox",)
    elif (question := item.question) is not None:
        answers = tuple(f"inbox.{each}" for each in ANSWERS[: len(question.choices)])
        words = ("inbox.edit",) if takes_words(question) else ()
        ids = (*answers, *words, "inbox.dismiss", "list.why") if has_keys else ("go.toggle_inbox",)
        again = dict.fromkeys(answers, "") | ({answers[-1]: "choose one"} if answers else {})
        again["inbox.edit"] = "your own words" if answers else "answer"
    elif (card := item.approval) is not None:
        editable = any(isinstance(line, dict) and line.get("editable") for line in card.effect.get("lines", []))
        acts = ["approve", "reject", *(["edit"] if editable else []), "snooze"]
        acts += ["done"] if has_keys and item.notices else []
        ids = _ids([*acts, *(["why"] if has_keys else [])], has_keys)
        again = {ids[0]: "retry"} if card.retry_of and card.problem else {}
    else:
        acts = ["archive"] if has_keys and _of_mail(item) else []
        acts = ["nudge", *acts] if has_keys and item.awaits is not None else acts
        ids = _ids(["done", *acts, "dismiss", "snooze", "why"] if has_keys else ["dismiss", "snooze", "why"], has_keys)
    return Content(" ").join(Content.assemble((names.of(each), "bold"), f" {(_HINTS | again)[each]}") for each in ids)


def _of_mail(item: InboxItem) -> bool:
    return any(notice.source.startswith(f"{Namespace.SIGNALS}.mail:") for notice in item.notices)


def _ids(acts: list[str], has_keys: bool) -> tuple[str, ...]:
    """Return the key ids of ``acts``: letters if the inbox has the focus, else keys that work while typing."""
    if not has_keys:
        return tuple(f"head.{act}" for act in acts)
    return tuple("list.why" if act == "why" else f"inbox.{act}" for act in acts)


_ACTS: Final = ("approve", "reject", "edit", "snooze", "dismiss")
_HINTS: Final = {
    "inbox.check": "check",
    "inbox.happened": "happened",
    "inbox.did_not": "did not",
    "inbox.leave": "leave",
    "go.toggle_inbox": "to answer",
    "list.why": "why",
    "inbox.done": "done",
    "inbox.archive": "archive",
    "inbox.nudge": "remind them",
    "head.why": "why",
    **{f"{place}.{act}": act for place in ("inbox", "head") for act in _ACTS},
}
