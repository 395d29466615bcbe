"""Servers of each documented shape are found, and whatever else may live on their ports is not."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pepper_tui.llm.endpoint.local_servers import LocalServer, find_local_models

OLLAMA = {
    "/api/tags": {
        "models": [
            {
                "name": "gemma3:4b",
                "model": "gemma3:4b",
                "modified_at": "2025-10-03T23:34:03.409490317-07:00",
                "size": 3338801804,
                "digest": "a2af6cc3eb7fa8be8504abaf9b04e88f17a119ec3f04a3addf55f92841195f5a",
                "details": {"format": "gguf", "family": "gemma", "parameter_size": "4.3B"},
            }
        ]
    },
    "/api/version": {"version": "0.12.6"},
}
LM_STUDIO = {
    "/api/v0/models": {
        "object": "list",
        "data": [
            {"id": "qwen2-vl-7b-instruct", "object": "model", "type": "vlm", "state": "not-loaded"},
            {"id": "text-embedding-nomic-embed-text-v1.5", "object": "model", "type": "embeddings", "state": "loaded"},
        ],
    },
    "/v1/models": {"object": "list", "data": [{"id": "qwen2-vl-7b-instruct", "object": "model"}]},
}
LLAMA_CPP = {
    "/v1/models": {"object": "list", "data": [{"id": "/models/qwen.gguf", "object": "model", "owned_by": "llamacpp"}]},
    "/props": {"default_generation_settings": {"n_ctx": 4096, "params": {}}, "total_slots": 1, "model_path": "/m"},
}
VLLM = {
    "/v1/models": {"object": "list", "data": [{"id": "Qwen/Qwen3-8B", "object": "model", "owned_by": "vllm"}]},
    "/version": {"version": "0.11.0"},
}
KINDS = {"Ollama": OLLAMA, "LM Studio": LM_STUDIO, "llama.cpp": LLAMA_CPP, "vLLM": VLLM}


class Answering(BaseHTTPRequestHandler):
    """Says what ``pages`` of its server hold: an object as JSON, text as HTML, a number as a status, or a wait."""

    server: Any

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        self.server.seen.append((self.path, dict(self.headers)))
        page = self.server.pages.get(self.path, self.server.pages.get("*", 404))
        with contextlib.suppress(OSError):
            if isinstance(page, float):
                time.sleep(page)
                page = self.server.pages["after"].get(self.path, 404)
            status, kind, body = 200, "application/json", b""
            if isinstance(page, int):
                status = page
            elif isinstance(page, str):
                kind, body = "text/html", page.encode()
            elif page is not Ellipsis:
                body = json.dumps(page).encode()
            self.send_response(status)
            self.send_header("content-type", kind)
            if status == 302:
                self.send_header("location", self.server.pages["location"] + self.path)
            self.end_headers()
            while page is Ellipsis:  # an answer without an end
                self.wfile.write(b" " * 4096)
            self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 32  # else the kernel makes the ninth that asks at once wait for a second


@contextlib.contextmanager
def serving(pages: dict[str, Any]) -> Iterator[Any]:
    server: Any = Server(("127.0.0.1", 0), Answering)
    server.pages, server.seen, server.port = pages, [], server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def nowhere() -> dict[str, int]:
    """Ports at which nobody is: those of servers that have just ended."""
    with contextlib.ExitStack() as stack:
        return {kind: stack.enter_context(serving({})).port for kind in KINDS}


async def test_each_kind_is_found_by_its_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    with contextlib.ExitStack() as stack:
        servers = {kind: stack.enter_context(serving(pages)) for kind, pages in KINDS.items()}
        ports = {kind: server.port for kind, server in servers.items()}
        found = await find_local_models(ports, limit=10.0)
        seen = [headers for server in servers.values() for _, headers in server.seen]
    assert found == [
        LocalServer("Ollama", f"http://127.0.0.1:{ports['Ollama']}/v1", ("gemma3:4b",)),
        LocalServer("LM Studio", f"http://127.0.0.1:{ports['LM Studio']}/v1", ("qwen2-vl-7b-instruct",)),
        LocalServer("llama.cpp", f"http://127.0.0.1:{ports['llama.cpp']}/v1", ("/models/qwen.gguf",)),
        LocalServer("vLLM", f"http://127.0.0.1:{ports['vLLM']}/v1", ("Qwen/Qwen3-8B",)),
    ]
    assert len(seen) == 8
    assert not any("sk-secret" in str(headers) or "Authorization" in headers for headers in seen)


async def test_an_empty_server_is_offered_and_names_that_are_no_plain_line_are_not() -> None:
    empty = {**OLLAMA, "/api/tags": {"models": []}}
    row = OLLAMA["/api/tags"]["models"][0]
    odd = {"models": [{**row, "name": name} for name in ("a\nb", 'x"\u202e', "\x1b]0;x\x07", "n" * 500, "fine:1b")]}
    for pages, models in ((empty, ()), ({**OLLAMA, "/api/tags": odd}, ("fine:1b",))):
        with serving(pages) as server:
            found = await find_local_models({**nowhere(), "Ollama": server.port}, limit=10.0)
        assert [each.models for each in found] == [models]


IMPOSTORS: dict[str, dict[str, Any]] = {
    "nobody": {},
    "a web page on every path": {"*": "<html><body>It works</body></html>"},
    "any JSON": {"*": {"status": "ok"}},
    "a list": {"*": [1, 2]},
    "a version and empty lists": {"*": {"version": "1.0", "models": None, "data": []}},
    "models of something else": {"*": {"version": "1.0", "models": [{"name": "User"}], "data": [{"id": "User"}]}},
    "wants a password": {"*": 401},
    "fails": {"*": 500},
    "no end": {"*": ...},
}


@pytest.mark.parametrize("name", IMPOSTORS)
async def test_an_impostor_is_not_found(name: str) -> None:
    with serving(IMPOSTORS[name]) as server:
        assert await find_local_models(dict.fromkeys(KINDS, server.port), limit=2.0) == []


async def test_a_redirect_is_not_followed() -> None:
    with serving({"*": 302}) as server, serving(OLLAMA) as real:
        server.pages["location"] = f"http://127.0.0.1:{real.port}"
        assert await find_local_models(dict.fromkeys(KINDS, server.port), limit=2.0) == []
        assert real.seen == []


async def test_what_is_slow_is_not_waited_for() -> None:
    with serving({"*": 5.0, "after": OLLAMA}) as server:
        began = time.monotonic()
        assert await find_local_models(dict.fromkeys(KINDS, server.port)) == []
        assert time.monotonic() - began < 4.0
