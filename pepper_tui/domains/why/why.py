"""Why: the chain behind anything on the screen, in words, and what was held back.

From a message, notification, approval, call, run or signal the walk goes back over ``namespace:id`` references:
signal → raw, step → its inputs, calls → results, approvals, runs, and the cost. It reads only what is stored.
"""

from __future__ import annotations

from datetime import tzinfo

from pepper_tui.clock import Clock
from pepper_tui.domains.why.silence import LISTED, silence
from pepper_tui.domains.why.tellers import TELLERS
from pepper_tui.domains.why.walk import Walk, at, find
from pepper_tui.model import ContextFilter, Namespace
from pepper_tui.store import Store
from pepper_tui.text import one_line
from pepper_tui.text.errors import PepperError


class NothingKnownError(PepperError, ValueError):
    """Nothing with that name is stored."""


class Why:
    """Reads the chain behind a thing. ``zone`` is for the times it names."""

    def __init__(self, store: Store, clock: Clock, zone: tzinfo) -> None:
        self._store, self._clock, self._zone = store, clock, zone

    async def explain(self, ref: str) -> list[str]:
        """Return lines on ``ref`` (``notification:<id>``, ``call:<id>``, ``signals.mail:<id>`` …), or on ``silence``.

        ``event:<uid>``, ``todo:<uid>``: what was told of an event or to-do.

        Raises ``NothingKnownError``.
        """
        if ref == "silence":
            return await silence(self._store, self._clock.now(), lambda seconds: at(seconds, self._zone))
        if ref.startswith("rule:"):
            return await self._rule(ref.removeprefix("rule:"))
        if ref.startswith(("event:", "todo:")):
            return await self._told_of(*ref.split(":", 1))
        context = await find(self._store, ref)
        if context is None:
            raise NothingKnownError(f"nothing is known of {one_line(ref, 60)}")
        walk = self._walk()
        await walk.tell(context, 0)
        return walk.lines

    async def _rule(self, rule_id: str) -> list[str]:
        """Return the rule's last acts, each with what led to it."""
        wanted = ContextFilter(namespaces=[Namespace.RULE_ACT], tags=[f"rule:{rule_id}"], limit=LISTED)
        lines: list[str] = []
        for context in await self._store.query(wanted):
            walk = self._walk()
            await walk.tell(context, 0)
            lines += walk.lines
        return lines or [f"the rule {one_line(rule_id, 60)!r} has done nothing yet"]

    async def _told_of(self, kind: str, uid: str) -> list[str]:
        """Return what was told of the event or to-do with this UID, the newest first."""
        tag = f"uid:{uid}" if kind == "event" else f"todo:{uid}"
        found = await self._store.query(
            ContextFilter(namespaces=[f"{Namespace.RAW}.calendar"], tags=[tag], limit=LISTED)
        )
        names = [
            f"signal_{raw.context_id}_{version}"
            for raw in found
            for version in range(raw.version, max(0, raw.version - LISTED), -1)
        ]
        names += [f"signal_{raw.context_id}" for raw in found if kind == "todo"]
        told = ContextFilter(namespaces=[f"{Namespace.SIGNALS}.calendar"], context_ids=names, limit=LISTED)
        lines: list[str] = []
        for context in await self._store.query(told) if names else ():
            walk = self._walk()
            await walk.tell(context, 0)
            lines += walk.lines
        return lines or [f"nothing was told of this {'event' if kind == 'event' else 'to-do'}"]

    def _walk(self) -> Walk:
        return Walk(self._store, self._zone, TELLERS)
