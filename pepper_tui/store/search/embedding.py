"""Keeps the embeddings in step with the log: a portion at a time, in the file and, once a search needs them, in memory.

It works only when told to; ``meaning.py`` decides when. A failing portion changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from pepper_tui.model import ContextFilter
from pepper_tui.store.log.content import safe
from pepper_tui.store.search import embeddings
from pepper_tui.store.search.embedder import Embedder, EmbeddingError
from pepper_tui.store.search.embeddings import Cursor, Portion
from pepper_tui.store.search.sign_bits import Signs
from pepper_tui.text import visible

if TYPE_CHECKING:
    import sqlite3

    from pepper_tui.store.log.store_file import StoreFile
    from pepper_tui.store.search.embedder import Vectors

log = logging.getLogger(__name__)
NEAREST: Final = 500  # vectors that are compared in full, plus one for each thousand
WIDER: Final = 8  # factor, if a filter leaves too few
ASKED: Final = 100  # contexts that are filtered at a time
CLOSE: Final = 0.6  # share of the best cosine below which a result is a false hit
_LOADED_AT_ONCE: Final = 8_192  # sign vectors
_PROBE: Final = "hello"


def plain(text: str) -> str:
    """Return ``text`` as the embedder gets it: without sequences or controls, white space as single spaces."""
    return " ".join(visible(safe(text[: embeddings.CHARACTERS])).split())


class Embedding:
    """The projection. ``most``: how many of the newest vectors are kept."""

    def __init__(self, file: StoreFile, embedder: Embedder, most: int) -> None:
        self._file, self._embedder, self._most = file, embedder, most
        self._model = f"{embedder.id}, {embeddings.SCOPE}"
        self._cursor: Cursor | None = None
        self._signs: Signs | None = None
        self._working = asyncio.Lock()  # one portion at a time
        self._writing = asyncio.Lock()  # keeps the table and the signs consistent

    @property
    def busy(self) -> bool:
        """Whether a portion is being processed."""
        return self._working.locked()

    @property
    def memory(self) -> int:
        """The bytes that the signs occupy."""
        return self._signs.bytes if self._signs else 0

    async def cursor(self) -> Cursor:
        """Return the cursor: what is embedded."""
        if self._cursor is None:
            self._cursor = await self._file.project(lambda c: embeddings.begin(c, self._model))
        return self._cursor

    async def waiting(self, enough: int) -> int:
        """Count the contexts that are not embedded yet, up to ``enough``."""
        cursor, file = await self.cursor(), self._file
        return await file.read(lambda c: embeddings.waiting(c, cursor, embeddings.meant(file.known(c)), enough), 1)

    async def portion(self) -> bool:
        """Embed the next portion of the log; False if there is none. Raises ``EmbeddingError``, ``StoreError``."""
        file = self._file
        async with self._working:
            cursor = await self.cursor()
            if cursor.stale:
                self._cursor = await file.project(lambda c: embeddings.clear_stale(c, cursor))
                return True
            if cursor.count > self._most:
                await self._trim()
                return True
            now, batch = file.clock.now(), self._embedder.batch
            portion = await file.read(
                lambda c: embeddings.take(c, cursor, embeddings.meant(file.known(c)), now, batch), 1
            )
            if portion is None:
                return False
            vectors, dimensions = await self._vectors(portion, cursor)
            async with self._writing:
                self._cursor, stored = await file.project(
                    lambda c: embeddings.take_in(c, cursor, portion, vectors, dimensions)
                )
                await self._note(portion, {seq: vectors[seq] for seq in stored})
            return True

    async def _vectors(self, portion: Portion, cursor: Cursor) -> tuple[dict[int, bytes], int]:
        """Return a portion's vectors by seq, without those of empty texts, and their dimensions."""
        texts = {seq: plain(text) for seq, text in zip(portion.seqs, portion.texts, strict=True)}
        texts = {seq: text for seq, text in texts.items() if text}
        if not texts:
            return {}, 0
        arrays = zip(texts, await self._embedded([*texts.values()]), strict=True)
        good = {seq: array for seq, array in arrays if array is not None}
        if not good:
            return {}, 0
        dimensions = {array.shape[-1] for array in good.values()}
        if len(dimensions) > 1 or (cursor.dimensions and dimensions != {cursor.dimensions}):
            raise self.other_dimensions(max(dimensions), cursor)
        found = {seq: embeddings.as_bytes(array[None, :])[0] for seq, array in good.items()}
        return {seq: vector for seq, vector in found.items() if vector}, dimensions.pop()

    def other_dimensions(self, dimensions: int, cursor: Cursor) -> EmbeddingError:
        """Return the error for vectors that can't be compared with the stored ones."""
        return EmbeddingError(
            f"{self._embedder.id} gives vectors of {dimensions} numbers, where {cursor.dimensions} are stored",
            f"if it is another model now, set models.embedding.dimensions = {dimensions}: everything is embedded again",
        )

    async def _embedded(self, texts: Sequence[str]) -> Sequence[Vectors | None]:
        """Return one vector per text, None for a refused text. Raises if the text is not at fault."""
        try:
            return [*await self._embedder.embed(texts, waits=False)]
        except EmbeddingError as error:
            if not error.of_text:
                raise
        found: list[Vectors | None] = []
        for text in texts:
            try:
                found += [*await self._embedder.embed([text], waits=False)]
            except EmbeddingError as error:
                if not error.of_text:
                    raise
                found.append(None)
        refused = sum(vector is None for vector in found)
        if refused == len(found):
            await self._embedder.embed([_PROBE], waits=False)  # raises if nothing at all can be embedded
        if refused:
            log.warning("%d texts could not be embedded, and are found by their words only", refused)
        return found

    async def _trim(self) -> None:
        """Drop the oldest vectors beyond the cap, plus one percent, so that it happens rarely."""
        known = await self.cursor()
        cursor = self._cursor = await self._file.read(lambda c: embeddings.counted(c, known), 1)
        if cursor.count <= self._most:
            return
        left = self._most - self._most // 100
        async with self._writing:
            while cursor.count > left:
                cursor, gone = await self._file.project(partial(embeddings.trim, cursor=cursor, most=left))
                self._cursor = cursor
                await self._in_signs(partial(Signs.remove, seqs=gone))

    # -------------------------------------------------------------------------------------------------- the signs

    async def _in_signs(self, change: Callable[[Signs], None]) -> None:
        signs = self._signs
        if signs is not None:
            await self._file.read(lambda _: change(signs), 1)  # on the one thread that searches them

    async def _note(self, portion: Portion, vectors: dict[int, bytes]) -> None:
        spaces = dict(zip(portion.seqs, portion.spaces, strict=True))

        def note(signs: Signs) -> None:
            signs.remove([*portion.replaced, *vectors])
            if vectors:
                signs.put([*vectors], [spaces[seq] for seq in vectors], embeddings.matrix([*vectors.values()]))

        await self._in_signs(note)

    async def load_signs(self) -> None:
        """Read the signs of all vectors, newest first, in slices, so that other searches get their turn."""
        async with self._writing:
            cursor = await self.cursor()
            if self._signs is not None or not cursor.dimensions:
                return
            signs, below = Signs(cursor.dimensions), embeddings.END

            def load(connection: sqlite3.Connection) -> int:
                rows = embeddings.rows(connection, cursor, below, _LOADED_AT_ONCE)
                if rows:
                    seqs, spaces, vectors = zip(*rows, strict=True)
                    signs.put(seqs, spaces, embeddings.matrix(vectors))
                return rows[-1][0] if len(rows) == _LOADED_AT_ONCE else 0

            while below and signs.count < self._most:
                below = await self._file.read(load, 1)
            self._signs = signs

    async def release(self) -> None:
        """Free the signs and the embedder's memory."""
        async with self._working, self._writing:
            self._signs = None
            await self._embedder.release()

    async def nearest(self, query: Vectors, wanted: ContextFilter, limit: int) -> list[int]:
        """Return the seqs of current contexts that match the filter, nearest first; none until signs are loaded."""
        file, signs, floor, now = self._file, self._signs, self._embedder.floor, self._file.clock.now()
        if signs is None:
            return []

        def find(connection: sqlite3.Connection) -> list[int]:
            spaces = embeddings.spaces_of(wanted, file.known(connection))
            kept: list[tuple[int, float]] = []
            enough = NEAREST + signs.count // 1000
            for most in (enough, enough * WIDER):
                near = embeddings.ranked(connection, signs.nearest(query, spaces, most), query, floor)
                kept = []
                for start in range(0, len(near), ASKED):  # filter only the best, as long as enough of them pass
                    part = near[start : start + ASKED]
                    picked = embeddings.picked(connection, [seq for seq, _ in part], wanted, now)
                    kept += [(seq, cosine) for seq, cosine in part if seq in picked]
                    if len(kept) >= limit:
                        break
                if len(kept) >= limit or len(near) < most:  # enough found, or the others are too far
                    break
            return [seq for seq, cosine in kept[:limit] if cosine >= CLOSE * kept[0][1]]

        return await file.read(find, 1)
