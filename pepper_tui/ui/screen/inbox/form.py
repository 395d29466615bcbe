"""Short questions in the conversation's place: a reason, a time, the editable lines of a card.

A form returns values and decides nothing: saving an edit does not approve it. It stays until its values were taken, so
that what was typed outlives a refusal. Esc leaves without a change, and asks once if something was changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final, cast

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Input, Static

from pepper_tui.model import CardLine, Origin, Written
from pepper_tui.text import clean, hidden, one_line, unseen_words, visible
from pepper_tui.ui.screen.chat.clean_fields import CleanArea, CleanInput
from pepper_tui.ui.shared.keys import bindings, names_of
from pepper_tui.ui.shared.names import label_words, trust_words

RECIPIENTS: Final = ("To", "Cc")
"""Lines that name whom a mail goes to."""
Answer = Callable[[dict[str, Written]], None]


def set_title(widget: Widget, title: str) -> None:
    """Set plain text as the title of ``widget``; Textual's own setter would read a ``str`` as markup."""
    widget.border_title = cast(str, Content(one_line(title, 100)))


class Form(VerticalScroll, can_focus=False):
    """The lines of a card as fields; ``answer`` gets the changed ones as label → value, with its origin.

    ``filled`` are values that were typed before and not taken. ``completion`` is of fields that hold recipients.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("form")]

    class Left(Message):
        """The form is done, with or without an answer."""

    class Editor(Message):
        """The user wants to edit the field in their own editor."""

    def __init__(
        self,
        title: str,
        lines: Sequence[CardLine],
        answer: Answer,
        filled: Mapping[str, Written] | None = None,
        completion: Suggester | None = None,
    ) -> None:
        super().__init__(id="form")
        self._completion = completion
        self._lines, self._answer, self._filled = lines, answer, filled or {}
        self._saving = False
        set_title(self, title)
        self._leaving: dict[str, str] = {}
        self._fields: list[tuple[str, str, CleanInput | CleanArea]] = []

    def compose(self) -> ComposeResult:
        for line in self._lines:
            mark = f"  {trust_words(line)}" if line.untrusted else ""
            mark += f"  ({unseen_words(count)})" if (count := hidden(line.value)) else ""
            mark += f"  one of: {one_line(', '.join(line.choices), 300)}" if line.choices else ""
            yield Static(Text(label_words(line) + mark), classes="label", markup=False)
            if not line.editable:
                yield Static(Text(clean(line.value, 2000)), classes="fixed", markup=False)
                continue
            field: CleanInput | CleanArea
            if line.multiline or "\n" in line.value:
                field = CleanArea(visible(line.value), tab_behavior="focus", soft_wrap=True, compact=True)
                field.cursor_blink = False
                field.highlight_cursor_line = False
                before = field.text
            else:
                completes = self._completion if line.label in RECIPIENTS else None
                hint = "name or address; → completes" if completes else ""
                field = CleanInput(line.value, placeholder=hint, compact=True, suggester=completes)
                before = field.value
            self._fields.append((line.label, before, field))
            yield field

    def on_mount(self) -> None:
        self._say_ways_out()
        for label, _, field in self._fields:
            if (there := self._filled.get(label)) is None:
                continue
            if isinstance(field, Input):
                field.value = there.text
            elif isinstance(field, CleanArea):
                field.load_text(there.text)
            field.origin = next((origin for _, origin in there.parts() if origin is not Origin.TYPED), Origin.TYPED)
        if self._fields:
            self._first().focus()

    def _first(self) -> CleanInput | CleanArea:
        """Return the field to begin in: the first if it is empty, as of a new mail; else the text."""
        _, before, first = self._fields[0]
        texts = (field for _, _, field in self._fields if isinstance(field, CleanArea))
        return next(texts, first) if before else first

    def _say_ways_out(self) -> None:
        names = names_of(self.app)
        ways = f"{names.of('form.save')} saves, does not approve · {names.of('form.editor')} editor · Esc leaves"
        self.border_subtitle = ways

    def on_input_changed(self) -> None:
        self._stay()

    def on_text_area_changed(self) -> None:
        self._stay()

    def _stay(self) -> None:
        """Cancel the question about dropping changes, if something was typed since."""
        if self._leaving and self.changed() != self._leaving:
            self._leaving = {}
            self._say_ways_out()

    def changed(self) -> dict[str, str]:
        """Return label → value of the fields that were changed."""
        now = {label: (field.value if isinstance(field, Input) else field.text) for label, _, field in self._fields}
        return {label: now[label] for label, before, _ in self._fields if now[label] != before}

    def action_editor(self) -> None:
        self.post_message(self.Editor())

    def action_save(self) -> None:
        if not self._saving:
            self._saving = True
            changed, origins = self.changed(), {label: field.origin for label, _, field in self._fields}
            self._answer({label: Written.by(value, origins[label]) for label, value in changed.items()})

    def refused(self) -> None:
        """Go on: the values were not taken."""
        self._saving = False

    def taken(self) -> None:
        """Leave: the values were taken."""
        if self.is_attached and not self.has_class("gone"):
            self.post_message(self.Left())

    def action_leave(self) -> None:
        """Leave; if something was changed, only the second time in a row."""
        changed = self.changed()
        if not changed or changed == self._leaving:
            self.post_message(self.Left())
            return
        self._leaving = changed
        self.border_subtitle = f"Esc again drops your changes · {names_of(self.app).of('form.save')} saves them"


class _Line(CleanInput):
    """An input whose keys ``takes`` sees first."""

    def __init__(self, value: str, takes: Callable[[events.Key], bool]) -> None:
        super().__init__(value, compact=True)
        self._takes = takes

    async def _on_key(self, event: events.Key) -> None:
        if self._takes(event):
            event.stop()
            event.prevent_default()


class Prompt(Vertical):
    """One line of input above the composer.

    Up and Down walk through ``choices``, typing replaces the shown one. Enter answers; if they are ``numbered``, the
    number alone does.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*(b for b in bindings("form") if b.action == "leave")]

    class Left(Message):
        """The prompt is done."""

    def __init__(
        self, title: str, answer: Callable[[str], None], *, choices: Sequence[str] = (), may_be_empty: bool = False,
        filtered: bool = False, numbered: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(id="prompt")
        self._answer, self._choices, self._may_be_empty, self._filtered = answer, list(choices), may_be_empty, filtered
        self._place, self._numbered = 0, numbered
        set_title(self, title)
        first = "" if filtered or not choices else choices[0]
        keys = f"1–{len(choices)}" if numbered else "Enter · ↑↓ choices" if choices else "Enter"
        self.border_subtitle = f"{keys} · Esc leaves"
        self.field = _Line(first, self.take_number)
        self._offer = Static(Text(""), markup=False, classes="offer")

    def compose(self) -> ComposeResult:
        yield self.field
        yield self._offer

    def on_mount(self) -> None:
        self.field.focus()
        self.field.select_all()
        self._show()

    def _matching(self) -> list[str]:
        if not self._filtered:
            return self._choices
        words = self.field.value.lower().split()
        return [c for c in self._choices if all(word in c.lower() for word in words)]

    def _show(self) -> None:
        found = self._matching()
        shown = found[self._place : self._place + 1] if self._filtered else found
        if self._numbered:
            shown = [f"{number} {choice}" for number, choice in enumerate(found, 1)]
        self._offer.update(Text(one_line(" · ".join(shown), 300)))

    @property
    def origin(self) -> Origin:
        """Where its text comes from."""
        return self.field.origin

    def answers(self, event: events.Key) -> bool:
        """Check whether this key answers, which it does only when pressed alone."""
        return (event.key == "enter" and not self._filtered) or self._number(event) > 0

    def _number(self, event: events.Key) -> int:
        """Return the choice that a key names, from 1; 0 for none. A paste names none."""
        digit = event.character or ""
        number = int(digit) if self._numbered and digit.isascii() and digit.isdigit() else 0
        return number if number <= len(self._choices) else 0

    def take_number(self, event: events.Key) -> bool:
        """Answer with the choice that a key names, if it names one."""
        number = self._number(event)
        if number:
            self.post_message(self.Left())
            self._answer(self._choices[number - 1])
        return number > 0

    def on_input_changed(self, event: Input.Changed) -> None:
        del event
        if self._filtered:
            self._place = 0
        self._show()

    def on_key(self, event: events.Key) -> None:
        if event.key not in ("up", "down"):
            return
        event.stop()
        found = self._matching()
        if not found:
            return
        by = 1 if (event.key == "down") != self._filtered else -1
        self._place = (
            (self._place + by) % len(found) if not self._filtered else min(max(self._place + by, 0), len(found) - 1)
        )
        if not self._filtered:
            self.field.value = found[self._place]
            self.field.select_all()
        self._show()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        value = self.field.value.strip()
        if self._filtered:
            found = self._matching()
            value = found[self._place] if found else ""
        if value or self._may_be_empty:
            self.post_message(self.Left())
            self._answer(value)
        else:
            self.border_subtitle = f"{'Nothing fits' if self._filtered else 'Nothing is typed'} · Esc leaves"

    def action_leave(self) -> None:
        self.post_message(self.Left())
