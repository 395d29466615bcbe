"""The walk back from a thing to what led to it, over ``namespace:id`` references. Each thing is told once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, tzinfo
from typing import Final

from pepper_tui.model import Context, ContextFilter, Namespace
from pepper_tui.store import Store
from pepper_tui.text import one_line

_DEPTH: Final = 8
_ALIASES: Final = {
    "message": Namespace.ASSISTANT_MESSAGE,
    "user": Namespace.USER_MESSAGE,
    "call": Namespace.TOOL_CALL,
    "result": Namespace.TOOL_RESULT,
    "run": Namespace.RUN,
    "log": Namespace.ASSISTANT_LOG,
    "act": Namespace.RULE_ACT,
    "follow_up": Namespace.FOLLOW_UP,
}


def at(seconds: float, zone: tzinfo) -> str:
    """Return a time in the few words that fit in a line."""
    return f"{datetime.fromtimestamp(seconds, zone):%a %d %b %H:%M}"


async def find(store: Store, ref: str) -> Context | None:
    """Return what ``ref`` names, by its namespace or the short word for it."""
    namespace, _, context_id = ref.partition(":")
    if not context_id:
        return None
    namespace = _ALIASES.get(namespace, namespace)
    if namespace in ("signal", Namespace.SIGNALS):
        found = await store.query(
            ContextFilter(namespaces=["signals.*"], context_ids=[context_id], limit=1, include_expired=True)
        )
        return found[0] if found else None
    return await store.get(context_id, namespace=namespace)


class Walk:
    """One walk, and the ``lines`` that it has produced.

    ``tellers``: how a thing of each namespace is told; ``signals.*`` without a teller of its own uses that of
    ``signals``.
    """

    def __init__(self, store: Store, zone: tzinfo, tellers: Mapping[str, Teller]) -> None:
        self.store, self.zone, self._tellers = store, zone, tellers
        self.lines: list[str] = []
        self._told: set[str] = set()

    def say(self, depth: int, words: str) -> None:
        self.lines.append("  " * depth + words)

    def at(self, seconds: float) -> str:
        return at(seconds, self.zone)

    def has_told(self, name: str) -> bool:
        """Check whether the thing ``name`` (``namespace:id``) was told."""
        return name in self._told

    async def follow(self, ref: str, depth: int) -> None:
        """Tell what ``ref`` names."""
        context = await find(self.store, ref)
        if context is None:
            self.say(depth, f"from {one_line(ref, 100)} (no longer kept)")
            return
        await self.tell(context, depth)

    async def tell(self, context: Context, depth: int) -> None:
        """Tell a thing and what led to it, unless it is too far back, or was told already."""
        name = f"{context.namespace}:{context.context_id}"
        if name in self._told or depth > _DEPTH:
            return
        self._told.add(name)
        tell = self._tellers.get(context.namespace)
        if tell is None and context.namespace.startswith(Namespace.SIGNALS):
            tell = self._tellers[Namespace.SIGNALS]
        if tell is not None:
            await tell(self, context, depth)
        else:
            shown = one_line(context.text or ", ".join(f"{k}: {v}" for k, v in context.data.items()), 120)
            self.say(depth, f"{context.namespace} {self.at(context.created_at)}: {shown}")


Teller = Callable[[Walk, Context, int], Awaitable[None]]
"""Tells a thing on a walk, at that depth, and follows what led to it."""
