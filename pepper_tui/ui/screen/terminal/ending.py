"""The end of the screen: in order with its terminal, and with a signal."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import ExitStack

from pepper_tui.ui.screen.terminal.driver import PepperDriver
from pepper_tui.ui.shared.endings import Endings


class Ending:
    """``leave`` is told the exit code."""

    def __init__(self, leave: Callable[[int], None]) -> None:
        self._leave = leave
        self._watching = ExitStack()

    def watch(self, driver: PepperDriver) -> None:
        """Leave once the terminal has gone, or a signal has come."""
        driver.on_gone = lambda: self._leave(128 + signal.SIGHUP)
        endings = Endings(lambda: self._leave(128 + endings.number), driver.stop_application_mode)
        self._watching.enter_context(endings.watched())

    def close(self) -> None:
        """Watch no more."""
        self._watching.close()
