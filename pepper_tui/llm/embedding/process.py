"""The offline embedder's process: texts on stdin, vectors on stdout, until stdin ends.

It is a process because loading the tokenizer holds the GIL for some 80 ms, during which no key would be answered, and
because its memory is freed with it. It runs as a file, imports nothing of Pepper, and has a low priority. When Pepper
dies, however that happens, its stdin ends, and so does it.

A message is its length (four bytes, big-endian) followed by that many bytes. Requests are a JSON list of texts. Answers
are ``v`` and 256 float32 per text, ``t`` and why a text can't be tokenized, or ``e`` and why nothing can. The first
message reports readiness: ``v`` alone, or ``e``.
"""

from __future__ import annotations

import importlib.util
import json
import os
import struct
import sys
from pathlib import Path
from typing import Any, BinaryIO

WEIGHTS = "weights/l2_supercat_256.safetensors"
TOKENIZER = "tokenizers/l2_supercat_tokenizer_config.json"
NICE = 10


def load() -> tuple[Any, Any]:
    """Load tokenizer and weights. The package's own loader searches elsewhere, and would then use the network."""
    from safetensors import safe_open
    from tokenizers import Tokenizer

    spec = importlib.util.find_spec("wordllama")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'wordllama'")
    root = Path(next(iter(spec.submodule_search_locations)))
    tokenizer = Tokenizer.from_file(str(root / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    with safe_open(str(root / WEIGHTS), framework="numpy") as file:
        return tokenizer, file.get_tensor("embedding.weight")


def embed(texts: list[str], tokenizer: Any, weights: Any) -> bytes:
    """Return one unit vector per text, the mean of its tokens' vectors; a zero vector for a text without tokens."""
    import numpy as np

    vectors = np.zeros((len(texts), weights.shape[1]), np.float32)
    for vector, text in zip(vectors, texts, strict=True):
        tokens = tokenizer.encode(text, add_special_tokens=False).ids
        if tokens:
            vector[:] = weights[tokens].astype(np.float32).mean(axis=0)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors /= np.where(lengths > 0, lengths, np.float32(1.0))
    return vectors.tobytes()


def send(out: BinaryIO, kind: bytes, content: bytes = b"") -> None:
    out.write(struct.pack(">I", len(content) + 1) + kind + content)
    out.flush()


def main() -> None:
    os.environ |= {"TOKENIZERS_PARALLELISM": "false", "OPENBLAS_NUM_THREADS": "1"}
    if hasattr(os, "nice"):
        os.nice(NICE)
    into, out = sys.stdin.buffer, sys.stdout.buffer
    try:
        parts = load()
    except Exception as error:
        send(out, b"e", f"{type(error).__name__}: {error}".encode())
        return
    send(out, b"v")
    while len(header := into.read(4)) == 4:
        texts = json.loads(into.read(struct.unpack(">I", header)[0]))
        try:
            send(out, b"v", embed(texts, *parts))
        except Exception as error:
            send(out, b"t", f"{type(error).__name__}: {error}".encode())


if __name__ == "__main__":
    main()
