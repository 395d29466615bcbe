"""The scheduler's dependencies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import tzinfo

from pepper_tui import config
from pepper_tui.clock import Clock
from pepper_tui.model import ReplyDelta, ToolSpec
from pepper_tui.scheduler.asking import Stream
from pepper_tui.scheduler.intake import RulesDone
from pepper_tui.store import Store, UnitOfWork


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """Dependencies of the scheduler.

    ``window``: how many characters the model's server accepts besides these tools, if known. ``by_rule``: the model is
    the offline one. ``unit`` opens the unit of work of a step's commit: others may commit something with it.
    """

    store: Store
    clock: Clock
    settings: config.Scheduler
    user: config.User
    zone: tzinfo
    stream: Stream
    specs: Callable[[], list[ToolSpec]]
    window: Callable[[Sequence[ToolSpec]], int | None] = lambda _: None
    by_rule: bool = False
    rules: RulesDone | None = None
    unit: Callable[[], AbstractAsyncContextManager[UnitOfWork]] | None = None
    on_reply: Callable[[ReplyDelta], None] = lambda _: None
    checkpoint: Callable[[str], None] = lambda _: None

    def begin(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open the unit of work of a step's commit."""
        return (self.unit or self.store.unit)()
