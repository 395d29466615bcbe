"""The store as a tool sees it: it can read everything, but not write decisions, the user's words, or who is trusted.

So a tool that is talked into it can neither forge an approval or a call, nor put words into the user's mouth, nor make
a stranger's address one that the user has written to. This guards against a confused deputy, not against malicious code
of the user's own, which runs with the user's rights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pepper_tui.model import AFTER_A_YES, RESERVED, Context, Json, Record
from pepper_tui.tools.errors import ToolError

if TYPE_CHECKING:
    from pepper_tui.store import Store


class ToolStore:
    """All reads; writes except to reserved namespaces.

    ``approved``: it carries out an approved effect, and may also write ``writes``.
    """

    def __init__(self, store: Store, *, approved: bool, writes: frozenset[str] = frozenset()) -> None:
        self._store = store
        self._refused = RESERVED - writes if approved else RESERVED | AFTER_A_YES
        self.get, self.query, self.count = store.get, store.query, store.count
        self.search, self.watch = store.search, store.watch

    async def store(self, data: Json, *, namespace: str, **more: Any) -> Context:
        """Store data as ``Store.store``. Raises ``ToolError`` for a namespace that no tool may write."""
        self._check(namespace)
        return await self._store.store(data, namespace=namespace, **more)

    async def put(self, record: Record, *, namespace: str, **more: Any) -> Context:
        """Store a record as ``Store.put``. Raises ``ToolError`` for a namespace that no tool may write."""
        self._check(namespace)
        return await self._store.put(record, namespace=namespace, **more)

    def _check(self, namespace: str) -> None:
        if namespace in self._refused:
            raise ToolError(f"a tool may not write {namespace}")
