"""The terminal: whether the screen can be shown in it, and what of the screen it can do."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator

from pepper_tui.doctor.finding import Finding


def examine_terminal() -> Iterator[Finding]:
    yield _terminal()


def _terminal() -> Finding:
    kind, columns = os.environ.get("TERM", ""), shutil.get_terminal_size((0, 0))
    encoding = (sys.stdout.encoding or "").lower()
    if not sys.stdout.isatty():
        return Finding("terminal", "note", "the output is no terminal: the screen can't be judged from here")
    if kind in {"", "dumb"}:
        return Finding("terminal", "trouble", f"TERM is {kind!r}", "set TERM, e.g. to xterm-256color")
    if encoding not in {"utf-8", "utf8"}:
        return Finding("terminal", "trouble", f"the encoding is {encoding}", "use a UTF-8 locale, e.g. LANG=C.UTF-8")
    words = f"{kind}, {columns.columns}×{columns.lines}"
    words += ", true colour" if os.environ.get("COLORTERM") in {"truecolor", "24bit"} else ", 256 colours at most"
    words += ", in tmux" if os.environ.get("TMUX") else ""
    if columns.columns < 80 or columns.lines < 24:
        return Finding("terminal", "note", words, "80×24 or more shows everything")
    return Finding("terminal", "ok", words)
