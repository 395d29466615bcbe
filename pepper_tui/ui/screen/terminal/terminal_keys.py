"""Alt+Enter where the terminal does not speak Kitty's protocol: Esc and Enter in one. Textual takes it for Enter."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from textual import _ansi_sequences


def teach_alt_enter() -> None:
    """Have Textual read it as ``alt+enter``."""
    table = cast(dict[str, Any], _ansi_sequences.ANSI_SEQUENCES_KEYS)
    table.setdefault("\x1b\r", (SimpleNamespace(value="alt+enter"),))
