"""Questions to the user: the fields of a card in the conversation's place, or a line above the composer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from pepper_tui.model import Approval, CardLine, Written
from pepper_tui.text import one_line
from pepper_tui.ui.screen.desk import BUSY
from pepper_tui.ui.screen.inbox.form import Form, Prompt
from pepper_tui.ui.screen.inbox.inbox_list import Inbox
from pepper_tui.ui.screen.mail.address_completion import AddressCompletion, people_written_to

if TYPE_CHECKING:
    from pepper_tui.ui.screen.desk import Desk


class Asking:
    """Opens at most one form or prompt at a time."""

    def __init__(self, app: Desk) -> None:
        self._app = app

    @property
    def open(self) -> bool:
        return any(not opened.has_class("gone") for opened in self._app.query("#form, #prompt"))

    def edit(self, approval: Approval) -> None:
        """Open the editable lines of a card as fields; saving makes a new card and approves nothing."""
        app, lines = self._app, approval.resolved.lines
        if not any(line.editable for line in lines):
            app.say_words("Nothing on this card can be edited; n rejects it")
            return

        async def save(fields: dict[str, Written]) -> None:
            said = {label: written.text for label, written in fields.items()}
            typed = [label for label, written in fields.items() if not written.spans]
            words = await app.link.ready().edit(approval.id, said, typed) if said else "Nothing was changed"
            app.say_words(words)

        self.write(f"EDIT {one_line(approval.resolved.summary, 60)}", lines, save)

    def write(
        self,
        heading: str,
        lines: Sequence[CardLine],
        save: Callable[[dict[str, Written]], Awaitable[None]],
        filled: Mapping[str, Written] | None = None,
    ) -> None:
        """Open lines as fields in the conversation's place; ``save`` gets the changed ones as label → value.

        The form stays open where ``save`` raises. ``filled`` are changed values that are there already.
        """
        app = self._app

        async def saved(fields: dict[str, Written]) -> None:
            try:
                await save(fields)
            except BaseException:
                form.refused()
                raise
            form.taken()

        def show() -> None:
            app.reading.close()
            app.panes.note_origin()
            app.panes.show("chat")
            app.query_one("#main").mount(form)
            app.attend(True)
            app.panes.settle()

        completion = AddressCompletion(lambda: people_written_to(app.link.ready()))
        form = Form(heading, lines, lambda fields: app.link.start(saved(fields)), filled, completion)
        self._once_free(form, show)

    def ask(
        self,
        words: str,
        answer: Callable[[str], None],
        *,
        choices: Sequence[str] = (),
        may_be_empty: bool = False,
        filtered: bool = False,
        numbered: bool = False,
    ) -> None:
        """Ask for one line; ``answer`` gets it. ``numbered``: the key of a choice's number answers with it."""
        prompt = Prompt(
            one_line(words, 60),
            answer,
            choices=choices,
            may_be_empty=may_be_empty,
            filtered=filtered,
            numbered=numbered,
        )
        self._once_free(prompt, lambda: self._show(prompt))

    def answer(self, question: str, answer: Callable[[Written], None]) -> None:
        """Ask for one line in the user's own words; ``answer`` gets it with its origins."""

        def said(text: str) -> None:
            answer(Written.by(text, prompt.origin))

        prompt = Prompt(one_line(question, 100), said)
        self._once_free(prompt, lambda: self._show(prompt))

    def _show(self, prompt: Prompt) -> None:
        self._app.panes.note_origin()
        self._app.query_one("#left").mount(prompt, before="#composer")

    def _once_free(self, asked: Form | Prompt, show: Callable[[], None]) -> None:
        """Call ``show`` for ``asked``, unless something else is open.

        If the previous one is still being removed, it is called a moment later.
        """
        if self.open:
            self._app.say_words(BUSY)
            return
        if self._app.query(f"#{asked.id}"):
            self._app.call_after_refresh(self._once_free, asked, show)
            return
        show()

    def left(self) -> None:
        """Close the form or the prompt."""
        self._app.query("#form, #prompt").add_class("gone").remove()
        self._app.attend(self._app.query_one(Inbox).has_focus)
        self._app.panes.settle()
        self._app.query_one(Inbox).keep(False)
        self._app.panes.back()
