"""Checks which keys a config may give to an act.

A key has one meaning in each place. Space never decides anything; Esc, Enter and Tab keep their meaning; a text
character never acts while typing; a decision is never on Alt, which sends the same bytes as Esc followed by the key.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

from pepper_tui.ui.shared.key_table.key import Key
from pepper_tui.ui.shared.keys import KEYS, decides, shown

_SAME: Final = {
    "esc": "escape",
    "ctrl+m": "enter",
    "return": "enter",
    "ctrl+i": "tab",
    "ctrl+left_square_bracket": "escape",
}
"""Other spellings, and keys for which a terminal sends the same bytes."""
_TOGETHER: Final = (
    ("composer", "app"),
    ("list", "chat", "app"),
    ("list", "inbox", "app"),
    ("list", "signals", "app"),
    ("list", "calls", "app"),
    ("list", "effects", "app"),
    ("list", "rules", "app"),
    ("list", "agenda", "app"),
    ("list", "mail_list", "app"),
    ("mail", "mail_list", "app"),
    ("mail", "mail_reader", "app"),
    ("list", "connections", "app"),
    ("form", "app"),
    ("detail", "app"),
)
"""Places whose keys are active at the same time."""
_TYPED_IN: Final = ("app", "composer", "form")
_FIXED: Final = {"escape": "Esc", "enter": "Enter", "tab": "Tab", "space": "Space"}
_WORDS: Final = frozenset(
    ["up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete", "backspace"]
    + [f"f{number}" for number in range(1, 25)]
    + list(_FIXED)
)
_RENAMED: Final = {"solidus": "slash", "reverse_solidus": "backslash", "commercial_at": "at"} | {
    "hyphen_minus": "minus", "plus_sign": "plus", "low_line": "underscore"
}  # fmt: skip
_PUNCTUATION: Final = {
    character: _RENAMED.get(name := unicodedata.name(character).lower().replace("-", "_").replace(" ", "_"), name)
    for character in string.punctuation
}
"""Textual's names for punctuation."""
_HELD: Final = ("ctrl", "alt", "shift", "super", "meta", "hyper")


def rebound(wishes: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the wishes (id → keys, comma separated) in the screen's form, and id → what is wrong with it."""
    wrong: dict[str, str] = {}
    taken: dict[str, str] = {}
    known = {key.id: key for key in KEYS}
    for key_id, wish in wishes.items():
        if key_id not in known:
            wrong[key_id] = "unknown key id; docs/keys.md lists them"
            continue
        keys = [_normal(part) for part in (wish.split(",") if wish != "," else [wish])]
        problem = next((words for each in keys if (words := _refused(known[key_id], each))), "")
        if problem:
            wrong[key_id] = problem
        else:
            taken[key_id] = ",".join(dict.fromkeys(each for key in keys for each in _with_shift(key)))
    while conflicts := list(_conflicts(_with_yielding(taken))):
        for key_id, words in conflicts:  # a refused key gets its default back, which may now collide
            wrong.setdefault(key_id, words)
            taken.pop(key_id, None)
    return _with_yielding(taken), wrong


def _with_yielding(taken: Mapping[str, str]) -> dict[str, str]:
    """Return ``taken``, plus the remaining keys of acts that yield to it."""
    found = dict(taken)
    for key in KEYS:
        if key.yields and key.id not in taken:
            places = {place for together in _TOGETHER if key.where in together for place in together}
            given = {
                k for other in KEYS if other.id in taken and other.where in places for k in taken[other.id].split(",")
            }
            left = [each for each in key.keys.split(",") if each not in given]
            if left and len(left) < len(key.keys.split(",")):
                found[key.id] = ",".join(left)
    return found


def _normal(key: str) -> str:
    """Return a key in Textual's spelling: ``?`` is ``question_mark``, ``Ctrl+G`` is ``ctrl+g``, ``N`` stays ``N``."""
    held, _, last = key.strip().rpartition("+") if not key.strip().endswith("+") else (key.strip()[:-1], "", "+")
    held = held.strip("+").lower()
    last = _PUNCTUATION.get(last, last.lower() if held or len(last) > 1 else last)
    key = f"{held}+{last}" if held else last
    return _SAME.get(key, key)


def _with_shift(key: str) -> list[str]:
    """Return a capital as each terminal sends it."""
    return [key, f"shift+{key.lower()}"] if len(key) == 1 and key.isupper() else [key]


def _refused(key: Key, wish: str) -> str:
    """Explain why ``wish`` can't be a key of ``key``; an empty string if it can."""
    *held, last = wish.split("+")
    name = shown(wish) if wish else ""
    if not wish or not last or any(part not in _HELD for part in held):
        return f"{wish!r} is not a key; write e.g. y, f4, ctrl+g or pageup"
    character = (len(last) == 1 and last.isalnum()) or last in _PUNCTUATION.values()
    if not character and last not in _WORDS:
        return f"{wish!r} is not a key; write e.g. y, f4, ctrl+g or pageup"
    if last == "space":
        return "Space is never bound: it is pressed without a thought"
    if wish in _FIXED and wish not in key.keys.split(","):
        return f"{_FIXED[wish]} stays what it is: it never decides or does anything else"
    if character and not set(held) - {"shift"} and key.where in _TYPED_IN:
        return f"{name} is text while you type; choose an F-key or one with Ctrl"
    if "alt" in held and decides(key.id):
        return f"{name} is the same as Esc and then {shown(last)} in many terminals; choose another for a decision"
    return ""


def _conflicts(taken: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the rebound ids whose key another act has in the same place, each with words."""
    for together in _TOGETHER:
        holders: dict[str, Key] = {}
        here = [key for key in KEYS if key.where in together]
        for key in sorted(here, key=lambda key: key.id in taken):
            for each in taken.get(key.id, key.keys).split(","):
                other = holders.setdefault(each, key)
                if other is not key and key.id in taken:
                    yield key.id, f"{shown(each)} is {other.id} already ({other.description.lower()})"
