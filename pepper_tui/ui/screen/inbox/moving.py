"""Moving mails to a folder: the user names it, or chooses one of those that there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pepper_tui.model import ChoiceError
from pepper_tui.ui.screen.inbox.form import Prompt

if TYPE_CHECKING:
    from pepper_tui.engine.protocol import Engine
    from pepper_tui.ui.screen.desk import Desk


def move(app: Desk, refs: Sequence[str], folder: str = "") -> None:
    """Move the mails behind ``refs`` to ``folder``; ask for it if it is missing or unclear."""

    async def moved(engine: Engine) -> str:
        try:
            return await engine.file(refs, "move", folder)
        except ChoiceError as asked:
            if not asked.choices:
                raise
            app.call_after_refresh(_ask, app, refs, asked)
            return asked.words

    app.link.tell(moved)


async def _ask(app: Desk, refs: Sequence[str], asked: ChoiceError) -> None:
    await app.query("#prompt").remove()  # an earlier one may still be being removed
    choices = [said for said, _ in asked.choices]
    app.asking.ask("Move to which folder?", lambda name: move(app, refs, name), choices=choices, filtered=True)
    # the focus is on its way back to where it was: move it here after that
    app.call_after_refresh(lambda: [prompt.field.focus() for prompt in app.query(Prompt)])
