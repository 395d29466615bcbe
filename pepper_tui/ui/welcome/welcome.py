"""The first start on screen: what Pepper is, what was found on this machine, and a config from what the user takes.

Nothing is used or written before the last step; `s` skips a step, `b` goes back, `q` leaves with nothing done. The
demo is offered at each step. What was found is looked for beside the screen.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
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
from pepper_tui.ui.screen.chat.composer import CleanInput
from pepper_tui.ui.screen.themes import DARK, THEMES
from pepper_tui.ui.welcome.pages import Pages, keys_of

if TYPE_CHECKING:
    from pepper_tui.setup.first_start import Choices, Found
    from pepper_tui.setup.first_start.questions import Option, Question


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
    AUTO_FOCUS = ""  # a hidden field would take the keys
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "demo", "Demo", show=False),
        Binding("s", "skip", "Skip", show=False),
        Binding("b", "before", "Back", show=False),
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
        self._steps: list[Question | str] = ["begin"]
        self._place = 0
        self._cursor = 0
        self._taken: dict[str, list[bool]] = {}
        self._named: dict[str, list[object]] = {}
        self._signed, self._addresses = "", ""
        self._asking = ""
        self._trouble = ""
        self._bursts = Bursts(self, self._kind_of, super().on_event, lambda _: None)

    async def on_event(self, event: events.Event) -> None:
        if not await self._bursts.takes(event):
            await super().on_event(event)

    def _kind_of(self, event: events.Key) -> Kind:
        """What a key does now: none that comes in the company of others writes the config, or leaves."""
        if self._asking and event.key != "escape":
            return Kind.TYPES
        return Kind.MOVES if event.key in ("up", "down", "j", "k") else Kind.DECIDES

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {"pepper-dim": "#8a8f96"}

    def compose(self) -> ComposeResult:
        with Middle(), Center(), Vertical(id="welcome"):
            yield Static(Text(""), id="text", markup=False)
            yield CleanInput("", compact=True)

    def on_mount(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK.name
        self.query_one(CleanInput).cursor_blink = False
        self._draw()
        self.run_worker(self._look(), exit_on_error=False)

    async def _look(self) -> None:
        """Find what there is; the questions come from it."""
        first_start = await asyncio.to_thread(
            __import__, "pepper_tui.setup.first_start.questions", fromlist=["questions"]
        )
        found = self._found
        if found is None:
            from pepper_tui.setup.first_start.discovery import discover

            found = await discover(self.user_home, os.environ)
        self._found = found
        self._signed, self._addresses = found.name, found.address
        asked: list[Question] = first_start.questions(found)
        self._taken = {question.topic: [option.chosen for option in question.options] for question in asked}
        self._steps = ["begin", *asked, "you", "write"]
        self._draw()

    # ------------------------------------------------------------------------------------------------ what is shown

    @property
    def _step(self) -> Question | str:
        return self._steps[self._place]

    def _draw(self) -> None:
        step, box = self._step, self.query_one("#welcome")
        pages = Pages(self.home, self.theme_variables)
        if step == "begin":
            lines = pages.begin(self._found if len(self._steps) > 1 else None)
        elif step == "you":
            lines = pages.you(self._signed, self._addresses)
        elif isinstance(step, str):
            lines = pages.write(self._choices())
        else:
            named = self._named.get(step.topic, [])
            words = [str(getattr(value, "path", "") or getattr(value, "name", "")) for value in named]
            lines = pages.ask(step, self._taken[step.topic], self._cursor, words)
        if self._trouble:
            lines += [Text(""), Text(self._trouble, self.theme_variables["error"])]
        box.border_title = f"Pepper · {self._place} of {len(self._steps) - 1}" if self._place else "Pepper"
        box.border_subtitle = "Enter takes it · Esc leaves it" if self._asking else keys_of(step, len(self._steps) > 1)
        self.query_one("#text", Static).update(Text("\n").join(lines))

    # ------------------------------------------------------------------------------------------------ what is chosen

    def _options(self, topic: str) -> list[object]:
        question = next(step for step in self._steps if not isinstance(step, str) and step.topic == topic)
        chosen: list[Option] = [o for o, taken in zip(question.options, self._taken[topic], strict=True) if taken]
        return [option.value for option in chosen] + self._named.get(topic, [])

    def _choices(self) -> Choices:
        from pepper_tui.setup.first_start import Calendars, Choices, Mails, ModelChoice, StarterRule
        from pepper_tui.setup.first_start.questions import addresses_in

        models = [value for value in self._options("model") if isinstance(value, ModelChoice) and value.name]
        return Choices(
            self._signed,
            addresses_in(self._addresses),
            [value for value in self._options("mail") if isinstance(value, Mails)],
            [value for value in self._options("calendar") if isinstance(value, Calendars)],
            models[-1] if models else None,
            [value for value in self._options("rules") if isinstance(value, StarterRule)],
        )

    def action_move(self, by: int) -> None:
        step = self._step
        if isinstance(step, str) or not step.options:
            return
        self._cursor = (self._cursor + by) % len(step.options)
        if not step.many:
            self._taken[step.topic] = [place == self._cursor for place in range(len(step.options))]
            self._named.pop(step.topic, None)
        self._draw()

    def action_take(self) -> None:
        step = self._step
        if not isinstance(step, str) and step.many and step.options:
            self._taken[step.topic][self._cursor] ^= True
            self._draw()

    def action_skip(self) -> None:
        """Take nothing at this step."""
        step = self._step
        if not isinstance(step, str):
            self._taken[step.topic] = [not step.many and place == 0 for place in range(len(step.options))]
            self._named.pop(step.topic, None)
        elif step == "you":
            self._signed, self._addresses = "", ""
        if step not in ("begin", "write"):
            self._go(1)

    def action_before(self) -> None:
        self._go(-1)

    def _go(self, by: int) -> None:
        self._trouble = ""
        self._place = min(max(self._place + by, 0), len(self._steps) - 1)
        step = self._step
        taken = [] if isinstance(step, str) else self._taken[step.topic]
        self._cursor = taken.index(True) if taken and not isinstance(step, str) and not step.many else 0
        self._draw()

    def action_on(self) -> None:
        step = self._step
        if step == "write":
            self.run_worker(self._write_config(), exclusive=True, exit_on_error=False)
        elif not isinstance(step, str) and step.topic == "model" and self._wants_name():
            self._open("model", "", "the model's name, as its provider writes it")
        else:
            self._go(1)

    def _wants_name(self) -> bool:
        from pepper_tui.setup.first_start import ModelChoice

        chosen = self._options("model")
        return bool(chosen) and isinstance(chosen[-1], ModelChoice) and not chosen[-1].name

    async def _write_config(self) -> None:
        from pepper_tui.setup.first_start import ConfigExistsError, config_text, write_config

        try:
            text = config_text(self._choices(), self.user_home)
            await asyncio.to_thread(write_config, self.home, text)
        except (ConfigExistsError, OSError, ValueError) as error:
            self._trouble = one_line(f"{error}; nothing was written", 300)
            self._draw()
        else:
            self.exit("written")

    # ------------------------------------------------------------------------------------------------ what is typed

    def action_other(self) -> None:
        step = self._step
        if step == "you":
            self._open("name", self._signed, "your name")
        elif not isinstance(step, str) and step.open:
            self._open(step.topic, "", "a Maildir or mbox file" if step.topic == "mail" else "a .ics file or a folder")

    def _open(self, asking: str, value: str, placeholder: str) -> None:
        field = self.query_one(CleanInput)
        self._asking, self._trouble = asking, ""
        field.value, field.placeholder, field.display = value, placeholder, True
        field.cursor_position = len(value)
        field.focus()
        self._draw()

    def _close(self) -> None:
        self._asking = ""
        self.query_one(CleanInput).display = False
        self.set_focus(None)
        self._draw()

    async def on_input_submitted(self, event: CleanInput.Submitted) -> None:
        from pepper_tui.setup.first_start import ModelChoice
        from pepper_tui.setup.first_start.questions import addresses_in, named_calendar, named_mail

        said, asking = event.value.strip(), self._asking
        try:
            if asking == "name":
                self._signed = said
                self._open("addresses", self._addresses, "your addresses, commas between them")
                return
            if asking == "addresses":
                self._addresses = ", ".join(addresses_in(said))
            elif asking == "model" and said:
                [chosen] = [value for value in self._options("model") if isinstance(value, ModelChoice)]
                self._named["model"] = [replace(chosen, name=said)]
            elif said:
                read = named_mail if asking == "mail" else named_calendar
                self._named.setdefault(asking, []).append(await asyncio.to_thread(read, said))
        except (ValueError, OSError) as error:
            self._trouble = one_line(str(error), 300)
            self._draw()
            return
        self._trouble = ""
        self._close()
        if asking == "model":
            self._go(1)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Letters are text while something is typed."""
        del parameters
        return not self._asking or action in ("leave", "quit")

    def action_end(self) -> None:
        self.exit()

    def action_leave(self) -> None:
        if self._asking:
            self._trouble = ""
            self._close()
        elif self._place:
            self._go(-1)
        else:
            self.exit()

    def action_demo(self) -> None:
        self.exit("demo")
