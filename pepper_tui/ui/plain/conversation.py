"""The plain mode itself: news in, lines out; lines in, messages and commands out.

A number alone approves nothing: `/read` prints the whole card and a word for it, `/yes` wants both, and the word holds
only for the card as it was read. Text that arrived as several lines at once is a message, never a command.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from pepper_tui.clock import Clock, SystemClock
from pepper_tui.model import Context, ContextUpdate, EngineError, ReplyDelta, Written
from pepper_tui.text import clean, one_line, visible
from pepper_tui.ui.plain.commands.table import Commands
from pepper_tui.ui.plain.keyboard import Keyboard
from pepper_tui.ui.plain.news import News
from pepper_tui.ui.plain.numbers import Numbers
from pepper_tui.ui.screen.link import EngineFactory, Link
from pepper_tui.ui.shared.board import Board
from pepper_tui.ui.shared.endings import Endings

if TYPE_CHECKING:
    from pepper_tui.config import Ui

TWICE: Final = 2.0
"""Seconds within which a second Ctrl+C quits."""


class PlainConversation:
    """One session. ``engine_factory`` makes the engine, as for the screen."""

    def __init__(self, engine_factory: EngineFactory, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.board = Board()
        self.numbers = Numbers()
        self.news = News(self.numbers, self._key)
        self.keyboard = Keyboard()
        self.link = Link(engine_factory, self, self._trouble, self.clock.now)
        self._commands = Commands(self)
        self._recalled = False
        self._keys: dict[str, str] | None = None
        self._early: list[Written] = []
        self._ctrl_c_at = -TWICE
        self._bell = True
        self.over = asyncio.Event()

    def dress(self, wishes: Ui) -> None:
        """Apply the config's settings of the screen."""
        self._bell = wishes.bell

    def say(self, *lines: str) -> None:
        """Print lines; text from outside is sanitised here once more."""
        if lines:
            self.keyboard.say("\n".join(clean(line).replace("\n", "\n  ") for line in lines))

    def _trouble(self, said: str, bad: bool, stay: bool) -> None:
        del stay
        if said:
            self.say(f"Trouble: {one_line(said, 300)}" if bad else said)

    async def run(self) -> int:
        """Talk until the user leaves; return the exit code."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, self._ctrl_c)
        endings = Endings(self.over.set)
        with _terminal_as_it_was(), endings.watched():
            self.say("Pepper, in plain lines. Type a message, or /help for the commands.")
            self.keyboard.begin()
            self.link.open()
            talking = asyncio.create_task(self._talk())
            await self.over.wait()
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)
            await self.link.close()
        return 0 if endings.number in (0, signal.SIGTERM) else 128 + endings.number

    async def _talk(self) -> None:
        while not self.over.is_set() and (line := await self.keyboard.next()) is not None:
            text = visible(line.text).strip()
            self.keyboard.flush()
            if not text:
                continue
            try:
                if text.startswith("/") and not line.pasted:
                    await self._commands.do(text, line.origin)
                else:
                    if text.startswith("/"):
                        self.say("Several lines at once are a message: nothing else was done")
                    await self.tell(Written.by(text, line.origin))
            except (EngineError, ValueError) as error:
                self.say(str(getattr(error, "words", "") or error))
            except Exception as error:  # words, never a traceback over the lines
                self.say(f"Trouble: {one_line(str(error) or type(error).__name__, 300)}")
        self.over.set()

    async def tell(self, written: Written, *, after_calls: bool = False) -> None:
        """Send a message; messages sent while Pepper starts are kept and go first."""
        if self.link.engine is None:
            self._early.append(written)
            self.say("Pepper is starting; your message is kept and goes first")
        else:
            await self.link.engine.say(written.text, spans=written.spans, after_calls=after_calls)

    def _ctrl_c(self) -> None:
        now = self.clock.monotonic()
        if now - self._ctrl_c_at < TWICE:
            self.over.set()
        else:
            self._ctrl_c_at = now
            if self.link.engine is not None:
                self.link.start(self.link.engine.stop_reply())
            self.say("Stopped what was being said. Control C again leaves")

    # ------------------------------------------------------------------------------------------- from the engine

    def counted(self, since: float, held: int, seq: int) -> None:
        self.board.held_so_far(since, held, seq)

    def recalled(self, contexts: list[Context]) -> None:
        """Apply the present state; the first time, print how many things wait."""
        self.board.recalled(contexts)
        self._keys = None
        if not self._recalled:
            self.news.known(contexts)

    def _key(self, ref: str) -> str:
        """Return the inbox's key for the item whose draft is ``ref``."""
        if self._keys is None:
            self._keys = {item.ref: item.key for item in self.board.inbox(self.clock.now())}
        return self._keys.get(ref, ref)

    def updated(self, updates: list[ContextUpdate]) -> None:
        self.board.apply(updates)
        self._keys = None
        lines = self.news.of(updates)
        if self.news.calls_out and self._bell:
            sys.stdout.write("\a")
        self.say(*lines)

    def written(self, piece: ReplyDelta) -> None:
        """Print a reply when it is complete."""

    async def connected(self) -> None:
        waiting = len(self.board.inbox(self.clock.now()))
        self._recalled = True
        engine = self.link.ready()
        model = "by your rules, without a model" if engine.offline else one_line(engine.model_name, 60)
        self.say(f"Pepper works, {model}. {waiting} in the inbox" + (": /inbox lists them" if waiting else ""))
        while self._early:
            written = self._early[0]
            await engine.say(written.text, spans=written.spans)
            self._early.pop(0)


@contextlib.contextmanager
def _terminal_as_it_was() -> Iterator[None]:
    """Restore the terminal's modes at the end, as a line may still be being typed then."""
    if not sys.stdin.isatty():
        yield
        return
    try:
        import termios

        modes = termios.tcgetattr(sys.stdin.fileno())
    except (ImportError, OSError, ValueError):
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, modes)
