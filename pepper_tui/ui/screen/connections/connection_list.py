"""The list of accounts: what each is, and below it how it does, with the way to fix it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

from rich.style import Style
from rich.text import Text
from textual.binding import BindingType
from textual.message import Message

from pepper_tui.model import Health
from pepper_tui.text import one_line
from pepper_tui.ui.screen.connections.accounts import Account, Tried
from pepper_tui.ui.screen.ink import Ink, Pen, age
from pepper_tui.ui.screen.lists.drawn_rows import Row
from pepper_tui.ui.screen.reading.opened import OpenedList
from pepper_tui.ui.shared.keys import KeyNames, bindings, names_of

_TRIED: Final = {"ok": "●", "trouble": "✗"}
_GLYPH: Final = {"ok": "●", "starting": "◌", "paused": "‖", "trouble": "✗", "stopped": "✗", "": "·"}
NOT_READ: Final = "Pepper has not looked there yet: it does when it starts anew"
_SIGN_IN: Final = "connections.sign_in"
HINTS: Final = (
    ("connections.add", "add"),
    ("connections.test", "test"),
    ("connections.pause", "pause"),
    (_SIGN_IN, "sign in"),
    ("connections.remove", "remove"),
)


class ConnectionList(OpenedList):
    """The accounts."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("connections")]

    class Act(Message):
        """A key on the chosen account. ``act`` is the word in the key table."""

        def __init__(self, act: str, account: str) -> None:
            super().__init__()
            self.act, self.account = act, account

    def __init__(self, pen: Callable[[int], Pen]) -> None:
        empty = (
            "No account yet. Mail (Gmail, Fastmail, your own …) and calendars (CalDAV, an address …) are added here."
        )
        super().__init__("CONNECTIONS", empty, pen, id="connections")
        self.accounts: dict[str, Account] = {}

    def show_accounts(
        self, accounts: Sequence[Account], health: Mapping[str, Health], came: Mapping[str, float], now: float
    ) -> None:
        """Replace the accounts. ``came``: when the newest mail of each was taken in."""
        self.accounts = {each.id: each for each in accounts}
        names = names_of(self.app)
        hints = " ".join(f"{names.of(key)} {word}" for key, word in (HINTS if accounts else HINTS[:1]))
        key = names.of(_SIGN_IN)
        rows = [_row(each, health.get(f"feed.{each.id}"), came.get(each.id, 0.0), now, key) for each in accounts]
        self.show_rows(rows, aside=f"{hints} · Esc closes")

    def words_of(self, row: Row) -> str:
        return f"{row.id} · {self.accounts[row.id].words}"

    def action_connection(self, act: str) -> None:
        if act in ("add", "restart") or self.has_chosen():
            self.post_message(self.Act(act, self.selected))


def state_of(account: Account, health: Health | None) -> str:
    """Return the state that is shown: the config goes before what a running engine last said."""
    if account.paused:
        return "paused"
    return "" if health is None or health.state == "paused" else health.state


def _tone(state: str, ink: Ink) -> Style:
    return ink.ok if state == "ok" else ink.urgent if state in ("trouble", "stopped") else ink.dim


def health_words(account: Account, health: Health | None, key: str) -> str:
    """Return how an account does, with the way to fix it; ``key`` signs in."""
    state = state_of(account, health)
    if state == "paused":
        return f"paused: {account.rests}"
    if health is None or not state:
        return NOT_READ
    detail = one_line(health.detail, 300) or state
    bad = state in ("trouble", "stopped") and health.remedy
    return f"{detail} → {_by_key(health.remedy, account.id, key)}" if bad else detail


def _by_key(remedy: str, ident: str, key: str) -> str:
    """Return ``remedy`` with the key of this screen instead of the command that does the same."""
    command = f"pepper accounts signin {ident}"
    head = remedy.removesuffix(command)
    return one_line(remedy if head == remedy else f"{head.removesuffix('run: ')}press {key}", 300)


def tried_lines(found: Tried, ident: str, key: str, pen: Pen) -> list[Text]:
    """Return what one part of the test of account ``ident`` has found, and below it what to do."""
    ink, bad = pen.ink, found.state == "trouble"
    glyph = Text(f"{_TRIED.get(found.state, '·')} ", ink.urgent if bad else ink.ok if found.state == "ok" else ink.dim)
    detail = Text(one_line(found.detail, 400), ink.urgent if bad else "")
    lines = [*pen.hang(glyph, Text(one_line(found.part, 400), ink.strong)), *pen.hang(Text("  "), detail)]
    if found.remedy and found.state != "ok":
        lines += pen.hang(Text("  → "), Text(_by_key(found.remedy, ident, key)))
    return lines


def _row(account: Account, health: Health | None, came: float, now: float, key: str) -> Row:
    state, words = state_of(account, health), health_words(account, health, key)
    last = age(came, now) if came else ""

    def draw(pen: Pen) -> list[Text]:
        ink = pen.ink
        mark = Text(f"{_GLYPH.get(state, '●')} ", _tone(state, ink))
        head = pen.columns(mark, Text(one_line(account.id, 45), ink.strong), Text(one_line(account.words, 300)), last)
        tone = ink.urgent if state in ("trouble", "stopped") else ink.dim
        return [head, *pen.hang(Text("  "), Text(words, tone))]

    return Row(account.id, (account.words, state, words, last), draw)


def account_lines(account: Account, health: Health | None, came: float, names: KeyNames, pen: Pen) -> list[Text]:
    """Return one account in full."""
    ink = pen.ink
    last = pen.hour(came) if came else "none yet"
    hints = " · ".join(f"{names.of(key)} {word}" for key, word in HINTS)
    return [
        Text(one_line(account.id, 60), ink.strong),
        *pen.hang(Text("account    ", ink.dim), Text(one_line(account.words, 400))),
        *pen.hang(Text("health     ", ink.dim), Text(health_words(account, health, names.of(_SIGN_IN)))),
        *(pen.hang(Text("last mail  ", ink.dim), Text(last)) if account.sends is not None else ()),
        Text(""),
        *pen.hang(Text(""), Text(hints, ink.dim)),
    ]
