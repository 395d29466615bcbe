"""The embedder of this machine: the mean of the vectors of a text's tokens, by weights from the package wordllama.

Nothing is downloaded: the package's own loader would look elsewhere, and then ask the network, so its two files are
read here. It takes about 60 MB while it is loaded, and knows words, not grammar: "dog bites man" is "man bites dog".
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pepper_tui.store import EmbeddingError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PACKAGES: Final = ("numpy", "safetensors", "tokenizers", "wordllama")
GET_THEM: Final = "pip install 'pepper-tui[meaning]'"
_WEIGHTS: Final = "weights/l2_supercat_256.safetensors"
_TOKENIZER: Final = "tokenizers/l2_supercat_tokenizer_config.json"

T = TypeVar("T")
InThread = Callable[[Callable[[], T]], Awaitable[T]]


def missing_packages(names: Sequence[str] = PACKAGES) -> list[str]:
    """Those of ``names`` that are not installed; imports none of them."""
    return [name for name in names if importlib.util.find_spec(name) is None]


class OfflineEmbedder:
    """256 numbers a text, some thousand texts a second."""

    id = "wordllama l2_supercat 256"
    floor = 0.12
    batch = 32
    local = True

    def __init__(self, in_thread: Callable[[Callable[[], Any]], Awaitable[Any]] = asyncio.to_thread) -> None:
        """``in_thread`` runs a function beside the loop."""
        self._in_thread = in_thread
        self._parts: tuple[Any, NDArray[np.float16]] | None = None
        self._opening = asyncio.Lock()

    @property
    def loaded(self) -> bool:
        return self._parts is not None

    async def open(self) -> None:
        async with self._opening:
            if self._parts is None:
                self._parts = await self._in_thread(self._load)

    async def release(self) -> None:
        self._parts = None

    async def close(self) -> None:
        self._parts = None

    async def embed(self, texts: Sequence[str], *, waits: bool) -> NDArray[np.float32]:
        await self.open()
        parts = self._parts
        assert parts is not None
        vectors: NDArray[np.float32] = await self._in_thread(lambda: _embedded(texts, *parts))
        return vectors

    @staticmethod
    def _load() -> tuple[Any, NDArray[np.float16]]:
        missing = missing_packages()
        if missing:
            raise EmbeddingError(f"not installed: {', '.join(missing)}", GET_THEM)
        from safetensors import safe_open
        from tokenizers import Tokenizer

        spec = importlib.util.find_spec("wordllama")
        root = Path(next(iter((spec.submodule_search_locations if spec else None) or [""])))
        try:
            tokenizer = Tokenizer.from_file(str(root / _TOKENIZER))
            with safe_open(str(root / _WEIGHTS), framework="numpy") as file:
                weights = file.get_tensor("embedding.weight")
        except Exception as error:  # each library has errors of its own for a file that is not there or not whole
            raise EmbeddingError(f"the weights in the package wordllama can't be read: {error}", GET_THEM) from error
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer, weights


def _embedded(texts: Sequence[str], tokenizer: Any, weights: NDArray[np.float16]) -> NDArray[np.float32]:
    import numpy as np

    vectors = np.zeros((len(texts), weights.shape[1]), np.float32)
    try:
        for vector, text in zip(vectors, texts, strict=True):
            tokens = tokenizer.encode(text, add_special_tokens=False).ids
            if tokens:
                vector[:] = weights[tokens].astype(np.float32).mean(axis=0)
    except Exception as error:
        raise EmbeddingError(f"a text can't be taken apart: {error}", of_text=True) from error
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors /= np.where(lengths > 0, lengths, np.float32(1.0))
    return vectors
