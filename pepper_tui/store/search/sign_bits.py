"""The signs of the vectors, in memory: they select the few of a million that deserve a closer look.

A vector is stored as one bit per dimension, with its place in the log and its namespace: ``dimensions / 8 + 12`` bytes,
44 for 256 dimensions. The nearest by differing bits are then compared by their full vectors, from the file. Each object
is used on one thread only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHUNK: Final = 65_536  # vectors that are allocated at a time
_FAR: Final = 65_535  # a distance that no vector has: for removed and excluded ones


class Signs:
    """A collection of signs. ``seq`` 0 marks a free slot."""

    def __init__(self, dimensions: int) -> None:
        self.count = 0
        self._words = -(-dimensions // 64)
        self._chunks: list[tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int32]]] = []
        self._free: list[int] = []
        self._end = 0

    @property
    def bytes(self) -> int:
        """The memory used, in bytes."""
        return sum(array.nbytes for chunk in self._chunks for array in chunk)

    def put(self, seqs: Sequence[int], spaces: Sequence[int], vectors: NDArray[Any]) -> None:
        """Add vectors; none of the seqs may be present yet."""
        import numpy as np

        packed = self._pack(vectors)
        reused = [self._free.pop() for _ in range(min(len(seqs), len(self._free)))]
        first, self._end = self._end, self._end + len(seqs) - len(reused)
        while len(self._chunks) * CHUNK < self._end:
            self._chunks.append(
                (np.zeros((self._words, CHUNK), np.uint64), np.zeros(CHUNK, np.int64), np.zeros(CHUNK, np.int32))
            )
        places = np.concatenate([np.asarray(reused, np.int64), np.arange(first, self._end, dtype=np.int64)])
        which, within = places // CHUNK, places % CHUNK
        for number in np.unique(which):
            here = which == number
            bits, held, rooms = self._chunks[number]
            bits[:, within[here]] = packed[:, here]
            held[within[here]] = np.asarray(seqs, np.int64)[here]
            rooms[within[here]] = np.asarray(spaces, np.int32)[here]
        self.count += len(seqs)

    def remove(self, seqs: Sequence[int]) -> None:
        """Remove those of ``seqs`` that are present."""
        import numpy as np

        if not seqs:
            return
        gone = np.asarray(seqs, dtype=np.int64)
        for number, (_, places, _) in enumerate(self._chunks):
            hit = np.nonzero(np.isin(places, gone))[0]
            places[hit] = 0
            self._free += [number * CHUNK + int(index) for index in hit]
            self.count -= len(hit)

    def nearest(self, query: NDArray[Any], spaces: Sequence[int] | None, most: int) -> list[int]:
        """Return the seqs of the ``most`` nearest by signs, in no order. ``spaces``: namespace ids, None for all."""
        import numpy as np

        wanted = self._pack(query[None, :])[:, 0]
        count = np.zeros(len(wanted) * 64 + 1, np.int64)  # how many are at each distance
        distances: list[NDArray[np.uint16]] = []
        for number, (bits, places, rooms) in enumerate(self._chunks):
            used = min(CHUNK, self._end - number * CHUNK)
            distance = np.zeros(used, np.uint16)
            for word, of_query in zip(bits, wanted, strict=True):
                distance += np.bitwise_count(word[:used] ^ of_query)
            out = places[:used] == 0
            if spaces is not None:
                asked = np.zeros(int(rooms.max()) + 1, bool)
                asked[[space for space in spaces if space < len(asked)]] = True
                out |= ~asked[rooms[:used]]
            distance[out] = _FAR
            count += np.bincount(distance[~out], minlength=len(count))
            distances.append(distance)
        # the distance within which there are enough; at the limit itself, the oldest may be too many
        limit = int(np.searchsorted(np.cumsum(count), most))
        found: list[tuple[int, int]] = []
        for distance, (_, places, _) in zip(distances, self._chunks, strict=True):
            near = np.nonzero(distance <= min(limit, _FAR - 1))[0]
            found += zip(distance[near].tolist(), (-places[near]).tolist(), strict=True)
        if len(found) > most:
            found.sort()
        return [-seq for _, seq in found[:most]]

    def _pack(self, vectors: NDArray[Any]) -> NDArray[np.uint64]:
        """Return the signs of vectors (rows), 64 per word: a row for each word, a column for each vector."""
        import numpy as np

        packed = np.packbits(vectors > 0, axis=1)
        padded = np.zeros((len(vectors), self._words * 8), np.uint8)
        padded[:, : packed.shape[1]] = packed
        return np.ascontiguousarray(padded.view(np.uint64).T)
