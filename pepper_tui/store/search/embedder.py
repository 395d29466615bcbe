"""What turns text into vectors, as the store knows it: a protocol, met by the embedders of ``llm``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from pepper_tui.text.errors import Foreseen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]


class EmbeddingError(Exception, Foreseen):
    """No vectors came. ``words`` say why, ``remedy`` the way out.

    ``of_text``: perhaps one of the texts is at fault, and the others could be embedded. ``retry_after``: seconds after
    which it may work.
    """

    def __init__(
        self, words: str, remedy: str = "", *, of_text: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(words)
        self.words, self.remedy, self.of_text, self.retry_after = words, remedy, of_text, retry_after


class Embedder(Protocol):
    """A model that gives texts of like meaning like vectors."""

    @property
    def id(self) -> str:
        """The model, and all else that its vectors depend on: vectors of different ids are never compared."""
        ...

    @property
    def floor(self) -> float:
        """The cosine below which a text has nothing to do with a query."""
        ...

    @property
    def batch(self) -> int:
        """Texts that one call takes at most."""
        ...

    @property
    def loaded(self) -> bool:
        """Whether a call costs no loading first."""
        ...

    @property
    def local(self) -> bool:
        """Whether it computes on this machine, in milliseconds: then a search lets it make up what is missing."""
        ...

    async def open(self) -> None:
        """Load what it needs, beside the loop. Raises ``EmbeddingError``."""
        ...

    async def embed(self, texts: Sequence[str], *, waits: bool) -> Vectors:
        """One vector of length 1 (or 0, for a text that says nothing) a text. ``waits``: somebody waits for it.

        Raises ``EmbeddingError``.
        """
        ...

    async def release(self) -> None:
        """Let go of the memory; the next call loads again."""
        ...

    async def close(self) -> None:
        """End."""
        ...
