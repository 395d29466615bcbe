"""A store that is written to while something is made of it."""

from __future__ import annotations

from pepper_tui.store import ContextStore


async def write_pairs(store: ContextStore, count: int = 400) -> None:
    """The same number on both sides, each pair in one unit: whoever sees one side alone has seen no moment."""
    for number in range(count):
        async with store.unit():
            await store.store({"n": number}, namespace="left", context_id="x")
            await store.store({"n": number}, namespace="right", context_id="x")
