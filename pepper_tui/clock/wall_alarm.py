"""A wait for a wall time that a suspend does not prolong.

Sleeps of the event loop stop while the machine is suspended. On Linux the kernel has an alarm on the wall clock itself
(``timerfd``): it fires at the wall time, on waking from a suspend that passed it, and when the clock is set. It needs
no wake-ups in between.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import functools
import os
import sys
from typing import Any, Final

_REALTIME: Final = 0
_FLAGS: Final = os.O_NONBLOCK | os.O_CLOEXEC
_ABSOLUTE: Final = 1  # TFD_TIMER_ABSTIME
_CANCEL_ON_SET: Final = 2  # TFD_TIMER_CANCEL_ON_SET
_FARTHEST: Final = 2_000_000_000  # seconds since 1970 that fit a C long everywhere


class _Time(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Setting(ctypes.Structure):
    _fields_ = (("interval", _Time), ("value", _Time))


@functools.cache
def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _alarm(at: float) -> int:
    """Return the descriptor of an alarm at ``at``. Raises ``OSError`` if the system has none."""
    if sys.platform != "linux":
        raise OSError("this system has no alarm on the wall clock")
    descriptor: int = _libc().timerfd_create(_REALTIME, _FLAGS)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "no alarm")
    at = min(at, _FARTHEST)
    setting = _Setting(_Time(0, 0), _Time(int(at), max(1, int(at % 1 * 1e9))))
    if _libc().timerfd_settime(descriptor, _ABSOLUTE | _CANCEL_ON_SET, ctypes.byref(setting), None) != 0:
        os.close(descriptor)
        raise OSError(ctypes.get_errno(), "no alarm")
    return descriptor


async def alarm(at: float) -> None:
    """Return when the wall clock reaches ``at`` or is set. Raises ``OSError`` if this system has no such alarm."""
    loop = asyncio.get_running_loop()
    descriptor = _alarm(at)
    rung: asyncio.Future[None] = loop.create_future()

    def ring() -> None:
        loop.remove_reader(descriptor)
        if not rung.done():
            rung.set_result(None)

    try:
        try:
            loop.add_reader(descriptor, ring)
        except NotImplementedError as error:
            raise OSError("this event loop watches no descriptors") from error
        await rung
    finally:
        with contextlib.suppress(NotImplementedError):
            loop.remove_reader(descriptor)
        os.close(descriptor)
