"""One request and one answer, as parts of HTTP; several of them in one, as ``BatchHttpRequest`` sends them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.google.errors import Refused, Violation

MOST_PARTS = 100


@dataclass(frozen=True)
class Request:
    """``headers`` by their names in small letters; ``batched`` if it was part of another."""

    method: str
    target: str
    headers: Mapping[str, str]
    content: bytes = b""
    batched: bool = False

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def form(self) -> dict[str, str]:
        """A body of a form, or the query: one value a name."""
        text = self.content.decode() if self.content else urlsplit(self.target).query
        return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}

    @property
    def kind(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def meant(self) -> Request:
        """As it would stand, were it not too long for an address: googleapiclient then sends a GET as a POST."""
        method = self.headers.get("x-http-method-override")
        if not method:
            return self
        return Request(method, f"{self.path}?{self.content.decode()}", self.headers, b"", self.batched)

    def body(self, upload: bool) -> tuple[Any, bytes | None]:
        """Its JSON, and the mail of an upload."""
        if not upload:
            if not self.content:
                return None, None
            if self.kind != "application/json":
                raise Violation(f"a body of {self.kind or 'no type'}, not JSON")
            return json.loads(self.content), None
        if self.kind == "multipart/related":
            head, mail = message_from_bytes(_with_type(self)).get_payload()
            whole = mail.get_payload(decode=True) or mail.get_payload()[0].as_bytes()
            return json.loads(head.get_payload(decode=True)), whole
        if not self.kind.startswith("message/"):
            raise Violation(f"media of {self.kind or 'no type'}, not of message/*")
        return {}, self.content


@dataclass(frozen=True)
class Answer:
    status: int
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> bytes:
        """Its head and body, as they go over the line."""
        told = {"Content-Length": str(len(self.content)), **self.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        return f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\n{head}\r\n".encode() + self.content


def json_answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    kind = {"Content-Type": "application/json; charset=UTF-8"}
    return Answer(status, json.dumps(body, ensure_ascii=False, indent=2).encode(), {**kind, **(headers or {})})


def error_answer(error: Refused) -> Answer:
    return json_answer(error.body, error.status, error.headers)


def batch_answer(request: Request, answer: Callable[[Request], Answer]) -> Answer:
    """Each part is done by itself, the last first: a batch has no order."""
    if request.kind != "multipart/mixed":
        raise Violation(f"a batch of {request.kind or 'no type'}")
    parts = message_from_bytes(_with_type(request)).get_payload()
    if not isinstance(parts, list):
        raise Refused(400, "badRequest", "Failed to parse batch request, error: no parts")
    if len(parts) > MOST_PARTS:
        raise Refused(400, "badRequest", f"The batch request has more than {MOST_PARTS} parts")
    boundary = "batch_pepper"
    out = b""
    for part in reversed(parts):
        ident = part["Content-ID"] or ""
        if part.get_content_type() != "application/http" or not re.fullmatch(r"<[^<>]+>", ident):
            raise Violation("a part of a batch that is no request, or has no Content-ID")
        inner = answer(_part(part.get_payload(), request))
        head = f"--{boundary}\r\nContent-Type: application/http\r\nContent-ID: <response-{ident[1:]}\r\n\r\n"
        out += head.encode() + inner.text() + b"\r\n"
    kind = {"Content-Type": f"multipart/mixed; boundary={boundary}"}
    return Answer(200, out + f"--{boundary}--\r\n".encode(), kind)


def _part(text: str, outer: Request) -> Request:
    first, _, rest = text.lstrip().partition("\n")
    words = first.split()
    if len(words) != 3 or not words[1].startswith("/"):
        raise Violation(f"a part of a batch begins with {first!r}")
    parsed = message_from_bytes(rest.encode())
    headers = {"authorization": outer.headers.get("authorization", "")}
    headers |= {name.lower(): str(value) for name, value in parsed.items()}
    return Request(words[0], words[1], headers, str(parsed.get_payload()).strip().encode(), batched=True)


def _with_type(request: Request) -> bytes:
    return f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode() + request.content
