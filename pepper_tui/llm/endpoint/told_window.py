"""The context window that a model server states, if it states one.

It is asked once, after the first answer: a server that loads its model on demand knows it only then, and no reply waits
for it. The number is a claim; what a server actually refuses counts more (``windows``). The key goes to ``base_url``
only.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from pepper_tui.config.secret.in_clear import is_near

_LIMIT: Final = 5.0  # seconds for one answer
_BODY: Final = 4_000_000  # bytes read of one answer
_FIELDS: Final = ("loaded_context_length", "max_model_len", "context_length", "context_window", "max_context_length")
_NUM_CTX: Final = re.compile(r"(?m)^num_ctx\s+(\d{3,8})\s*$")
_SANE: Final = range(256, 100_000_000)


async def told_window(base_url: str, model: str, key: str) -> int:
    """Return the window in tokens, or 0 if the server does not state it. Raises nothing except cancellation."""
    http = await asyncio.to_thread(__import__, "httpx2")
    base, near = base_url.rstrip("/"), is_near(base_url)
    parts = urlsplit(base)
    root = f"{parts.scheme}://{parts.netloc}"
    headers = {"authorization": f"Bearer {key}"} if key else {}
    async with http.AsyncClient(trust_env=not near, follow_redirects=False, timeout=_LIMIT) as client:
        looks: list[tuple[str, str, Callable[[Any, str], int]]] = [
            *([("GET", f"{root}/props", _props)] if near else []),
            *([("GET", f"{root}/api/ps", _ollama_loaded), ("POST", f"{root}/api/show", _ollama_set)] if near else []),
            *([("GET", f"{root}/api/v0/models", _listed)] if near else []),
            ("GET", f"{base}/models", _listed),
        ]
        for method, url, read in looks:
            sent = headers if url.startswith(f"{base}/") else {}
            answer = await _asked(client, method, url, sent, model)
            if (found := read(answer, model)) in _SANE:
                return found
    return 0


async def _asked(client: Any, method: str, url: str, headers: dict[str, str], model: str) -> Any:
    body = b""
    try:
        async with asyncio.timeout(_LIMIT):
            more = {"json": {"model": model}} if method == "POST" else {}
            async with client.stream(method, url, headers=headers, **more) as response:
                response.raise_for_status()
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > _BODY:
                        return None
        return json.loads(body)
    except Exception:  # any failure means that it does not say
        return None


def _number(source: Any, *names: str) -> int:
    for name in names:
        value = source.get(name) if isinstance(source, dict) else None
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return 0


def _row(rows: Any, model: str, *names: str) -> Any:
    """Return the row of ``model``, by any of its names; Ollama omits a tag, Google adds a prefix."""
    for row in rows if isinstance(rows, list) else []:
        given = {row.get(name) for name in names} if isinstance(row, dict) else set()
        if given & {model, f"{model}:latest", f"models/{model}"}:
            return row
    return None


def _listed(answer: Any, model: str) -> int:
    """Read a model list (OpenRouter, LM Studio, vLLM).

    https://openrouter.ai/docs/api-reference/list-available-models, https://lmstudio.ai/docs/api/rest-api
    """
    rows = answer.get("data") if isinstance(answer, dict) else None
    return _number(_row(rows, model, "id"), *_FIELDS)


def _props(answer: Any, model: str) -> int:
    """Read llama.cpp's properties.

    https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
    """
    settings = answer.get("default_generation_settings") if isinstance(answer, dict) else None
    return _number(settings, "n_ctx")


def _ollama_loaded(answer: Any, model: str) -> int:
    """Read Ollama's loaded models.

    https://docs.ollama.com/api/ps
    """
    rows = answer.get("models") if isinstance(answer, dict) else None
    return _number(_row(rows, model, "name", "model"), "context_length")


def _ollama_set(answer: Any, model: str) -> int:
    """Read what the model's file sets, not what the model could do.

    https://docs.ollama.com/api/show
    """
    parameters = answer.get("parameters") if isinstance(answer, dict) else None
    found = _NUM_CTX.search(parameters) if isinstance(parameters, str) else None
    return int(found[1]) if found else 0
