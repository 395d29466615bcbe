"""The embedder of this machine: the mean of a text's token vectors, with weights from the package wordllama.

Nothing is downloaded. It runs in a separate process (see ``process.py``) that exists only while it is needed. It knows
words, not grammar: "dog bites man" equals "man bites dog".
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pepper_tui.store import EmbeddingError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PACKAGES: Final = ("numpy", "safetensors", "tokenizers", "wordllama")
GET_THEM: Final = "pip install 'pepper-tui[meaning]'"
DIMENSIONS: Final = 256
PATIENCE: Final = 60.0  # seconds per batch; after that, one of its texts is assumed to be too much
_GOODBYE: Final = 2.0  # seconds for the process to exit by itself
_PROGRAM: Final = Path(__file__).with_name("process.py")


def missing_packages(names: Sequence[str] = PACKAGES) -> list[str]:
    """Return those of ``names`` that are not installed, without importing any."""
    return [name for name in names if importlib.util.find_spec(name) is None]


class OfflineEmbedder:
    """Computes 256 numbers per text, some thousand texts per second."""

    id = f"wordllama l2_supercat {DIMENSIONS}"
    floor = 0.12
    batch = 32
    local = True

    def __init__(self, program: Path = _PROGRAM, patience: float = PATIENCE) -> None:
        self._program, self._patience = program, patience
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()  # one request, then its answer

    @property
    def loaded(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def process(self) -> int | None:
        """The id of its process, if it runs."""
        return self._process.pid if self._process is not None and self.loaded else None

    async def open(self) -> None:
        if not self.loaded:
            await self._apart(None)

    async def embed(self, texts: Sequence[str], *, waits: bool) -> NDArray[np.float32]:
        answer = await self._apart(texts)
        import numpy as np

        return np.frombuffer(answer, np.float32).reshape(len(texts), DIMENSIONS)

    async def release(self) -> None:
        async with self._turn:
            await self._end()

    async def close(self) -> None:
        if self._process is not None and self.loaded:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()  # so that waiting callers learn of it immediately
        await self.release()

    async def _apart(self, texts: Sequence[str] | None) -> bytes:
        """Run ``_in_turn`` to its end: the reply must be read from the pipe even if the caller was cancelled."""
        task = asyncio.create_task(self._in_turn(texts), name="embedder")
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    async def _in_turn(self, texts: Sequence[str] | None) -> bytes:
        async with self._turn:
            if not self.loaded:
                await self._start()
            return b"" if texts is None else await self._ask(texts)

    async def _start(self) -> None:
        missing = missing_packages()
        if missing:
            raise EmbeddingError(f"not installed: {', '.join(missing)}", GET_THEM)
        await asyncio.to_thread(importlib.import_module, "numpy")  # for the vectors; not on the event loop
        try:
            # -P: do not import from its own folder. A new session: Ctrl+C is not meant for it.
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                str(self._program),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
                env={name: value for name, value in os.environ.items() if name in _KEPT},
            )
        except OSError as error:
            raise EmbeddingError(f"the offline embedder can't be started: {error}", "see pepper doctor") from error
        await self._answer()

    async def _ask(self, texts: Sequence[str]) -> bytes:
        assert self._process is not None
        assert self._process.stdin is not None
        question = json.dumps(list(texts)).encode()
        with contextlib.suppress(ConnectionError):  # then no answer will come, which is reported below
            self._process.stdin.write(struct.pack(">I", len(question)) + question)
            await self._process.stdin.drain()
        answer = await self._answer()
        if len(answer) != len(texts) * DIMENSIONS * 4:
            await self._end()
            raise EmbeddingError("the package wordllama contains other weights than it should", GET_THEM)
        return answer

    async def _answer(self) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(self._patience):
                [size] = struct.unpack(">I", await self._process.stdout.readexactly(4))
                answer = await self._process.stdout.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError) as error:
            await self._end()
            how = "gave no answer" if isinstance(error, TimeoutError) else "ended"
            raise EmbeddingError(f"the offline embedder {how}", "see pepper doctor", of_text=True) from None
        except asyncio.CancelledError:
            await self._end()
            raise
        kind, content = answer[:1], answer[1:]
        if kind == b"e":
            await self._end()
            words = f"the offline embedder does not start: {content.decode(errors='replace')}"
            raise EmbeddingError(words, GET_THEM)
        if kind == b"t":
            words = f"a text can't be tokenized: {content.decode(errors='replace')}"
            raise EmbeddingError(words, of_text=True)
        return content

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _GOODBYE)
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


_KEPT: Final = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "PYTHONHOME",
    "PYTHONPATH",
    "SYSTEMROOT",
    "VIRTUAL_ENV",
)
"""The environment variables that the process receives: no secrets."""
