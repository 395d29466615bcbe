"""Editing in the user's own editor: a draft goes to a private file and comes back as the text of the same field.

Saving there decides nothing: a message still waits for Enter, a field for the form's own save. The engine keeps running
meanwhile, and its news is shown afterwards.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual.app import SuspendNotSupported

from pepper_tui.model import EngineError, Origin, Written
from pepper_tui.text import one_line, visible
from pepper_tui.ui.screen.chat.bursts import GAP, WAIT
from pepper_tui.ui.screen.chat.clean_fields import CleanArea, CleanInput
from pepper_tui.ui.screen.chat.composer import Composer
from pepper_tui.ui.shared.interrupts import interrupts

if TYPE_CHECKING:
    from pepper_tui.ui.screen.desk import Desk


USUAL: Final = ("nano", "vim", "vi")
"""Editors that are tried if neither $VISUAL nor $EDITOR is set."""


def editor_command(environment: Mapping[str, str]) -> list[str]:
    """Return the user's editor. Raises ``EngineError`` with words if there is none."""
    wish = environment.get("VISUAL") or environment.get("EDITOR") or ""
    try:
        command = shlex.split(wish)
    except ValueError as error:
        raise EngineError(f"$VISUAL or $EDITOR can't be read: {error}") from error
    if not command:
        command = [found for name in USUAL if (found := shutil.which(name))][:1]
    if not command:
        raise EngineError("No editor: set $VISUAL or $EDITOR")
    return command


class Editing:
    """Runs the editor, at most one at a time."""

    def __init__(self, app: Desk) -> None:
        self._app = app
        self.away = False
        """Whether another program has the terminal."""

    def write_message(self) -> None:
        """Edit the composer's draft."""
        composer = self._app.query_one(Composer)
        before = composer.written

        def put(text: str) -> None:
            composer.put(before if text == before.text.rstrip("\n") else Written.by(text, Origin.EDITOR))

        self._app.link.start(self._edit(before.text, put))

    def write_field(self) -> None:
        """Edit the form's focused field."""
        field = self._app.focused
        if isinstance(field, CleanArea):
            self._app.link.start(self._edit(field.text, lambda text: _put_text(field, text)))
        elif isinstance(field, CleanInput):
            self._app.link.start(self._edit(field.value, lambda text: _put_line(field, text)))

    async def lend(self, work: Callable[[], int]) -> int | None:
        """Lend the terminal to another program while the blocking ``work`` runs, and return what it returns.

        None if the terminal is lent already. Raises ``EngineError`` with words.
        """
        app = self._app
        if self.away:
            return None
        try:
            with app.batch_update(), app.suspend(), interrupts(lambda *_: None):  # it is for the other program
                self.away = True
                return await asyncio.to_thread(work)
        except SuspendNotSupported as error:
            raise EngineError("This terminal can't be lent to another program") from error
        finally:
            self.away = False
            app.refresh(layout=True)

    async def _edit(self, text: str, put: Callable[[str], None]) -> None:
        app = self._app
        if self.away:
            return
        before, at = app.keys
        await asyncio.sleep(WAIT)
        if at - before < GAP or [*app.keys] != [before, at]:  # such as a paste that the terminal delivered as keys
            app.say_words("That came faster than typing: no editor was opened")
            return
        trouble: EngineError | None = None
        edited = text
        try:
            with app.batch_update(), app.suspend():  # batched, so that nothing is drawn over the editor
                self.away = True
                try:
                    edited = await edited_text(text)
                except EngineError as error:  # the screen only comes back without an exception
                    trouble = error
        except SuspendNotSupported as error:
            raise EngineError("This terminal can't be lent to an editor") from error
        finally:
            self.away = False
            app.refresh(layout=True)
        if trouble is not None:
            raise trouble
        put(edited)
        app.say_words("Taken from your editor; nothing was sent or saved yet")


async def edited_text(text: str) -> str:
    """Return ``text`` as edited in the user's editor, cleaned, without blocking the loop.

    Raises ``EngineError`` with words.
    """
    command = editor_command(os.environ)
    path = await asyncio.to_thread(private_file, text)
    try:
        code = await asyncio.to_thread(subprocess.call, [*command, str(path)])
        edited = await asyncio.to_thread(path.read_text, "utf-8", "replace")
    except OSError as error:
        raise EngineError(f"{one_line(command[0], 60)}: {error.strerror}; set $VISUAL or $EDITOR") from error
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)
    if code:
        raise EngineError(f"The editor ended with {code}: the text is as it was")
    return visible(edited).rstrip("\n")


def _put_text(field: CleanArea, text: str) -> None:
    if text != field.text.rstrip("\n"):
        field.origin = Origin.EDITOR
    field.load_text(text)


def _put_line(field: CleanInput, text: str) -> None:
    before, field.value = field.value, " ".join(text.split())
    if field.value != " ".join(before.split()):
        field.origin = Origin.EDITOR
    field.cursor_position = len(field.value)


def private_file(text: str) -> Path:
    """Create a new file with ``text``, readable by its owner only. Blocking."""
    handle, name = tempfile.mkstemp(prefix="pepper-", suffix=".md")  # mode 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return Path(name)
