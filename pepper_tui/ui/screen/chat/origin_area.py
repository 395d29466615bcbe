"""A text that knows which of its characters were typed: only these have authority.

Anything else (a paste, keys faster than a person's, the user's editor) is drawn in another style, and keeps its origin
through edits and undo.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from rich.text import Text
from textual import events
from textual.document._document import EditResult, Location
from textual.document._edit import Edit
from textual.widgets import TextArea

from pepper_tui.model import Origin, Written
from pepper_tui.text import visible

PASTE: Final = 8
"""Keys at once from which on they are a paste. A slow line may deliver a few typed keys together."""
_PASTED: Final = "composer--pasted"


class OriginEdit(Edit):
    """An edit that also keeps the draft before and after it."""

    before: Written
    made: Written


class OriginArea(TextArea):
    """The text itself; ``written`` has it with its origins."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {_PASTED}

    def __init__(self, **options: Any) -> None:
        self.written = Written("")
        self._origin = Origin.TYPED  # of the edit in progress
        self._run: list[tuple[int, int]] = []  # where each key of a burst was inserted
        super().__init__(**options)

    def get_line(self, line_index: int) -> Text:
        """Return the line, with untyped characters in their own style."""
        line = super().get_line(line_index)
        if self.written.spans:
            style = self.get_component_rich_style(_PASTED, partial=True)
            start = self._index((line_index, 0))
            for begin, end, _ in self.written.spans:
                if begin < start + len(line) and end > start:
                    line.stylize(style, max(0, begin - start), end - start)
        return line

    def edit(self, edit: Edit) -> EditResult:
        """Apply an edit. Each one, by key or otherwise, goes through here; undo and redo do not."""
        known = OriginEdit(edit.text, edit.from_location, edit.to_location, edit.maintain_selection_offset)
        start, end = (self._index(place) for place in (edit.top, edit.bottom))
        known.before = self.written
        self.written = known.made = self.written.replaced(start, end, edit.text, self._origin)
        if edit.text and self._origin is Origin.TYPED:
            self._run.append((start, start + len(edit.text)))
        result = super().edit(known)
        self._agree()
        return result

    def _undo_batch(self, edits: Sequence[Edit]) -> None:
        if edits and isinstance(edits[0], OriginEdit):
            self.written = edits[0].before
        super()._undo_batch(edits)
        self._agree()

    def _redo_batch(self, edits: Sequence[Edit]) -> None:
        if edits and isinstance(edits[-1], OriginEdit):
            self.written = edits[-1].made
        super()._redo_batch(edits)
        self._agree()

    def load_text(self, text: str) -> None:
        """Load text that no key has written: its origin is unknown here."""
        self.written = Written.by(text, Origin.OUTSIDE)
        super().load_text(text)

    def _agree(self) -> None:
        """Mark the whole text as untyped if it was changed in a way unknown here."""
        if self.text != self.written.text:
            self.written = Written.by(self.text, Origin.OUTSIDE)

    def _index(self, place: Location) -> int:
        row, column = place
        return sum(len(self.document.get_line(above)) + 1 for above in range(row)) + column

    def _not_typed(self, insert: str, origin: Origin) -> None:
        """Replace the selection by ``insert``, with the origin ``origin``."""
        before, self._origin = self._origin, origin
        try:
            if result := self._replace_via_keyboard(insert, *self.selection):
                self.move_cursor(result.end_location)
        finally:
            self._origin = before

    def _keys_came(self, fast: bool) -> None:
        """Mark a burst of keys as pasted: a terminal without bracketed paste sends a paste as keys."""
        if not fast:
            self._run, self._origin = [], Origin.TYPED
        elif len(self._run) >= PASTE - 1 and self._origin is Origin.TYPED:
            self._origin = Origin.PASTED
            for start, end in self._run:
                self.written = self.written.marked(start, end, Origin.PASTED)
            self._line_cache.clear()
            self.refresh()

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.paste(event.text)

    def paste(self, text: str) -> None:
        """Insert ``text`` as pasted text."""
        self._not_typed(visible(text), Origin.PASTED)

    def action_paste(self) -> None:
        """Paste from the app's clipboard as pasted: what was cut or copied here may itself have been pasted."""
        self._not_typed(visible(self.app.clipboard), Origin.PASTED)

    def put(self, written: Written) -> None:
        """Make ``written`` the draft, with the cursor at its end."""
        clean_parts = [Written.by(visible(piece), origin) for piece, origin in written.parts()]
        draft = functools.reduce(Written.then, clean_parts, Written(""))
        self.load_text(draft.text)
        self.written = draft
        self.move_cursor(self.document.end)
