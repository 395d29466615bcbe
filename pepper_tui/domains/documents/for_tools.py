"""A file's text for a tool: its failures are the tool's, its notes stand before it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pepper_tui.clock import in_thread
from pepper_tui.domains.documents.as_text import NotTextError, as_text
from pepper_tui.domains.documents.file_text import FileText
from pepper_tui.text import one_line
from pepper_tui.tools.errors import ToolError

FirstPage = Annotated[int, Field(ge=1, le=100_000)]


async def read_text(source: bytes, name: str, *, size: int | None = None, first: int = 1) -> FileText:
    """Return the text of a file, as ``as_text`` does. Raises ``ToolError``."""
    try:
        return await in_thread(lambda: as_text(source, name, size=size, first=first))
    except NotTextError as error:
        raise ToolError("; ".join(filter(None, [f"{one_line(name, 120)}: {error.words}", error.remedy]))) from error


def lines_of(reading: FileText) -> list[str]:
    """Return what a tool answers: the notes, and the text."""
    notes = one_line("; ".join(dict.fromkeys(reading.notes)), 1000)
    return [*([f"note: {notes}"] if notes else []), "", reading.text or "(there is no text in it)"]
