"""Make docs/keys.md from the table of keys.

Run it from the clone's root: ``.venv/bin/python docs/make_keys.py``.
"""

from __future__ import annotations

from pathlib import Path

from pepper_tui.ui.plain.commands.table import COMMANDS
from pepper_tui.ui.shared.keys import KEYS, shown

TARGET = Path(__file__).with_name("keys.md")
BEGIN = """# Keys

Single letters act only where you are not typing; while you type, F-keys act on the first card. Space has no binding,
Esc never decides anything, and a paste never acts. Keys that arrive in one burst, as over a slow line, may move the
focus but never decide: press the one that you mean again. `F1` shows these keys in the program, with yours.

`Ctrl+O` shows a label on each row and a number on each pane: press one to go there. `/` filters the focused list, or
searches the conversation; `Esc` shows everything again.
"""
OWN = """
## Your own keys

    [ui.keys]
    "inbox.approve" = "a"
    "go.jump" = "ctrl+b, f11"

Separate several keys with commas; use the names of the tables (`pageup`, `f5`, `ctrl+g`, `?`). In one place a key can
have only one meaning. Invalid bindings are refused at the start, and by `pepper config check`, with file, line and id:

- Space is never bound, and Esc, Enter and Tab keep their meaning.
- Where you type (groups *While typing*, *Moving about*, *Pepper*, *In a form*), a key that types a character can't act.
- A decision is never on Alt: many terminals send Alt and a key as Esc and then the key.

Ctrl+1 to Ctrl+5 and Shift+Enter reach Pepper only if the terminal supports Kitty's keyboard protocol; `pepper doctor`
says whether yours does.

## Plain lines

`pepper --plain` (or `plain = true` under `[ui]`, or a terminal with `TERM=dumb`) works in lines, for screen readers:
no boxes, columns or colours. What happens is printed in order, and each item keeps its number. What you type is a
message; with a slash it is a command:

"""


def page() -> str:
    """Return the whole page."""
    lines, group = [BEGIN], ""
    for key in KEYS:
        if key.group != group:
            group = key.group
            lines += [f"## {group}\n", "| key | does | id |", "| --- | --- | --- |"]
        lines.append(f"| `{shown(key.keys)}` | {key.description} | `{key.id}` |")
        if key is KEYS[-1] or KEYS[KEYS.index(key) + 1].group != group:
            lines.append("")
    lines.append(OWN.strip("\n") + "\n")
    lines += ["| command | does |", "| --- | --- |"]
    for command in COMMANDS:
        typed = f"/{command.name} {command.takes}".strip().replace("|", "\\|")
        lines.append(f"| `{typed}` | {command.does} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
    print(f"wrote {TARGET.name}")
