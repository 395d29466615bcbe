"""Model servers on this machine, found at their usual ports in order to be offered; nothing here uses one.

Other software uses these ports too, so a server counts only if two of its answers have the documented form of its kind.
All are asked at the same time; one that does not answer within the limit counts as absent. No proxy is used, no
redirect followed, no key sent.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pepper_tui.text import one_line

LIMIT: Final = 0.25
"""Seconds that a local server has for all its answers."""
_BODY: Final = 1_000_000  # bytes read of one answer
_MODELS: Final = 200
_NAME: Final = 200  # characters of a model's name


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A server that answers like one of ``kind``. ``models`` are names for the config; empty if it has none yet.

    To use it, a config sets ``name``, ``base_url`` and ``api_key = ""``: without the last one, another provider's key
    from the environment would be sent to this server.
    """

    kind: str
    base_url: str
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Kind:
    """The paths to request, and how to read the models from the answers: ``None`` if it is something else."""

    name: str
    port: int
    paths: tuple[str, str]
    read: Callable[[Any, Any], list[str] | None]


def _rows(answer: Any, key: str) -> list[dict[str, Any]] | None:
    rows = answer.get(key) if isinstance(answer, dict) else None
    return rows if isinstance(rows, list) and all(isinstance(row, dict) for row in rows) else None


def _names(rows: Sequence[Mapping[str, Any]], key: str) -> list[str] | None:
    names = [row.get(key) for row in rows]
    return names if all(isinstance(name, str) and name for name in names) else None  # type: ignore[return-value]


def _text(answer: Any, key: str) -> str:
    value = answer.get(key) if isinstance(answer, dict) else None
    return value if isinstance(value, str) else ""


def _ollama(tags: Any, version: Any) -> list[str] | None:
    """Read Ollama's models from its tags and version.

    https://docs.ollama.com/api/tags.md
    """
    rows = _rows(tags, "models")
    if rows is None or not _text(version, "version") or not all(_text(row, "digest") for row in rows):
        return None
    return _names(rows, "name")


def _lm_studio(native: Any, listed: Any) -> list[str] | None:
    """Read LM Studio's models (v0), besides its OpenAI list.

    https://www.lmstudio.ai/docs/api/rest-api
    """
    rows = _rows(native, "data")
    if not rows or _rows(listed, "data") is None:  # anybody may return empty lists
        return None
    if not all(_text(row, "type") in ("llm", "vlm", "embeddings") and _text(row, "state") for row in rows):
        return None
    return _names([row for row in rows if row["type"] != "embeddings"], "id")


def _llama_cpp(listed: Any, props: Any) -> list[str] | None:
    """Read llama.cpp's models.

    https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
    """
    rows = _rows(listed, "data")
    if rows is None or not isinstance(props, dict) or not isinstance(props.get("default_generation_settings"), dict):
        return None
    return _names(rows, "id")


def _vllm(listed: Any, version: Any) -> list[str] | None:
    """Read vLLM's models.

    https://docs.vllm.ai/en/v0.8.1/serving/openai_compatible_server.html
    """
    rows = _rows(listed, "data")
    if not rows or not _text(version, "version") or not all(row.get("owned_by") == "vllm" for row in rows):
        return None
    return _names(rows, "id")


_KINDS: Final = (
    _Kind("Ollama", 11434, ("/api/tags", "/api/version"), _ollama),
    _Kind("LM Studio", 1234, ("/api/v0/models", "/v1/models"), _lm_studio),
    _Kind("llama.cpp", 8080, ("/v1/models", "/props"), _llama_cpp),
    _Kind("vLLM", 8000, ("/v1/models", "/version"), _vllm),
)


async def find_local_models(ports: Mapping[str, int] | None = None, *, limit: float = LIMIT) -> list[LocalServer]:
    """Return the servers that answer on this machine, in a fixed order; an empty list if none. Raises nothing.

    ``ports`` overrides the port of a kind (``{"Ollama": 11435}``); ``limit`` is in seconds, for all of them together.
    """
    http = await asyncio.to_thread(__import__, "httpx2")
    async with http.AsyncClient(trust_env=False, follow_redirects=False, timeout=limit) as client:
        asked = [_ask(client, kind, (ports or {}).get(kind.name, kind.port), limit) for kind in _KINDS]
        found = await asyncio.gather(*asked)
    return [server for server in found if server is not None]


async def _ask(client: Any, kind: _Kind, port: int, limit: float) -> LocalServer | None:
    root = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(limit):
            answers = await asyncio.gather(*(_get(client, root + path) for path in kind.paths))
        names = kind.read(*answers)
    except Exception:  # whatever else uses that port is no such server
        return None
    if names is None:
        return None
    # names are written into a config: skip any that is not a plain line
    plain = [name for name in names if len(name) <= _NAME and one_line(name) == name]
    return LocalServer(kind.name, f"{root}/v1", tuple(plain[:_MODELS]))


async def _get(client: Any, url: str) -> Any:
    body = b""
    async with client.stream("GET", url, headers={"accept": "application/json"}) as response:
        response.raise_for_status()
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > _BODY:
                raise ValueError("too long for a list of models")
    return json.loads(body)
