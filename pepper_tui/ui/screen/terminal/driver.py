"""The screen's terminal driver: if the terminal goes away, the screen ends, and nothing waits or spins.

Textual's own driver takes the end of its input for silence, and polls again immediately, forever. If writing fails, its
writer thread dies, its queue fills, and the event loop blocks on it. Textualize/textual#5285 is similar. Here, both
cases are reported once.
"""

from __future__ import annotations

import contextlib
import os
import selectors
from codecs import getincrementaldecoder
from collections.abc import Callable
from typing import Any, Final

from textual._time import get_time
from textual.drivers import linux_driver as _driver
from textual.drivers._writer_thread import WriterThread
from textual.drivers.linux_driver import LinuxDriver

linux_driver: Any = _driver  # Textual's own names that its types do not export
_LOOK: Final = 0.1  # seconds between checks whether the driver is to stop
_BYTES: Final = 4096


class Writer(WriterThread):
    """Writes until the terminal is gone; later output is dropped."""

    gone: Callable[[], None] = staticmethod(lambda: None)

    def run(self) -> None:
        try:
            super().run()
        except (OSError, ValueError):
            self.gone()
            while self._queue.get() is not None:
                pass


class PepperDriver(LinuxDriver):
    """Calls ``on_gone`` once, on the event loop, when the terminal has gone away."""

    on_gone: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._is_gone = False

    def start_application_mode(self) -> None:
        before = linux_driver.WriterThread
        linux_driver.WriterThread = self._writer  # Textual creates it inside, by this name
        try:
            super().start_application_mode()  # type: ignore[no-untyped-call]
        finally:
            linux_driver.WriterThread = before

    def _writer(self, file: Any) -> Writer:
        writer = Writer(file)
        writer.gone = self._gone
        return writer

    def run_input_thread(self) -> None:
        """Read until told to stop, or until the terminal is gone."""
        parser = linux_driver.XTermParser(self._debug)  # the parser that knows pastes
        decode = getincrementaldecoder("utf-8")("replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(_LOOK):
                    try:
                        source = os.read(self.fileno, _BYTES)
                    except OSError:
                        source = b""
                    if not source:
                        self._gone()
                        return
                    if typed := decode(source):
                        read_at = get_time()
                        for event in parser.feed(typed):
                            event.time = read_at  # keys of one read came together, however late this thread is
                            self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)

    def _gone(self) -> None:
        if self._is_gone:
            return
        self._is_gone = True
        with contextlib.suppress(RuntimeError):  # the loop is closed, so the program is ending anyway
            self._loop.call_soon_threadsafe(self.on_gone)
