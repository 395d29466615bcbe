"""A small, real HTTP server that speaks the OpenAI streaming protocol and does what its script says.

A script is a list of replies, one a request; when it is used up, ``default`` answers. A reply is JSON:

- ``text``: streamed in pieces; ``pieces`` sets their number of characters; ``delay`` seconds between pieces
- ``calls``: ``[{"name", "arguments" (object or raw string), "id"?}]``, arguments streamed in pieces
- ``status``, ``headers``, ``message``, ``code``: an error instead
- ``first_delay``: seconds before the first byte; ``stall``: seconds before the end of the stream
- ``cut``: ``true`` ends without finish reason, ``"abort"`` drops the connection mid-chunk
- ``endless``: text without end; ``garbage``: a line that is no JSON; ``stream_error``: an error event
- ``reasoning``: text of a reasoning field; ``finish``: finish reason
- ``usage``: an object, or ``null`` for none; else default counts
- ``reject``: a parameter's name that gives 400 while requests hold it (the reply stands for the next request)
- ``refuse``: ``{"holds", "status", "error"}``: the same for any text of the request, with a status and a whole body
- ``error``: with ``status``: the whole JSON body of that error
- ``events``: instead of all that streams: what to send after ``data:`` (text stands for a line as it is); the end mark
  follows, unless ``done`` is false, after ``hang`` seconds
- ``body``: a whole body with status 200 and ``content_type``, which is no stream

``python -m tests.llm.server --port 0 --script file.json`` prints ``port=N`` and serves.
"""

from __future__ import annotations

import argparse
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Reply = dict[str, Any]


class ModelServer:
    """Runs in threads of this process; ``with ModelServer([...]) as server:``, then ``server.url``."""

    def __init__(self, script: list[Reply] | None = None, default: Reply | None = None, port: int = 0) -> None:
        self.script: deque[Reply] = deque(script or [])
        self.default: Reply = default or {"text": "ok"}
        self.requests: list[dict[str, Any]] = []  # bodies
        self.headers: list[dict[str, str]] = []
        self.choose: Callable[[dict[str, Any]], Reply] | None = None  # by the body, in place of the script
        self.pages: dict[str, Any] = {}  # what other addresses answer, by path
        self.looks: list[tuple[str, str]] = []  # at those: path, and what stands in its authorization
        self.closed_early = 0  # streams that the client left
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

            def do_GET(self) -> None:
                told = outer.pages.get(self.path)
                if told is not None:
                    outer.looks.append((self.path, self.headers.get("authorization") or ""))
                    self._json(200, told)
                    return
                self._json(200, {"object": "list", "data": [{"id": "test", "object": "model"}]})

            def do_POST(self) -> None:
                if self.path in outer.pages:
                    self.rfile.read(int(self.headers.get("content-length", 0)))
                    self.do_GET()
                    return
                if self.path.startswith("/api/"):
                    self.rfile.read(int(self.headers.get("content-length", 0)))
                    self.send_error(404)
                    return
                body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
                reply = outer.take(body, {k.lower(): v for k, v in self.headers.items()})
                try:
                    self._answer(body, reply)
                except OSError:
                    with outer._lock:
                        outer.closed_early += 1
                    self.close_connection = True

            def _json(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def _answer(self, body: dict[str, Any], reply: Reply) -> None:
                if reply.get("first_delay"):
                    time.sleep(reply["first_delay"])
                if reply.get("status", 200) != 200:
                    error = {"message": reply.get("message", "it failed"), "code": reply.get("code"), "type": "error"}
                    self._json(reply["status"], reply.get("error", {"error": error}), reply.get("headers"))
                    return
                if "body" in reply:
                    self.send_response(200)
                    self.send_header("content-type", reply.get("content_type", "application/json"))
                    self.send_header("content-length", str(len(reply["body"].encode())))
                    self.end_headers()
                    self.wfile.write(reply["body"].encode())
                    return
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("connection", "close")
                self.close_connection = True
                self.end_headers()
                for event in events(body, reply):
                    self.wfile.write(event.encode())
                    self.wfile.flush()
                    if reply.get("delay"):
                        time.sleep(reply["delay"])
                if reply.get("cut") == "abort":
                    self.wfile.write(b'data: {"id": "x", "choi')
                    self.wfile.flush()
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    self.connection.close()

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def take(self, body: dict[str, Any], headers: dict[str, str]) -> Reply:
        with self._lock:
            self.requests.append(body)
            self.headers.append(headers)
            if self.choose is not None:
                return self.choose(body)
            reply = self.script[0] if self.script else self.default
            name = reply.get("reject")
            if name and name in body:
                return {"status": 400, "message": f"Unsupported parameter: '{name}' is not known here"}
            refuse = reply.get("refuse")
            if refuse and refuse["holds"] in json.dumps(body):
                return {"status": refuse["status"], "error": refuse["error"]}
            if self.script:
                self.script.popleft()
            return reply

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> ModelServer:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> ModelServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def events(body: dict[str, Any], reply: Reply) -> Any:
    """The server-sent events of one reply."""

    def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
        base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": body.get("model", "")}
        return "data: " + json.dumps({**base, "choices": choices, **more}) + "\n\n"

    if "events" in reply:
        for each in reply["events"]:
            yield each + "\n\n" if isinstance(each, str) else f"data: {json.dumps(each)}\n\n"
        if reply.get("hang"):
            time.sleep(reply["hang"])
        if reply.get("done", True):
            yield "data: [DONE]\n\n"
        return
    yield chunk({"role": "assistant", "content": ""})
    size = reply.get("pieces", 8)
    for start in range(0, len(reply.get("reasoning", "")), size):
        yield chunk({"reasoning_content": reply["reasoning"][start : start + size]})
    text = reply.get("text", "")
    for start in range(0, len(text), size):
        yield chunk({"content": text[start : start + size]})
    while reply.get("endless"):
        yield chunk({"content": "and so on " * 20})
    for index, call in enumerate(reply.get("calls", [])):
        arguments = call.get("arguments", {})
        raw = arguments if isinstance(arguments, str) else json.dumps(arguments)
        identity = call.get("id", f"call_{index}")
        head = {"index": index, "id": identity, "type": "function", "function": {"name": call["name"], "arguments": ""}}
        yield chunk({"tool_calls": [head]})
        for start in range(0, len(raw), size):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": raw[start : start + size]}}]})
    if reply.get("garbage"):
        yield "data: {this is no json\n\n"
    if reply.get("stream_error"):
        yield "data: " + json.dumps({"error": {"message": reply["stream_error"], "type": "server_error"}}) + "\n\n"
    if reply.get("stall"):
        time.sleep(reply["stall"])
    if reply.get("cut"):
        return
    yield chunk({}, reply.get("finish") or ("tool_calls" if reply.get("calls") else "stop"))
    usage = reply.get("usage", {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110})
    if usage is not None and body.get("stream_options", {}).get("include_usage"):
        base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": body.get("model", "")}
        yield "data: " + json.dumps({**base, "choices": [], "usage": usage}) + "\n\n"
    yield "data: [DONE]\n\n"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", type=Path)
    options = parser.parse_args()
    loaded: Any = json.loads(options.script.read_text()) if options.script else []
    if isinstance(loaded, dict):
        server = ModelServer(loaded.get("replies"), loaded.get("default"), options.port)
    else:
        server = ModelServer(loaded, None, options.port)
    server.start()
    print(f"port={server.port}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
