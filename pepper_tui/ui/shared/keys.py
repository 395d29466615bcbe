"""The single table of keys: bindings, hints, palette, help and docs/keys.md are generated from it.

``id`` is what a config rebinds (``rebinding.py`` says which keys are allowed). ``where`` says which widget has the
binding: ``app`` (works everywhere, also while typing), ``composer``, ``chat``, ``inbox``, ``list`` (each list,
including the inbox and the conversation), ``calls`` (calls and workers), ``signals``, ``effects``, ``rules``,
``connections``, ``agenda``, ``form``, ``detail``, ``mail`` (its list and the open mail), ``mail_list``,
``mail_reader``. Single letters act only where no text is typed. Space is never bound; Esc never decides anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pepper_tui.ui.shared.key_table.key import Key
from pepper_tui.ui.shared.key_table.list_keys import LIST_KEYS

if TYPE_CHECKING:
    from textual.binding import Binding


_TYPING: Final = "While typing"
_INBOX: Final = "In the inbox"
_MOVE: Final = "Moving about"
_LISTS: Final = "In any list"
_CHAT: Final = "In the conversation"
_PEPPER: Final = "Pepper"

KEYS: Final[tuple[Key, ...]] = (
    Key("composer.send", "enter", "send", "composer", _TYPING, "Send; while Pepper is busy it steers the next step"),
    Key("composer.newline", "shift+enter,ctrl+j", "newline", "composer", _TYPING, "New line"),
    Key("composer.queue", "alt+enter", "queue", "composer", _TYPING, "Send after the running calls"),
    Key("composer.take_back", "alt+up", "take_back", "composer", _TYPING, "Take back the last message not yet read"),
    Key("composer.older", "up", "older", "composer", _TYPING, "Earlier message (on the first line)"),
    Key("composer.newer", "down", "newer", "composer", _TYPING, "Later message (on the last line)"),
    Key("composer.undo", "ctrl+underscore", "undo", "composer", _TYPING, "Undo what was typed (Ctrl+Y: again)"),
    Key("composer.search", "ctrl+r", "search", "composer", _TYPING, "Search what you sent"),
    Key("composer.editor", "ctrl+g", "editor", "composer", _TYPING, "Write the message in your editor ($VISUAL)"),
    Key("composer.stop", "escape", "stop", "composer", _TYPING, "Stop the reply, or close what is open"),
    Key("head.approve", "f2", "head('approve')", "app", _TYPING, "Approve the first card", palette=True, priority=True),
    Key("head.reject", "f3", "head('reject')", "app", _TYPING, "Reject the first card", palette=True, priority=True),
    Key("head.edit", "f4", "head('edit')", "app", _TYPING, "Edit the first card", palette=True, priority=True),
    Key("head.dismiss", "f5", "head('dismiss')", "app", _TYPING, "Dismiss the first card", palette=True, priority=True),
    Key("head.snooze", "f6", "head('snooze')", "app", _TYPING, "Snooze the first card", palette=True, priority=True),
    Key("head.undo", "f7", "head('undo')", "app", _TYPING, "Undo the last act", palette=True, priority=True),
    Key(
        "head.redo", "shift+f7", "head('redo')", "app", _TYPING, "Do again what was undone", palette=True, priority=True
    ),
    Key("head.why", "f8", "head('why')", "app", _TYPING, "Why the first card is there", palette=True, priority=True),
    Key("inbox.approve", "y", "act('approve')", "inbox", _INBOX, "Approve exactly what the card shows"),
    Key("inbox.reject", "n", "act('reject')", "inbox", _INBOX, "Reject"),
    Key("inbox.reject_reason", "N,shift+n", "act('reject_reason')", "inbox", _INBOX, "Reject and say why"),
    Key(
        "inbox.edit",
        "e",
        "act('edit')",
        "inbox",
        _INBOX,
        "Edit; saving does not approve. A question: answer in your own words",
    ),
    Key("inbox.done", "x", "act('done')", "inbox", _INBOX, "Done, all of the card: its draft is not sent"),
    Key("inbox.dismiss", "d", "act('dismiss')", "inbox", _INBOX, "Dismiss, all of the card"),
    Key("inbox.snooze", "z", "act('snooze')", "inbox", _INBOX, "Snooze until a time you name"),
    Key("inbox.always", "A,shift+a", "act('always')", "inbox", _INBOX, "Always do this: propose a rule"),
    Key(
        "inbox.archive",
        "a,E,shift+e",
        "act('archive')",
        "inbox",
        _INBOX,
        "Archive the card's mail, and the card is done",
        palette=True,
        yields=True,
    ),
    Key(
        "inbox.trash",
        "number_sign,delete",
        "act('trash')",
        "inbox",
        _INBOX,
        "Put the card's mail in the trash",
        palette=True,
        yields=True,
    ),
    Key(
        "inbox.spam",
        "exclamation_mark,J,shift+j",
        "act('junk')",
        "inbox",
        _INBOX,
        "The card's mail is spam",
        palette=True,
        yields=True,
    ),
    Key(
        "inbox.move",
        "v,V,shift+v",
        "act('move')",
        "inbox",
        _INBOX,
        "Move the card's mail to a folder that you name",
        palette=True,
        yields=True,
    ),
    Key(
        "inbox.flag",
        "s,S,shift+s",
        "act('flag')",
        "inbox",
        _INBOX,
        "Flag the card's mail; the card stays",
        palette=True,
        yields=True,
    ),
    Key(
        "inbox.read",
        "i,I,shift+i",
        "act('read')",
        "inbox",
        _INBOX,
        "Mark the card's mail as read, and the card is done",
        palette=True,
        yields=True,
    ),
    Key(
        "inbox.draft", "D,shift+d", "act('draft')", "inbox", _INBOX, "Save its mail as a draft; it is done", yields=True
    ),
    Key("inbox.nudge", "r", "act('nudge')", "inbox", _INBOX, "No answer: draft a reminder", palette=True, yields=True),
    Key("inbox.undo", "u", "act('undo')", "inbox", _INBOX, "Undo the last act"),
    Key("inbox.redo", "U,shift+u", "act('redo')", "inbox", _INBOX, "Do again what was undone", yields=True),
    Key(
        "inbox.check",
        "1",
        "act('check')",
        "inbox",
        _INBOX,
        "Outcome unknown: let Pepper check (or first answer)",
    ),
    Key(
        "inbox.happened",
        "2",
        "act('happened')",
        "inbox",
        _INBOX,
        "Outcome unknown: it happened (or second answer)",
    ),
    Key(
        "inbox.did_not",
        "3",
        "act('did_not')",
        "inbox",
        _INBOX,
        "Outcome unknown: it did not (or third answer)",
    ),
    Key(
        "inbox.leave",
        "4",
        "act('leave')",
        "inbox",
        _INBOX,
        "Outcome unknown: leave it so (or fourth answer)",
    ),
    Key("list.down", "j,down", "cursor(1)", "list", _LISTS, "Next"),
    Key("list.up", "k,up", "cursor(-1)", "list", _LISTS, "Previous"),
    Key("list.page_down", "pagedown", "page(1)", "list", _LISTS, "A page down"),
    Key("list.page_up", "pageup", "page(-1)", "list", _LISTS, "A page up"),
    Key("list.first", "home,g", "edge(-1)", "list", _LISTS, "First"),
    Key("list.last", "end,G,shift+g", "edge(1)", "list", _LISTS, "Last"),
    Key("list.details", "enter", "details", "list", _LISTS, "Details"),
    Key("list.why", "w", "why", "list", _LISTS, "Why: signal, step, calls, cost"),
    Key("list.filter", "slash", "filter", "list", _LISTS, "Filter: type words, Enter keeps them, Esc shows all"),
    Key("list.copy", "c", "copy", "list", _LISTS, "Copy the row, the card or the message"),
    Key("list.back", "escape", "back", "list", _LISTS, "Back to typing"),
    *LIST_KEYS,
    Key("chat.export", "s", "app.export", "chat", _CHAT, "Save the conversation to a file", palette=True),
    Key("go.jump", "ctrl+o", "jump", "app", _MOVE, "Jump: each pane and row gets a label to press", priority=True),
    Key("go.next", "f9", "go_next(1)", "app", _MOVE, "Next pane", priority=True),
    Key("go.previous", "shift+f9", "go_next(-1)", "app", _MOVE, "Previous pane", priority=True),
    Key("go.focus", "tab", "focus_next", "app", _MOVE, "Next part of the screen"),
    Key("go.focus_back", "shift+tab", "focus_previous", "app", _MOVE, "Previous part of the screen"),
    Key("go.toggle_inbox", "ctrl+t", "toggle_inbox", "app", _MOVE, "To the inbox and back", priority=True),
    Key("go.chat", "ctrl+1", "go('chat')", "app", _MOVE, "Conversation", palette=True),
    Key("go.inbox", "ctrl+2", "go('inbox')", "app", _MOVE, "Inbox", palette=True),
    Key("go.signals", "ctrl+3", "go('signals')", "app", _MOVE, "Signals", palette=True),
    Key("go.calls", "ctrl+4", "go('calls')", "app", _MOVE, "Calls", palette=True),
    Key("go.mail", "m", "app.mail", "list", _MOVE, "Mail, where nothing is typed; again: back"),
    Key(
        "go.agenda",
        "T,shift+t",
        "app.agenda",
        "list",
        _MOVE,
        "Agenda, where nothing is typed; again: back",
        yields=True,
    ),
    Key("go.workers", "ctrl+5", "go('workers')", "app", _MOVE, "Workers", palette=True),
    Key("chat.page_up", "ctrl+pageup", "scroll_chat(-1)", "app", _MOVE, "Conversation up (one line typed: PgUp)"),
    Key("chat.page_down", "ctrl+pagedown", "scroll_chat(1)", "app", _MOVE, "Conversation down (one line typed: PgDn)"),
    Key("form.save", "ctrl+s", "save", "form", "In a form", "Save; the new card still waits for your yes"),
    Key("form.editor", "ctrl+g", "editor", "form", "In a form", "Write the field in your editor; saving stays yours"),
    Key("form.leave", "escape", "leave", "form", "In a form", "Leave it without a change"),
    Key("detail.copy", "c", "copy", "detail", "In details", "Copy what is shown"),
    Key("detail.close", "escape,q", "close", "detail", "In details", "Close"),
    Key("detail.approve", "y", "act('approve')", "detail", "In details", "Approve the card, once read to its end"),
    Key("detail.draft", "D,shift+d", "act('draft')", "detail", "In details", "Save the card's mail as a draft"),
    Key("detail.down", "j,down", "line(1)", "detail", "In details", "Down"),
    Key("detail.page_down", "pagedown", "page(1)", "detail", "In details", "A page down"),
    Key("detail.page_up", "pageup", "page(-1)", "detail", "In details", "A page up"),
    Key("detail.up", "k,up", "line(-1)", "detail", "In details", "Up"),
    Key("pepper.help", "f1", "help", "app", _PEPPER, "Help", palette=True, priority=True),
    Key("pepper.question", "question_mark", "app.help", "list", _PEPPER, "Help, where nothing is typed"),
    Key("pepper.palette", "ctrl+p", "command_palette", "app", _PEPPER, "All commands by name", priority=True),
    Key(
        "pepper.status",
        "ctrl+l",
        "status",
        "app",
        _PEPPER,
        "Health, cost, what was held back",
        palette=True,
        priority=True,
    ),
    Key(
        "pepper.effects",
        "f12",
        "effects",
        "app",
        _PEPPER,
        "Every outside effect: who approved what, when",
        palette=True,
        priority=True,
    ),
    Key(
        "pepper.rules",
        "f10,ctrl+f10",
        "rules",
        "app",
        _PEPPER,
        "Rules: what they say, what came of them",
        palette=True,
        priority=True,
        yields=True,
    ),
    Key(
        "pepper.mail",
        "f11,ctrl+f11",
        "mail",
        "app",
        _PEPPER,
        "Mail: all of it, as threads",
        palette=True,
        priority=True,
        yields=True,
    ),
    Key(
        "pepper.agenda",
        "alt+a",
        "agenda",
        "app",
        _PEPPER,
        "Agenda: your days, and what is on them",
        palette=True,
        priority=True,
        yields=True,
    ),
    Key(
        "pepper.connections",
        "ctrl+n",
        "connections",
        "app",
        _PEPPER,
        "Connections: your accounts, how each does",
        palette=True,
        priority=True,
        yields=True,
    ),
    Key("pepper.redrive", "ctrl+f7", "redrive", "app", _PEPPER, "Try failed deliveries again", palette=True),
    Key("pepper.theme", "ctrl+f8", "change_theme", "app", _PEPPER, "Change the theme", palette=True),
    Key("pepper.cancel", "ctrl+c", "cancel_or_quit", "app", _PEPPER, "Stop, clear; twice: quit", priority=True),
    Key(
        "pepper.suspend",
        "ctrl+z",
        "suspend_process",
        "app",
        _PEPPER,
        "Suspend, as a shell does; `fg` returns",
        priority=True,
    ),
    Key("pepper.quit", "ctrl+q", "quit", "app", _PEPPER, "Quit", palette=True, priority=True),
)

_DECIDES: Final = (
    "head.",
    "inbox.",
    "rules.",
    "agenda.",
    "mail.",
    "connections.",
    "read.open_file",
    "read.save_file",
    "detail.approve",
    "calls.cancel",
)
_MOVES: Final = (
    *("list.down", "list.up", "list.page_down", "list.page_up", "list.first", "list.last"),
    *("detail.down", "detail.up", "detail.page_down", "detail.page_up", "chat.page_down", "chat.page_up"),
    *(
        "read.down",
        "read.up",
        "read.page_down",
        "read.page_up",
        "read.first",
        "read.last",
        "read.next",
        "read.previous",
    ),
)


def decides(key_id: str) -> bool:
    """Check whether an act is about a card, a rule or a call: its key acts alone, and is never on Alt."""
    return key_id.startswith(_DECIDES)


def moves(key_id: str) -> bool:
    """Check whether a key only moves a selection or the view."""
    return key_id in _MOVES


def bindings(*places: str) -> list[Binding]:
    """Return the bindings of the widgets called ``places``."""
    from textual.binding import Binding  # a config is checked against the table without Textual

    return [
        Binding(key.keys, key.action, key.description, show=False, priority=key.priority, id=key.id)
        for key in KEYS
        if key.where in places
    ]


_NAMES: Final = {
    "question_mark": "?",
    "exclamation_mark": "!",
    "number_sign": "#",
    "delete": "Del",
    "slash": "/",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "escape": "Esc",
    "enter": "Enter",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "tab": "Tab",
    "home": "Home",
    "end": "End",
}


def shown(keys: str) -> str:
    """Return ``keys`` for people: ``ctrl+j`` → ``Ctrl+J``. The second spelling of a capital is left out."""
    parts = keys.split(",")
    words = [_one(part) for part in parts if not (part.startswith("shift+") and part[6:].upper() in parts)]
    return " ".join(words)


def _one(key: str) -> str:
    *held, last = key.split("+")
    name = _NAMES.get(last, last.upper() if held or (last[0] == "f" and last[1:].isdigit()) else last)
    return "+".join([*(part.capitalize() for part in held), name])


class KeyNames:
    """The displayed names of each act's keys, with the changes in ``rebound`` (id → keys)."""

    def __init__(self, rebound: Mapping[str, str] | None = None) -> None:
        self.changed = dict(rebound or {})
        self._keys = {key.id: key.keys for key in KEYS} | self.changed

    def of(self, key_id: str) -> str:
        """Return the first key of an act, for people."""
        return shown(self._keys[key_id].split(",")[0])

    def all_of(self, key_id: str) -> str:
        """Return all keys of an act, for people."""
        return shown(self._keys[key_id])

    def groups(self) -> dict[str, list[tuple[str, str]]]:
        """Return group → (keys, description), in the table's order."""
        result: dict[str, list[tuple[str, str]]] = {}
        for key in KEYS:
            result.setdefault(key.group, []).append((self.all_of(key.id), key.description))
        return result


def names_of(app: Any) -> KeyNames:
    """Return the names of the app's keys."""
    names: KeyNames = app.key_names
    return names
