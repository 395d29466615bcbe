"""The command as a shell runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

PEPPER = [sys.executable, "-m", "pepper_tui"]
ENVIRONMENT = {**os.environ, "OPENAI_API_KEY": ""}
LONGEST = 60.0  # seconds


def pepper(home: Path, words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``pepper --home HOME words`` in a process of its own; one that does not end is killed."""
    command = ["--home", str(home), *words.split()]
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        code = _carried_out(
            {
                "arguments": command,
                "environment": {**ENVIRONMENT, **environment},
                "out": str(out),
                "err": str(err),
                "seconds": LONGEST,
            }
        )
        said = out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8")
    return subprocess.CompletedProcess(command, code, *said)


def _carried_out(request: dict[str, object]) -> int:
    warm = _warm()
    assert warm.stdin is not None
    assert warm.stdout is not None
    warm.stdin.write(json.dumps(request) + "\n")
    warm.stdin.flush()
    return int(warm.stdout.readline())


@cache
def _warm() -> subprocess.Popen[str]:
    """It ends with this process: its standard input does."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.command.warm"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
