"""The pages of the first start: what each step says, and its keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.text import Text

from pepper_tui.text import one_line

if TYPE_CHECKING:
    from pepper_tui.setup.first_start import Choices, Found
    from pepper_tui.setup.first_start.questions import Question

WORDS: Final = (
    "A proactive assistant in your terminal. It watches what comes in, proposes what to do about it, and does nothing "
    "outside without your yes."
)


def keys_of(step: Question | str, looked: bool) -> str:
    """Return the keys of a step; ``looked``: the search of the machine has finished."""
    if step == "begin":
        return "Enter begins · d demo · q quits" if looked else "d demo · q quits"
    if step == "you":
        return "o changes it · Enter goes on · s skips · b back"
    if isinstance(step, str):
        return "Enter writes it · b back · d demo · q quits"
    names = "o names another · " if step.open else ""
    return (f"x takes or leaves · {names}" if step.many else "↑↓ choose · ") + "Enter goes on · s skips · b back"


class Pages:
    """Lines for each step. ``variables`` are the theme's."""

    def __init__(self, home: Path, variables: Mapping[str, str]) -> None:
        self._config = one_line(str(home / "config.toml"), 200)
        self._dim, self._accent = variables["pepper-dim"], f"bold {variables['accent']}"

    def begin(self, found: Found | None) -> list[Text]:
        """Return the first page. ``found``: None while the search runs."""
        words = "Looking for mail, calendars and models on this machine …"
        if found is not None:
            counts = (
                (len(found.mails), "mailbox", "mailboxes"),
                (len(found.calendars), "calendar", "calendars"),
                (len(found.servers), "model server", "model servers"),
                (len(found.keys), "provider's key", "providers' keys"),
            )
            told = [f"{count} {one if count == 1 else more}" for count, one, more in counts if count]
            words = f"Found on this machine: {', '.join(told)}." if told else "No mail or calendar at the usual places."
        return [
            Text(WORDS),
            Text(""),
            Text(f"There is no {self._config} yet.", overflow="fold"),
            Text(words),
            Text(""),
            Text.assemble(("Enter", "bold"), "  a few questions, then Pepper starts"),
            Text.assemble(("d", "bold"), "      the demo: a sample mailbox and calendar, on this machine only"),
            Text(""),
            Text("Nothing is used or written before you have said so at the end.", self._dim),
        ]

    def ask(self, question: Question, taken: Sequence[bool], cursor: int, named: Sequence[str]) -> list[Text]:
        """Return a question's page. ``named``: what the user named in addition to the options."""
        lines = [Text(question.title, "bold"), Text(question.words, self._dim), Text("")]
        marks = ("[x]", "[ ]") if question.many else ("(•)", "( )")
        for place, option in enumerate(question.options):
            mark = marks[0] if taken[place] else marks[1]
            tone = self._accent if place == cursor else ""
            lines.append(Text(f"{mark} {one_line(option.words, 200)}", tone, overflow="fold"))
        lines += [Text(f"{marks[0]} {one_line(each, 200)}", overflow="fold") for each in named]
        if not question.options and not named:
            lines.append(Text(question.nothing))
        return lines

    def you(self, name: str, addresses: str) -> list[Text]:
        return [
            Text("You", "bold"),
            Text("How drafts are signed, and which mail is addressed to you. It stays in the config.", self._dim),
            Text(""),
            Text(f"name       {one_line(name, 200) or '(none)'}"),
            Text(f"addresses  {one_line(addresses, 200) or '(none)'}"),
        ]

    def write(self, choices: Choices) -> list[Text]:
        from pepper_tui.setup.first_start.questions import summary

        return [
            Text("This would be your config", "bold"),
            Text(""),
            *(Text(line, overflow="fold") for line in summary(choices)),
            Text(""),
            Text(f"Enter writes {self._config}, for you alone, and starts Pepper.", self._dim),
            Text("You can edit it at any time.", self._dim),
        ]
