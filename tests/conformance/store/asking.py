"""Questions that many of these tests ask of a store."""

from __future__ import annotations

from pepper_tui.model import ContextFilter
from pepper_tui.store import Store
from tests.waiting import until


async def ids(store: Store, *namespaces: str, **fields: object) -> list[str]:
    """The ids of what a filter picks."""
    found = await store.query(ContextFilter(namespaces=namespaces, **fields))  # type: ignore[arg-type]
    return [context.context_id for context in found]


async def settled(store: Store, name: str, left: int, *, dead: int) -> None:
    """Wait until the subscription has so many deliveries to deal with, and has given up so many."""

    async def so_many() -> bool:
        letters = [letter for letter in await store.dead() if letter.subscription == name]
        return (await store.undelivered(name), len(letters)) == (left, dead)

    await until(so_many)
