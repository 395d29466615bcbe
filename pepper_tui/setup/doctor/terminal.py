"""Checks the terminal: whether it can show the screen, and which features work.

The terminal is queried where it can answer (keys, clipboard); the rest is inferred from its name, and reported as
inferred.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pepper_tui.connectors.finding import Finding

ANSWER: Final = 0.5
"""Seconds that a terminal has to answer."""
_ASKED: Final = "\x1b[?u\x1b[c"  # Kitty's keyboard flags, then the device attributes, which every terminal answers
_NO_CLIPBOARD: Final = "no OSC 52: copying (c) does nothing there"


@dataclass(frozen=True, slots=True)
class Answers:
    """A terminal's answers about itself; None if it gave none."""

    kitty_keys: bool
    attributes: frozenset[str]


def examine_terminal(environment: Mapping[str, str]) -> list[Finding]:
    """Check size, colours and encoding; keys, clipboard, tmux. Blocking: half a second at most."""
    if not sys.stdout.isatty():
        return [Finding("terminal", "note", "the output is not a terminal: the screen can't be judged from here")]
    findings = [_screen(environment, shutil.get_terminal_size((0, 0)), (sys.stdout.encoding or "").lower())]
    if findings[0].state != "trouble":
        answers = ask_terminal()
        findings += [keys(answers), clipboard(answers, environment)]
        if environment.get("TMUX"):
            findings.append(tmux(_tmux_options()))
    return findings


def _screen(environment: Mapping[str, str], size: os.terminal_size, encoding: str) -> Finding:
    kind = environment.get("TERM", "")
    if kind in {"", "dumb"}:
        remedy = "set TERM, e.g. to xterm-256color; or use plain lines: pepper --plain"
        return Finding("terminal", "trouble", f"TERM is {kind!r}", remedy)
    if encoding not in {"utf-8", "utf8"}:
        return Finding("terminal", "trouble", f"the encoding is {encoding}", "use a UTF-8 locale, e.g. LANG=C.UTF-8")
    words = f"{kind}, {size.columns}×{size.lines}, UTF-8, {_colours(environment, kind)}"
    words += ", in tmux" if environment.get("TMUX") else ""
    if size.columns < 80 or size.lines < 24:
        return Finding("terminal", "note", words, "80×24 or more shows everything")
    return Finding("terminal", "ok", words)


def _colours(environment: Mapping[str, str], kind: str) -> str:
    if environment.get("NO_COLOR"):
        return "no colours, as NO_COLOR asks"
    if environment.get("COLORTERM") in {"truecolor", "24bit"}:
        return "true colour"
    return "256 colours" if "256" in kind or "kitty" in kind else "16 colours, maybe: theme pepper-ansi fits"


def keys(answers: Answers | None) -> Finding:
    """Report whether keys can be told apart (Kitty's protocol)."""
    if answers is None:
        return Finding("keys", "note", "the terminal did not say what it can do", "F-keys and single letters work")
    if answers.kitty_keys:
        return Finding("keys", "ok", "Kitty's protocol: Ctrl+1 to Ctrl+5 and Shift+Enter work")
    words = "without Kitty's protocol: Ctrl+1 to Ctrl+5 and Shift+Enter are not told apart"
    return Finding("keys", "note", words, "use Ctrl+O and a number to jump, Ctrl+J for a new line")


def clipboard(answers: Answers | None, environment: Mapping[str, str]) -> Finding:
    """Report whether `c` reaches the clipboard (OSC 52)."""
    if answers is not None and "52" in answers.attributes:
        return Finding("clipboard", "ok", "OSC 52: the terminal says that it accepts what c copies")
    if environment.get("TERM_PROGRAM") == "Apple_Terminal" or environment.get("VTE_VERSION"):
        return Finding(
            "clipboard", "note", _NO_CLIPBOARD, "mark with the mouse and Shift, or save: s in the conversation"
        )
    return Finding("clipboard", "note", "not known: terminals don't tell", "press c on a message, and paste elsewhere")


def tmux(options: Mapping[str, str]) -> Finding:
    """Report whether tmux lets through what Pepper needs."""
    wanted = {"focus-events": "on", "set-clipboard": "on"}
    missing = [f"set -g {name} {value}" for name, value in wanted.items() if options.get(name) != value]
    slow = options.get("escape-time", "0")
    if slow.isdecimal() and int(slow) > 50:
        missing.append("set -g escape-time 10")
    if missing:
        return Finding("tmux", "note", "some of its options limit Pepper", f"in ~/.tmux.conf: {' ; '.join(missing)}")
    return Finding("tmux", "ok", "focus, clipboard and Esc come through")


def _tmux_options() -> dict[str, str]:
    try:
        said = subprocess.run(["tmux", "show-options", "-gs"], capture_output=True, text=True, timeout=2, check=False)
        more = subprocess.run(["tmux", "show-options", "-g"], capture_output=True, text=True, timeout=2, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return dict(line.split(" ", 1) for line in (said.stdout + more.stdout).splitlines() if " " in line)


def ask_terminal() -> Answers | None:
    """Ask the terminal around this process about itself; None if it does not answer in time. Blocking."""
    try:
        with _raw(sys.stdin.fileno()) as terminal:
            os.write(sys.stdout.fileno(), _ASKED.encode())
            said = _read(terminal)
    except (ImportError, OSError, ValueError):
        return None
    return parsed(said)


def parsed(said: str) -> Answers | None:
    """Parse the terminal's answer."""
    attributes = re.search(r"\x1b\[\?([\d;]*)c", said)
    if attributes is None:
        return None
    return Answers(re.search(r"\x1b\[\?\d+u", said) is not None, frozenset(attributes[1].split(";")))


@contextlib.contextmanager
def _raw(terminal: int) -> Iterator[int]:
    """Put the terminal into character mode without echo, and restore it afterwards."""
    import termios
    import tty

    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal)
        yield terminal
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _read(terminal: int) -> str:
    said, end = "", time.monotonic() + ANSWER
    while not re.search(r"\x1b\[\?[\d;]*c", said) and (left := end - time.monotonic()) > 0:
        if not select.select([terminal], [], [], left)[0]:
            break
        said += os.read(terminal, 1024).decode("ascii", "replace")
    return said
