"""The limits of prompts: the config's, and tighter ones if the model accepts less."""

from __future__ import annotations

from pepper_tui import config


class Limits:
    """Limits of prompts. ``now`` are those in force."""

    def __init__(self, own: config.Scheduler) -> None:
        self._own = own
        self.now = own

    def keep_to(self, room: int | None, least: int) -> None:
        """Limit prompts to ``room`` characters, if known; but never below ``least``, which leaves nothing to answer."""
        own = self._own
        limit = own.prompt_limit if room is None else max(least, min(own.prompt_limit, room))
        if limit != self.now.prompt_limit:
            self.now = own.model_copy(
                update={
                    "prompt_limit": limit,
                    "history_limit": min(own.history_limit, limit // 2),
                    "entry_limit": min(own.entry_limit, limit // 4),
                }
            )
