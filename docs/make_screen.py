"""Make docs/screen.svg: the real screen over the real engine, some seconds into the demo. Run it from the clone's root.

.venv/bin/python docs/make_screen.py [seconds]
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from pathlib import Path

from pepper_tui.command.launch import open_engine
from pepper_tui.demo.world import DemoWorld
from pepper_tui.ui.screen.app import PepperApp

TARGET = Path(__file__).with_name("screen.svg")
SIZE = (120, 36)


async def picture(seconds: float) -> str:
    """The screen as SVG, after ``seconds`` of the demo and one question."""
    with tempfile.TemporaryDirectory(prefix="pepper-") as folder:
        home = Path(folder)
        with DemoWorld(home) as world:
            app = PepperApp(lambda: open_engine(home, world))
            async with app.run_test(size=SIZE) as pilot:
                await pilot.pause(seconds * 0.7)
                await pilot.press(*"what is on today?", "enter")
                await pilot.pause(seconds * 0.3)
                svg = app.export_screenshot(title="Pepper")
    if str(folder) in svg:
        raise SystemExit("a path of this machine is on the screen; the picture was not written")
    return re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # no font from a host of others


if __name__ == "__main__":
    TARGET.write_text(asyncio.run(picture(float(sys.argv[1]) if len(sys.argv) > 1 else 35.0)), encoding="utf-8")
    print(f"wrote {TARGET.name}")
