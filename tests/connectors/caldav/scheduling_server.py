"""A CalDAV server that knows scheduling (RFC 6638), as far as others' free/busy goes; it holds no calendars."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PRINCIPAL, OUTBOX, HOME = "/principals/alex/", "/outbox/alex/", "/calendars/alex/"
_MULTI = """<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">
<d:response><d:href>{path}</d:href><d:propstat><d:prop>{found}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>
</d:response></d:multistatus>"""
_USER = f"<d:current-user-principal><d:href>{PRINCIPAL}</d:href></d:current-user-principal>"
_OF_PRINCIPAL = (
    f"<c:calendar-home-set><d:href>{HOME}</d:href></c:calendar-home-set>"
    f"<c:schedule-outbox-URL><d:href>{OUTBOX}</d:href></c:schedule-outbox-URL>"
    "<c:calendar-user-address-set><d:href>/principals/alex/</d:href><d:href>mailto:alex@example.org</d:href>"
    "</c:calendar-user-address-set>"
)
_ANSWER = """<?xml version="1.0"?><c:schedule-response xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">{}
</c:schedule-response>"""
_ONE = """<c:response><c:recipient><d:href>mailto:{who}</d:href></c:recipient>
<c:request-status>{status}</c:request-status>{data}</c:response>"""
_DATA = "<c:calendar-data>{}</c:calendar-data>"
_TIMES = "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VFREEBUSY\r\n{lines}\r\nEND:VFREEBUSY\r\nEND:VCALENDAR\r\n"


@dataclass
class Scheduling:
    """``knows``: the lines of the VFREEBUSY of each whom it knows; ``{span}`` stands for the times that were asked."""

    url: str
    knows: dict[str, str] = field(default_factory=dict)
    posted: list[str] = field(default_factory=list)

    def answer(self, body: str) -> str:
        self.posted.append(body)
        lines = body.replace("\r\n ", "").splitlines()
        span = "\r\n".join(each for each in lines if each.startswith(("DTSTART", "DTEND")))
        asked = [each.partition("mailto:")[2] for each in lines if each.startswith("ATTENDEE")]
        return _ANSWER.format("".join(self._one(who, span) for who in asked))

    def _one(self, who: str, span: str) -> str:
        if who not in self.knows:
            return _ONE.format(who=who, status="3.7;Invalid calendar user", data="")
        times = _TIMES.format(lines=self.knows[who].format(span=span))
        return _ONE.format(who=who, status="2.0;Success", data=_DATA.format(times))


@contextlib.contextmanager
def scheduling() -> Iterator[Scheduling]:
    """The server on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_PROPFIND(self) -> None:
            self._body()
            found = _OF_PRINCIPAL if self.path == PRINCIPAL else _USER
            self._say(207, _MULTI.format(path=self.path, found=found))

        def do_POST(self) -> None:
            assert self.path == OUTBOX
            assert self.headers["Content-Type"].startswith("text/calendar")
            self._say(200, running.answer(self._body()))

        def _body(self) -> str:
            return self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()

        def _say(self, status: int, text: str) -> None:
            raw = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/xml; charset=utf-8")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        running = Scheduling(f"http://127.0.0.1:{server.server_port}/")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()
            thread.join(10)
