"""Alt+Enter on terminals without Kitty's protocol: Esc and Enter in one sequence, which Textual reads as Enter."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from textual import _ansi_sequences


def teach_alt_enter() -> None:
    """Make Textual read the sequence as ``alt+enter``."""
    table = cast(dict[str, Any], _ansi_sequences.ANSI_SEQUENCES_KEYS)
    table.setdefault("\x1b\r", (SimpleNamespace(value="alt+enter"),))
