"""The dependencies of every run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from pepper_tui.clock import Clock
from pepper_tui.config import User
from pepper_tui.model import ModelEvent, ModelRequest, ToolSpec
from pepper_tui.store import Store

Stream = Callable[[ModelRequest], AsyncIterator[ModelEvent]]
Specs = Callable[[Sequence[str] | None], list[ToolSpec]]
CancelCall = Callable[[str, str], Awaitable[object]]
Progress = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Parts:
    """Dependencies of runs. ``slots`` limits how many work at the same time."""

    store: Store
    clock: Clock
    stream: Stream
    specs: Specs
    cancel_call: CancelCall
    slots: asyncio.Semaphore
    zone: tzinfo
    user: User
