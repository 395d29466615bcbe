"""Exports the conversation to a Markdown file: cleaned, readable by its owner only, never over an existing file."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Final

from pepper_tui.boundary.new_file import new_file
from pepper_tui.model import Context, ContextFilter, EngineError, Namespace
from pepper_tui.text import clean
from pepper_tui.ui.shared.board import Board
from pepper_tui.ui.shared.words import SPEAKERS, moment

Recall = Callable[[ContextFilter], Awaitable[list[Context]]]
EXPORTED_AT_MOST: Final = 20_000
"""How many messages of each side are exported, the newest."""


def proposed_path(now: datetime) -> Path:
    """Return where an export goes unless the user chooses otherwise."""
    return Path("~") / f"pepper-{now:%Y-%m-%d-%H%M}.md"


async def write_conversation(recall: Recall, path: Path, zone: tzinfo) -> str:
    """Write the conversation to a new file at ``path`` and return a summary. Raises ``EngineError`` with words."""
    board, found = Board(kept=2 * EXPORTED_AT_MOST), 0
    for namespace in (Namespace.USER_MESSAGE, Namespace.ASSISTANT_MESSAGE):
        contexts = await recall(ContextFilter(namespaces=(namespace,), limit=EXPORTED_AT_MOST))
        found = max(found, len(contexts))
        board.recalled(contexts)
    messages = board.conversation()
    parts = ["# Conversation with Pepper\n"]
    for message in messages:
        marks = " (unfinished)" if message.unfinished else ""
        parts.append(f"## {SPEAKERS[message.speaker]}{marks}, {moment(message.at, zone)}\n\n{clean(message.text)}\n")
    try:
        await asyncio.to_thread(_write_new, path, "\n".join(parts))
    except FileExistsError as error:
        raise EngineError(f"{path} already exists: nothing was written; choose another name") from error
    except OSError as error:
        raise EngineError(f"{path}: {error.strerror}; nothing was written") from error
    left = f"; only the newest {EXPORTED_AT_MOST} of a side" if found >= EXPORTED_AT_MOST else ""
    return f"{len(messages)} message{'' if len(messages) == 1 else 's'} saved in {path}{left}"


def _write_new(path: Path, text: str) -> None:
    with new_file(path.expanduser()) as out:
        out.write(text)
