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


def pepper(home: Path, words: str, said: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``pepper --home HOME words`` in a process of its own; one that does not end is killed.

    ``said`` is on its standard input.
    """
    command = ["--home", str(home), *words.split()]
    with tempfile.TemporaryDirectory() as folder:
        out, err, given = Path(folder) / "out", Path(folder) / "err", Path(folder) / "in"
        given.write_text(said, encoding="utf-8")
        code = _carried_out(
            {
                "arguments": command,
                "environment": {**ENVIRONMENT, **environment},
                "out": str(out),
                "err": str(err),
                "input": str(given),
                "seconds": LONGEST,
            }
        )
        printed = out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8")
    return subprocess.CompletedProcess(command, code, *printed)


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
