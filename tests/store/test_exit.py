"""A store that nobody closed does not keep the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LEFT_OPEN = """
import asyncio, sys
from pathlib import Path
from pepper_tui.clock import SystemClock
from pepper_tui.store import ContextStore

async def main():
    global store
    store = await ContextStore.open(Path(sys.argv[1]), SystemClock())
    await store.store({"kept": True}, namespace="note", context_id="n")

asyncio.run(main())
print("over")
"""


def test_a_store_left_open_lets_the_process_end(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LEFT_OPEN, str(tmp_path / "p.db")],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert (ran.returncode, ran.stdout.splitlines()[-1:]) == (0, ["over"]), ran.stderr
