"""The stores that there are, by name, and how each is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Protocol

from pepper_tui.clock import Clock
from pepper_tui.store import ContextStore, MemoryStore, Store

KINDS: Final = ("file", "memory")


class OpenStore(Store, Protocol):
    """A store that whoever opened it can end."""

    async def close(self) -> None: ...


async def open_store(kind: str, folder: Path, clock: Clock) -> OpenStore:
    """An empty store of that kind; what it keeps in files is in ``folder``."""
    if kind == "file":
        return await ContextStore.open(folder / "pepper.db", clock, cache_ttl=60.0)
    return MemoryStore(clock)
