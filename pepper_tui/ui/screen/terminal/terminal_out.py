"""Sequences sent to the terminal itself, past the screen: clipboard and notifications.

In tmux each is sent twice: wrapped, for a tmux that passes sequences through (`allow-passthrough on`), and plain, for
one that handles it itself (`set-clipboard on`). Any text inside has been made harmless first.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from typing import Final

COPIED_AT_MOST: Final = 74_994
"""Bytes that can be copied: terminals accept 100,000 of base64, and silently drop anything longer."""


def clipboard(text: str) -> str:
    """Return the OSC 52 sequence that copies ``text``. Raises ``ValueError`` with words if it is too long."""
    data = text.encode("utf-8", "replace")
    if len(data) > COPIED_AT_MOST:
        raise ValueError(f"{len(data) // 1000} kB are too long to copy: terminals take {COPIED_AT_MOST // 1000} kB")
    return f"\x1b]52;c;{base64.b64encode(data).decode('ascii')}\x07"


def wrapped(sequence: str, environment: Mapping[str, str] | None = None) -> str:
    """Return ``sequence`` in the form that reaches the terminal from here."""
    if not (os.environ if environment is None else environment).get("TMUX"):
        return sequence
    inner = sequence.replace("\x1b", "\x1b\x1b")
    return f"\x1bPtmux;{inner}\x1b\\{sequence}"
