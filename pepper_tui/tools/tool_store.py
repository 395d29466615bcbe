"""The store as a tool sees it: all may be read, but no tool writes what decides, what the user said, or whom to trust.

So a tool that is talked into it can neither forge an approval or a call, nor put words into the user's mouth, nor make
a stranger's address one that the user has written to. It guards against a deputy that is confused, not against code of
the user's own that means harm: that runs with the user's rights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pepper_tui.model import AFTER_A_YES, RESERVED, Context, Json, Record
from pepper_tui.tools.errors import ToolError

if TYPE_CHECKING:
    from pepper_tui.store import Store


class ToolStore:
    """All reads; writes but to reserved namespaces. ``approved``: it carries out an effect that has its approval, and
    may write ``writes``, too."""

    def __init__(self, store: Store, *, approved: bool, writes: frozenset[str] = frozenset()) -> None:
        self._store = store
        self._refused = RESERVED - writes if approved else RESERVED | AFTER_A_YES
        self.get, self.query, self.count = store.get, store.query, store.count
        self.search, self.watch = store.search, store.watch

    async def store(self, data: Json, *, namespace: str, **more: Any) -> Context:
        """``Store.store``. Raises ``ToolError`` for a namespace that no tool writes."""
        self._check(namespace)
        return await self._store.store(data, namespace=namespace, **more)

    async def put(self, record: Record, *, namespace: str, **more: Any) -> Context:
        """``Store.put``. Raises ``ToolError`` for a namespace that no tool writes."""
        self._check(namespace)
        return await self._store.put(record, namespace=namespace, **more)

    def _check(self, namespace: str) -> None:
        if namespace in self._refused:
            raise ToolError(f"a tool may not write {namespace}")
