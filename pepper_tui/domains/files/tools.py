"""The user's files, in the folders of the config: list, read, search. Their content is text from outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from pepper_tui.clock import Looks
from pepper_tui.domains.documents.as_text import MAX_BYTES
from pepper_tui.domains.documents.for_tools import FirstPage, lines_of, read_text
from pepper_tui.domains.files.folders import Folders
from pepper_tui.model import Effect
from pepper_tui.text import one_line
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.tool import Tool, ToolContext, tool

T = TypeVar("T")


@dataclass(slots=True)
class FileParts:
    """``folders`` are those whose files may be read; ``looks`` waits for no hanging folder."""

    looks: Looks
    folders: Folders | None = None


@tool(effect=Effect.READ)
async def list_files(ctx: ToolContext, folder: str = "") -> str:
    """List a folder of the user's.

    Args:
        folder: its path; empty for the folders that may be read
    """
    folders = _folders(ctx)
    if not folder.strip() and len(folders.allowed) > 1:
        return "\n".join(f"{each}/" for each in folders.allowed)
    path, entries, count = await _look(ctx, folders.entries, folder)
    lines = [f"{path}: {count} entries" + (f", the first {len(entries)}" if count > len(entries) else "")]
    for entry in entries:
        at = f"{datetime.fromtimestamp(entry.modified, ctx.zone):%Y-%m-%d %H:%M}"
        name = one_line(entry.name, 200)
        lines.append(f"{name}/ | {at}" if entry.is_folder else f"{name} | {entry.size} bytes | {at}")
    return "\n".join(lines)


@tool(effect=Effect.READ)
async def read_file(ctx: ToolContext, path: str, first: FirstPage = 1) -> str:
    """Read a file of the user's as text: also PDF, Word, Excel, PowerPoint and OpenDocument.

    Args:
        path: as list_files and search_files give it, or relative to a folder that may be read
        first: the page, sheet or slide to begin with
    """
    real, source, size = await _look(ctx, _folders(ctx).content, path, MAX_BYTES + 1)
    return "\n".join([f"path: {real}", *lines_of(await read_text(source, real.name, size=size, first=first))])


@tool(effect=Effect.READ)
async def search_files(ctx: ToolContext, query: str, folder: str = "") -> str:
    """Search names and text of the user's files.

    Args:
        query: words that a line, or a file's name, must all hold
        folder: only below this folder; empty for all that may be read
    """
    hits, left_out = await _look(ctx, _folders(ctx).search, query, folder)
    return "\n".join([*(hits or ["Nothing matches."]), *(f"[{words}]" for words in left_out)])


async def _look(ctx: ToolContext, function: Callable[..., T], *args: Any) -> T:
    return await ctx.of(FileParts).looks.look(", ".join(map(str, _folders(ctx).allowed)), function, *args)


def _folders(ctx: ToolContext) -> Folders:
    folders = ctx.of(FileParts).folders
    if folders is None:
        raise ToolError("no folder may be read; set files.folders")
    return folders


def file_tools(parts: FileParts) -> list[Tool]:
    return [each.with_given(parts) for each in (list_files, read_file, search_files)]
