"""An account at Gmail is refused in words until there is one: by the start, and by the doctor."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = '[user]\nzone = "UTC"\n[[account]]\nid = "a"\nkind = "gmail"\naddress = "alex@example.com"\n'


@pytest.mark.parametrize(("command", "code"), [(["ask", "hello"], 2), (["doctor"], 1)])
def test_it_is_told(tmp_path: Path, command: list[str], code: int) -> None:
    (tmp_path / "config.toml").write_text(CONFIG)
    words = [sys.executable, "-m", "pepper_tui", "--home", str(tmp_path), *command]
    done = subprocess.run(words, capture_output=True, text=True, timeout=90, check=False)
    assert "can't be used yet" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == code
