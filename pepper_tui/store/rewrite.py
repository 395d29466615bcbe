"""Another state of a record in the context that holds it."""

from __future__ import annotations

from collections.abc import Iterable

from pepper_tui.model import Context, Json, Record
from pepper_tui.store.protocol import StoreWriter


async def rewrite(
    store: StoreWriter,
    context: Context,
    record: Record,
    *,
    tags: Iterable[str],
    metadata: Json | None = None,
    text: str | None = None,
) -> Context:
    """Store ``record`` as the next version of ``context``, whose type, text and metadata stay unless given.

    Raises ``VersionConflictError`` if ``context`` is no longer the current version.
    """
    return await store.put(
        record,
        namespace=context.namespace,
        context_id=context.context_id,
        type=context.type,
        text=context.text if text is None else text,
        tags=tags,
        metadata=context.metadata if metadata is None else metadata,
        expect_version=context.version,
    )
