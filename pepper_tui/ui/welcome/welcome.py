"""The first start on screen: what Pepper is, what was found on this machine, and a config from the user's choices.

Nothing is used or written before the last step; `s` skips a step, `b` goes back, `q` quits with nothing done. The demo
is offered at each step. The search of the machine runs in the background.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Center, Middle, Vertical
from textual.widgets import Static

from pepper_tui.text import one_line
from pepper_tui.ui.screen.chat.bursts import Bursts, Kind
from pepper_tui.ui.screen.themes import DARK, THEMES
from pepper_tui.ui.welcome.answer_field import AnswerField
from pepper_tui.ui.welcome.answers import Answers
from pepper_tui.ui.welcome.pages import Pages, keys_of

if TYPE_CHECKING:
    from pepper_tui.setup.first_start import Found


class WelcomeApp(App[str]):
    """Exits with ``written`` once there is a config, with ``demo`` on ``d``, with None otherwise."""

    CSS = """
    Screen { background: $background; }
    Middle { width: 100%; height: 100%; }
    #welcome { width: 84; max-width: 96%; height: 22; max-height: 100%; border: round $panel; padding: 1 3;
        overflow-y: auto;
        border-title-color: $accent; border-subtitle-color: $pepper-dim; }
    #text { height: auto; }
    #welcome CleanInput { margin: 1 0 0 0; background: $surface; border: none; padding: 0 1; display: none; }
    """
    ENABLE_COMMAND_PALETTE = False
    TITLE = "Pepper"
    AUTO_FOCUS = ""  # a hidden field would receive the keys
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "end('demo')", "Demo", show=False),
        Binding("s", "skip", "Skip", show=False),
        Binding("b", "go(-1)", "Back", show=False),
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("x", "take", "Take or leave", show=False),
        Binding("o", "other", "Another", show=False),
        Binding("enter", "on", "Go on", show=False),
        Binding("q", "end", "Quit", show=False),
        Binding("ctrl+q,ctrl+c", "quit", "Quit", show=False, priority=True),
        Binding("escape", "leave", "Back, or quit", show=False, priority=True),
    ]

    def __init__(self, home: Path, user_home: Path | None = None, found: Found | None = None) -> None:
        super().__init__()
        self.home, self.user_home = home, user_home or Path.home()
        self._found = found
        self.answers = Answers()
        self.field = AnswerField("", compact=True)
        self.trouble = ""
        self._bursts = Bursts(self, self._kind_of, super().on_event, lambda _: None)

    async def on_event(self, event: events.Event) -> None:
        if not await self._bursts.takes(event):
            await super().on_event(event)

    def _kind_of(self, event: events.Key) -> Kind:
        """Return the kind of a key: one that arrives with others never writes the config or leaves."""
        if self.field.asking and event.key != "escape":
            return Kind.TYPES
        return Kind.MOVES if event.key in ("up", "down", "j", "k") else Kind.DECIDES

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {"pepper-dim": "#8a8f96"}

    def compose(self) -> ComposeResult:
        with Middle(), Center(), Vertical(id="welcome"):
            yield Static(Text(""), id="text", markup=False)
            yield self.field

    def on_mount(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK.name
        self._draw()
        self.run_worker(self._look(), exit_on_error=False)

    async def _look(self) -> None:
        """Search the machine, and ask about what was found."""
        first_start = await asyncio.to_thread(
            __import__, "pepper_tui.setup.first_start.questions", fromlist=["questions"]
        )
        found = self._found
        if found is None:
            from pepper_tui.setup.first_start.discovery import discover

            found = await discover(self.user_home, os.environ)
        self._found = found
        self.answers.ask(found, first_start.questions(found))
        self._draw()

    # ------------------------------------------------------------------------------------------------ what is shown

    def _draw(self) -> None:
        answers, box = self.answers, self.query_one("#welcome")
        step, pages = answers.step, Pages(self.home, self.theme_variables)
        if step == "begin":
            lines = pages.begin(self._found if answers.ready else None)
        elif step == "you":
            lines = pages.you(answers.signed, answers.addresses)
        elif isinstance(step, str):
            lines = pages.write(answers.choices())
        else:
            named = answers.named.get(step.topic, [])
            words = [str(getattr(value, "path", "") or getattr(value, "name", "")) for value in named]
            lines = pages.ask(step, answers.taken[step.topic], answers.cursor, words)
        if self.trouble:
            lines += [Text(""), Text(self.trouble, self.theme_variables["error"])]
        box.border_title = f"Pepper · {answers.place} of {len(answers.steps) - 1}" if answers.place else "Pepper"
        box.border_subtitle = "Enter takes it · Esc leaves it" if self.field.asking else keys_of(step, answers.ready)
        self.query_one("#text", Static).update(Text("\n").join(lines))

    # ------------------------------------------------------------------------------------------------ what is chosen

    def action_move(self, by: int) -> None:
        self.answers.move(by)
        self._draw()

    def action_take(self) -> None:
        self.answers.take()
        self._draw()

    def action_skip(self) -> None:
        if self.answers.skip():
            self.trouble = ""
        self._draw()

    def action_go(self, by: int) -> None:
        self.trouble = ""
        self.answers.go(by)
        self._draw()

    def action_on(self) -> None:
        if self.answers.step == "write":
            self.run_worker(self._write_config(), exclusive=True, exit_on_error=False)
        elif self.answers.wants_name():
            self._ask("model", "", "the model's name, as its provider writes it")
        else:
            self.action_go(1)

    async def _write_config(self) -> None:
        from pepper_tui.setup.first_start import ConfigExistsError, config_text, write_config

        try:
            text = config_text(self.answers.choices(), self.user_home)
            await asyncio.to_thread(write_config, self.home, text)
        except (ConfigExistsError, OSError, ValueError) as error:
            self.trouble = one_line(f"{error}; nothing was written", 300)
            self._draw()
        else:
            self.exit("written")

    # ------------------------------------------------------------------------------------------------ what is typed

    def _ask(self, asking: str, value: str, placeholder: str) -> None:
        self.trouble = ""
        self.field.open(asking, value, placeholder)
        self._draw()

    def action_other(self) -> None:
        step = self.answers.step
        if step == "you":
            self._ask("name", self.answers.signed, "your name")
        elif not isinstance(step, str) and step.open:
            self._ask(step.topic, "", "a Maildir or mbox file" if step.topic == "mail" else "a .ics file or a folder")

    async def on_input_submitted(self, event: AnswerField.Submitted) -> None:
        asking = self.field.asking
        try:
            await asyncio.to_thread(self.answers.name, asking, event.value.strip())
        except (ValueError, OSError) as error:
            self.trouble = one_line(str(error), 300)
            self._draw()
            return
        if asking == "name":
            self._ask("addresses", self.answers.addresses, "your addresses, commas between them")
            return
        self.trouble = ""
        self.field.close()
        if asking == "model":
            self.answers.go(1)
        self._draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the letter keys while text is typed."""
        del parameters
        return not self.field.asking or action in ("leave", "quit")

    def action_end(self, chosen: str | None = None) -> None:
        self.exit(chosen)

    def action_leave(self) -> None:
        if self.field.asking:
            self.trouble = ""
            self.field.close()
            self._draw()
        elif self.answers.place:
            self.action_go(-1)
        else:
            self.exit()
