"""The demo's surroundings, the writer and the SMTP sink, running in their own thread.

They share only the folders and the loopback port with the engine, as real mail would.
"""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from pepper_tui.clock import Clock, SystemClock
from pepper_tui.demo.config import CALENDAR, MAILDIR, OUTBOX, write_config
from pepper_tui.demo.sink import Sink
from pepper_tui.demo.writer import Writer


class DemoWorld:
    """Creates the sample world in ``home`` and runs it between ``start`` and ``stop`` (or in a ``with``).

    ``start`` returns once the mailbox, the calendar, the config and the sink are ready; it raises what went wrong
    (``ForeignHomeError``, ``MissingPackageError``, ``OSError``). New mail starts only with ``begin``, so that an engine
    has time to read what was there before.
    """

    def __init__(self, home: Path, clock: Clock | None = None) -> None:
        self._home = home
        self._clock = clock or SystemClock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._beginning: asyncio.Event | None = None
        self._ready = threading.Event()
        self._trouble: BaseException | None = None

    def start(self) -> None:
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), name="demo world", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._trouble:
            self._thread.join()
            raise self._trouble

    def begin(self) -> None:
        """Let new mail arrive from now on."""
        if self._loop and self._beginning:
            self._loop.call_soon_threadsafe(self._beginning.set)

    def stop(self) -> None:
        if self._loop and self._stopping and self._thread and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(timeout=5)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping, self._beginning = asyncio.Event(), asyncio.Event()
        sink = Sink(self._home / OUTBOX)
        writer = Writer(self._home / MAILDIR, self._home / CALENDAR, self._clock)
        try:
            port = await sink.start()
            write_config(self._home, port)
            writer.prepare()
        except BaseException as error:
            self._trouble = error
            await sink.stop()
            return
        finally:
            self._ready.set()
        filling = asyncio.create_task(self._fill(writer, self._beginning))
        try:
            await self._stopping.wait()
        finally:
            filling.cancel()
            await asyncio.gather(filling, return_exceptions=True)
            await sink.stop()

    async def _fill(self, writer: Writer, beginning: asyncio.Event) -> None:
        await beginning.wait()
        await writer.run()
