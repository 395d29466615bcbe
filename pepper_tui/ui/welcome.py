"""What a home without a config shows: what to do next, and the demo. Nothing outside is started from here."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Center, Middle
from textual.widgets import Static

from pepper_tui.text import one_line
from pepper_tui.ui.themes import DARK


class WelcomeApp(App[str]):
    """Exits with ``demo`` on ``d``, with None otherwise."""

    CSS = """
    Screen { background: $background; }
    Middle { width: 100%; height: 100%; }
    #welcome { width: 70; max-width: 94%; height: auto; border: round $panel; padding: 1 3; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "demo", "Demo", show=False),
        Binding("q,escape,ctrl+q,ctrl+c", "quit", "Quit", show=False, priority=True),
    ]

    def __init__(self, home: Path) -> None:
        super().__init__()
        self.home = home

    def on_mount(self) -> None:
        self.register_theme(DARK)
        self.theme = DARK.name

    def compose(self) -> ComposeResult:
        text = Text.assemble(
            ("Pepper", "bold"),
            "\n\nA proactive assistant in your terminal. It watches what comes in, proposes what to do about it, and "
            "does nothing outside without your yes.\n\n",
            ("There is no config in ", ""),
            (one_line(str(self.home), 60), "bold"),
            (" yet.\n\n", ""),
            ("d", "bold reverse"),
            "  try the demo: a sample mailbox and calendar on this machine only\n\n",
            "To begin with your own mail and calendar:\n",
            "  1. copy config.example.toml to config.toml in that folder\n",
            "  2. name your Maildir and your .ics file in it\n",
            "  3. pepper config check, then pepper\n\n",
            ("q", "bold reverse"),
            "  quit",
        )
        with Middle(), Center():
            yield Static(text, id="welcome", markup=False)

    def action_demo(self) -> None:
        self.exit("demo")
