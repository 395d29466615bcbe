"""The commands about the mail of a card: filing it, and a reminder where no answer came."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pepper_tui.model import ChoiceError, Namespace
from pepper_tui.text import one_line
from pepper_tui.ui.plain.commands.given import LISTED, Given, held


def files(act: str) -> Callable[[Given, str], Awaitable[None]]:
    """Return the command that does ``act`` to the mail of a card."""

    async def command(given: Given, rest: str) -> None:
        await given.tell(given.engine.file(held(given, rest), act))

    return command


async def nudge(given: Given, rest: str) -> None:
    awaits = given.item(rest.strip()).awaits
    if awaits is None:
        raise ValueError("This card waits for nobody's answer. Nothing was done")
    await given.engine.write_mail("nudge", f"{Namespace.NOTIFICATION}:{awaits.id}", {})
    given.say("A reminder is drafted; its card comes now, and nothing is sent before your yes")


async def move(given: Given, rest: str) -> None:
    number, _, folder = rest.partition(" ")
    try:
        await given.tell(given.engine.file(held(given, number), "move", folder.strip()))
    except ChoiceError as asked:
        named = ", ".join(one_line(said, 60) for said, _ in asked.choices[:LISTED])
        more = f" and {len(asked.choices) - LISTED} more" if len(asked.choices) > LISTED else ""
        raise ValueError(f"{asked.words}; as in /move {number} and one of: {named}{more}. Nothing was done") from asked
