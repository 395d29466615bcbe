"""The store's protocol for turning text into vectors; the embedders of ``llm`` implement it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from pepper_tui.text.errors import Foreseen, PepperError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]


class EmbeddingError(PepperError, Foreseen):
    """Embedding failed. ``words`` say why, ``remedy`` what to do.

    ``of_text``: perhaps only one of the texts is at fault, and the others could be embedded. ``retry_after``: seconds
    after which it may work.
    """

    def __init__(
        self, words: str, remedy: str = "", *, of_text: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(words, remedy)
        self.of_text, self.retry_after = of_text, retry_after


class Embedder(Protocol):
    """A model that maps texts of similar meaning to similar vectors."""

    @property
    def id(self) -> str:
        """The model, and everything else its vectors depend on: vectors of different ids are never compared."""
        ...

    @property
    def floor(self) -> float:
        """The cosine below which a text is unrelated to a query."""
        ...

    @property
    def batch(self) -> int:
        """How many texts one call accepts."""
        ...

    @property
    def loaded(self) -> bool:
        """Whether a call needs no loading first."""
        ...

    @property
    def local(self) -> bool:
        """Whether it computes on this machine, in milliseconds: then a search lets it embed what is missing."""
        ...

    async def open(self) -> None:
        """Load what it needs, beside the loop. Raises ``EmbeddingError``."""
        ...

    async def embed(self, texts: Sequence[str], *, waits: bool) -> Vectors:
        """Return one unit vector per text; a zero vector for an empty one.

        ``waits``: somebody is waiting for the result. Raises ``EmbeddingError``.
        """
        ...

    async def release(self) -> None:
        """Free the memory; the next call loads again."""
        ...

    async def close(self) -> None:
        """Shut down."""
        ...
