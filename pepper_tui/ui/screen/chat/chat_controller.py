"""Talking to Pepper: sending, keeping messages until the engine starts, taking back, stopping the reply, Ctrl+C."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pepper_tui.model import Written
from pepper_tui.text import one_line
from pepper_tui.ui.screen.chat.composer import Composer
from pepper_tui.ui.screen.chat.transcript import Transcript
from pepper_tui.ui.shared.board import Board

if TYPE_CHECKING:
    from pepper_tui.ui.screen.desk import Desk

TWICE: Final = 2.0
"""Seconds within which a second Ctrl+C quits."""


class Talk:
    """The composer's side of the conversation."""

    def __init__(self, app: Desk) -> None:
        self._app = app
        self._early: list[tuple[Written, bool]] = []
        self._ctrl_c_at = -TWICE

    def send(self, written: Written, after_calls: bool) -> None:
        app = self._app
        app.reading.close()
        app.panes.leave_opened()
        app.panes.show("chat")
        app.query_one(Transcript).scroll_end(animate=False)
        app.link.start(self._say(written, after_calls))

    async def _say(self, written: Written, after_calls: bool) -> None:
        app = self._app
        if app.link.engine is None:
            self._early.append((written, after_calls))
            app.say_words("Pepper is starting; your message is kept and goes first")
            return
        try:
            await app.link.engine.say(written.text, spans=written.spans, after_calls=after_calls)
        except Exception:
            composer = app.query_one(Composer)
            if not composer.text.strip():
                composer.put(written)
            raise

    async def connected(self, board: Board) -> None:
        """Send what the user wrote before the engine was ready."""
        said = [Written(message.text, message.spans) for message in board.conversation() if message.speaker == "you"]
        self._app.query_one(Composer).sent.remember(said)
        while self._early:
            await self._say(*self._early[0])
            self._early.pop(0)

    def take_back(self) -> None:
        self._app.link.start(self._take_back())

    async def _take_back(self) -> None:
        taken = await self._app.link.ready().take_back()
        if taken is None:
            self._app.say_words("Nothing to take back: Pepper has read it all")
            return
        composer = self._app.query_one(Composer)
        composer.put(taken.then(Written("\n")).then(composer.written) if composer.text.strip() else taken)
        self._app.say_words("Taken back")

    def stop(self) -> None:
        """Handle Esc while typing: close what is open, else stop the reply."""
        if not self._app.reading.close():
            self._stop_reply()

    def _stop_reply(self) -> bool:
        engine = self._app.link.engine
        if engine is None or not self._app.query_one(Transcript).tail.streaming:
            return False
        self._app.link.start(engine.stop_reply())
        return True

    def search(self) -> None:
        """Search earlier messages, and make one the draft."""
        composer = self._app.query_one(Composer)
        full = {one_line(each.text, 400): each for each in reversed(composer.sent.said)}
        self._app.asking.ask(
            "Search what you sent",
            lambda found: composer.put(full.get(found, Written(found))),
            choices=list(full),
            filtered=True,
        )

    def insert(self, text: str) -> None:
        """Insert text that came with no field under it into the draft."""
        composer = self._app.query_one(Composer)
        composer.paste(text)
        self._app.panes.to_composer()

    def copy(self, text: str) -> None:
        try:
            self._app.copy_to_clipboard(text)
        except ValueError as error:
            self._app.say_words(f"{error}; {self._app.key_names.of('chat.export')} saves the conversation", bad=True)
        else:
            self._app.say_words(f"Copied {len(text)} characters")

    def export(self) -> None:
        """Ask for a file, and write the conversation there."""
        from pepper_tui.ui.shared.export import proposed_path, write_conversation

        app = self._app

        def write(path: str) -> None:
            app.link.start(self._export(write_conversation(app.link.ready().recall, Path(path), app.link.zone)))

        now = datetime.fromtimestamp(app.clock.now(), app.link.zone)
        app.asking.ask("Save the conversation to", write, choices=[str(proposed_path(now))])

    async def _export(self, writing: Awaitable[str]) -> None:
        self._app.say_words(await writing)

    def cancel_or_quit(self) -> None:
        """Handle Ctrl+C: copy the selection, or stop the reply, or clear the draft; with none of these, twice: quit."""
        app, now = self._app, self._app.clock.monotonic()
        twice = now - self._ctrl_c_at < TWICE
        self._ctrl_c_at = now
        composer = app.query_one(Composer)
        if composer.has_focus and composer.selected_text:
            self.copy(composer.selected_text)
        elif self._stop_reply():
            app.say_words("Stopped. Ctrl+C again quits")
        elif composer.text.strip():
            composer.sent.remember([*composer.sent.said, composer.written])
            composer.load_text("")
            app.say_words("Cleared; Up brings it back. Ctrl+C again quits")
        elif twice:
            app.exit()
        else:
            app.say_words("Ctrl+C again quits")
