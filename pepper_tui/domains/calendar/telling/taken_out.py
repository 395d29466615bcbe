"""Calendar files that the config no longer names: what they held is not cancelled, it is only read no more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pepper_tui.store import Store

_ID: Final = "paths"


class TakenOut:
    """Compares ``paths`` with those of the last look that went through, kept in ``namespace``."""

    def __init__(self, paths: Sequence[Path], namespace: str) -> None:
        self._paths, self._namespace = sorted(map(str, paths)), namespace
        self._before: list[str] | None = None  # unknown yet

    async def any(self, store: Store) -> bool:
        """Check whether a path is gone from the config."""
        if self._before is None:
            found = await store.get(_ID, namespace=self._namespace)
            self._before = list(found.data["paths"]) if found is not None else []
        return not {*self._before} <= {*self._paths}

    async def looked(self, store: Store) -> None:
        """Note that a look has gone through."""
        if self._before != self._paths:
            await store.store({"paths": self._paths}, namespace=self._namespace, context_id=_ID)
            self._before = self._paths
