"""The command as a shell runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PEPPER = [sys.executable, "-m", "pepper_tui"]
ENVIRONMENT = {**os.environ, "OPENAI_API_KEY": ""}


def pepper(home: Path, words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PEPPER, "--home", str(home), *words.split()],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        stdin=subprocess.DEVNULL,
        env={**ENVIRONMENT, **environment},
    )
