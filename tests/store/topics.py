"""An embedder for tests: words of one topic are alike, all others are not; quick, and the same on every machine."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from pepper_tui.store import EmbeddingError

TOPICS = {
    word: topic
    for topic, words in {
        "dog": "puppy hound terrier",
        "flight": "plane airplane airline",
        "money": "euros invoice salary",
    }.items()
    for word in words.split()
}


class TopicEmbedder:
    """Bags of topics. ``refuses``: a text that holds this word can't be embedded; ``down``: nothing can;
    ``opens``: it can be loaded by now."""

    def __init__(self, dimensions: int = 64, name: str = "topics", batch: int = 8) -> None:
        self.id, self.floor, self.batch, self.local = f"{name} {dimensions}", 0.3, batch, True
        self.dimensions = dimensions
        self.loaded = False
        self.refuses, self.down = "", ""
        self.asked: list[str] = []
        self.opens = asyncio.Event()
        self.opens.set()

    async def meanwhile(self) -> None:
        """What happens while texts are embedded."""

    async def open(self) -> None:
        await self.opens.wait()
        self.loaded = True

    async def release(self) -> None:
        self.loaded = False

    async def close(self) -> None:
        self.loaded = False

    async def embed(self, texts: Sequence[str], *, waits: bool) -> Any:
        assert len(texts) <= self.batch
        await self.open()
        await self.meanwhile()
        if self.down:
            raise EmbeddingError(self.down, "start it")
        if self.refuses and any(self.refuses in text for text in texts):
            raise EmbeddingError("refused", of_text=True)
        self.asked += texts
        return np.array([self.vector(text) for text in texts], np.float32)

    def vector(self, text: str) -> Any:
        vector = np.zeros(self.dimensions, np.float32)
        for word in text.lower().split():
            seed = zlib.crc32(TOPICS.get(word, word).encode())
            vector += np.random.default_rng(seed).standard_normal(self.dimensions).astype(np.float32)
        length = float(np.linalg.norm(vector))
        return vector / length if length else vector
