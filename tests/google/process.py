"""The double in a process of its own, that ``kill`` ends at any moment and ``start`` begins again where it was.

``do("mailbox.deliver", raw)`` reaches into it. Its state is on the disk before an answer leaves.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.google.server import CONTROL, Google

ROOT = Path(__file__).parents[2]


class GoogleProcess:
    def __init__(self, state: Path, address: str = "alex@example.com") -> None:
        self._state, self._address = state, address
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> GoogleProcess:
        words = ["--port", str(self.port), "--state", str(self._state), self._address]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.google", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        self.port = int(self._process.stdout.readline().removeprefix("port="))
        return self

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            if self._process.stdout:
                self._process.stdout.close()
            self._process = None

    def do(self, path: str, *arguments: Any, **named: Any) -> Any:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("POST", CONTROL, pickle.dumps((path, arguments, named)))
        answer = connection.getresponse().read()
        connection.close()
        return pickle.loads(answer)

    def __enter__(self) -> GoogleProcess:
        return self.start()

    def __exit__(self, kind: object, *_: object) -> None:
        violations = self.do("violations") if kind is None and self._process is not None else []
        self.kill()
        assert not violations, violations


__all__ = ["Google", "GoogleProcess"]
