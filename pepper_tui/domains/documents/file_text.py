"""The text of a file, as it is handed to a tool or to the screen."""

from __future__ import annotations

from dataclasses import dataclass, field

from pepper_tui.model import Record


@dataclass(slots=True)
class FileText(Record):
    """``notes`` say what of the file was not read, or read otherwise."""

    text: str = ""
    notes: list[str] = field(default_factory=list)
