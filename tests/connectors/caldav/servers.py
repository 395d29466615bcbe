"""Radicale on loopback, as another program sees it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import httpx2

USER, PASSWORD = "alex", "p-4711"
_MAKE = """<c:mkcalendar xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:set><d:prop>
<d:displayname>{}</d:displayname></d:prop></d:set></c:mkcalendar>"""


@dataclass(frozen=True)
class Server:
    """The server, and what another program does there."""

    port: int
    folder: Path
    group: int = 0

    def kill(self) -> None:
        """End it without a word. It may run again on its port."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.group, signal.SIGKILL)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> httpx2.Response:
        answer = httpx2.request(
            method, f"{self.url}{USER}/{path}", content=body.encode(), auth=(USER, PASSWORD), headers=headers,
            trust_env=False,
        )  # fmt: skip
        assert answer.status_code < 300, (method, path, answer.status_code, answer.text)
        return answer

    def make(self, name: str, title: str) -> None:
        self.ask("MKCALENDAR", f"{name}/", _MAKE.format(escape(title)))

    def put(self, calendar: str, uid: str, text: str) -> None:
        self.ask("PUT", f"{calendar}/{uid}.ics", text, **{"Content-Type": "text/calendar"})

    def remove(self, path: str) -> None:
        self.ask("DELETE", path)

    def holds(self, calendar: str) -> dict[str, str]:
        """The texts of the objects in a calendar, by file name."""
        folder = self.folder / "collection-root" / USER / calendar
        return {path.name: path.read_text() for path in folder.glob("*.ics")}

    def forget_marks(self) -> None:
        """Forget how far anybody has read."""
        for path in self.folder.rglob(".Radicale.cache/sync-token/*"):
            path.unlink()

    def empty(self) -> None:
        root = self.folder / "collection-root" / USER
        for each in sorted(root.iterdir()) if root.is_dir() else ():
            if not each.name.startswith("."):
                self.remove(f"{each.name}/")


def event(uid: str, title: str, start: str = "20270105T100000Z", more: str = "") -> str:
    """An object of one event of an hour."""
    hour = int(start[9:11]) + 1
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\n"
        f"UID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:{start}\r\nDTEND:{start[:9]}{hour:02}{start[11:]}\r\n"
        f"SUMMARY:{title}\r\n{more}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )


@contextlib.contextmanager
def running(folder: Path, port: int = 0) -> Iterator[Server]:
    """Radicale with ``folder``; on another ``port`` if none is given."""
    if not port:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = int(free.getsockname()[1])
    users = folder / "users"
    users.write_text(f"{USER}:{PASSWORD}\n")
    options = {
        "server-hosts": f"127.0.0.1:{port}", "auth-type": "htpasswd", "auth-htpasswd-filename": str(users),
        "auth-htpasswd-encryption": "plain", "auth-delay": "0", "storage-filesystem-folder": str(folder / "data"),
        "storage-type": "multifilesystem", "storage-max-sync-token-age": "2592000", "logging-level": "warning",
    }  # fmt: skip
    command = [sys.executable, "-m", "radicale", "--config", ""]
    command += [part for name, value in options.items() for part in (f"--{name}", value)]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while not _answers(port):
            assert process.poll() is None, (folder / "server.log").read_text()
            assert time.monotonic() < deadline, (folder / "server.log").read_text()
            time.sleep(0.05)
        yield Server(port, folder / "data", process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False
