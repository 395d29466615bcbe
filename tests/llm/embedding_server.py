"""A small, real HTTP server with an OpenAI-compatible ``/v1/embeddings`` that does what its script says.

A script is a list of replies, one a request; when it is used up, each text gets a vector of topics. A reply is JSON:
``status`` and ``message`` (an error), ``headers``, ``dimensions``, ``short`` (so many vectors fewer), ``raw`` (a body),
``delay`` (seconds).
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.store.topics import TopicEmbedder


class EmbeddingServer:
    """Runs in threads of this process; ``with EmbeddingServer([...]) as server:``, then ``server.url``."""

    def __init__(self, *script: dict[str, Any], refuses: str = "", dimensions: int = 64) -> None:
        """``refuses``: requests with this word get 400."""
        self.script, self.refuses, self.dimensions = deque(script), refuses, dimensions
        self.requests: list[dict[str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.requests.append({**body, "key": self.headers.get("authorization", ""), "path": self.path})
                status, headers, data = outer.answer(body)
                with contextlib.suppress(OSError):  # the client has left
                    self.send_response(status)
                    for name, value in {**headers, "content-length": str(len(data))}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(data)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        reply = self.script.popleft() if self.script else {}
        time.sleep(reply.get("delay", 0))
        headers = {"content-type": "application/json", **reply.get("headers", {})}
        texts = body["input"]
        if self.refuses and any(self.refuses in text for text in texts):
            reply = {"status": 400, "message": "too long for this model"}
        if "raw" in reply:
            return 200, headers, reply["raw"].encode()
        if reply.get("status", 200) != 200:
            return reply["status"], headers, json.dumps({"error": {"message": reply.get("message", "no")}}).encode()
        model = TopicEmbedder(reply.get("dimensions") or body.get("dimensions") or self.dimensions)
        data = [
            {"object": "embedding", "index": index, "embedding": [float(number) for number in model.vector(text)]}
            for index, text in enumerate(texts[: len(texts) - reply.get("short", 0)])
        ]
        tokens = sum(len(text.split()) for text in texts)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        told = {"object": "list", "data": data[::-1], "model": body["model"], "usage": usage}
        return 200, headers, json.dumps(told).encode()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> EmbeddingServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
