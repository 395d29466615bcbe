"""The user's choices so far, step by step: the state of the first start, without a screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pepper_tui.setup.first_start import Choices, Found
    from pepper_tui.setup.first_start.questions import Option, Question


class Answers:
    """The steps (``begin``, the questions, ``you``, ``write``), the current one, and what was chosen at each."""

    def __init__(self) -> None:
        self.steps: list[Question | str] = ["begin"]
        self.place = 0
        self.cursor = 0
        """The option under the cursor."""
        self.taken: dict[str, list[bool]] = {}
        self.named: dict[str, list[object]] = {}
        """What the user named in addition to the options."""
        self.signed, self.addresses = "", ""

    def ask(self, found: Found, asked: Sequence[Question]) -> None:
        """Make steps of the questions about what was ``found``."""
        self.signed, self.addresses = found.name, found.address
        self.taken = {question.topic: [option.chosen for option in question.options] for question in asked}
        self.steps = ["begin", *asked, "you", "write"]

    @property
    def step(self) -> Question | str:
        return self.steps[self.place]

    @property
    def ready(self) -> bool:
        """True once the search of the machine has finished."""
        return len(self.steps) > 1

    def go(self, by: int) -> None:
        self.place = min(max(self.place + by, 0), len(self.steps) - 1)
        step = self.step
        taken = [] if isinstance(step, str) else self.taken[step.topic]
        self.cursor = taken.index(True) if taken and not isinstance(step, str) and not step.many else 0

    def move(self, by: int) -> None:
        """Move the cursor; if exactly one option must be chosen, choose the one under it."""
        step = self.step
        if isinstance(step, str) or not step.options:
            return
        self.cursor = (self.cursor + by) % len(step.options)
        if not step.many:
            self.taken[step.topic] = [place == self.cursor for place in range(len(step.options))]
            self.named.pop(step.topic, None)

    def take(self) -> None:
        """Toggle the option under the cursor."""
        step = self.step
        if not isinstance(step, str) and step.many and step.options:
            self.taken[step.topic][self.cursor] ^= True

    def skip(self) -> bool:
        """Reset the choice of this step and go on; return False if there is nothing to skip."""
        step = self.step
        if step in ("begin", "write"):
            return False
        if not isinstance(step, str):
            self.taken[step.topic] = [not step.many and place == 0 for place in range(len(step.options))]
            self.named.pop(step.topic, None)
        elif step == "you":
            self.signed, self.addresses = "", ""
        self.go(1)
        return True

    def wants_name(self) -> bool:
        """Check whether the chosen model still needs a name."""
        from pepper_tui.setup.first_start import ModelChoice

        if isinstance(self.step, str) or self.step.topic != "model":
            return False
        chosen = self._options("model")
        return bool(chosen) and isinstance(chosen[-1], ModelChoice) and not chosen[-1].name

    def name(self, asking: str, said: str) -> None:
        """Take ``said`` as the answer to ``asking``.

        It names something on this machine, so this may take a while. Raises ``ValueError`` or ``OSError``.
        """
        from pepper_tui.setup.first_start import ModelChoice
        from pepper_tui.setup.first_start.questions import addresses_in, named_calendar, named_mail

        if asking == "name":
            self.signed = said
        elif asking == "addresses":
            self.addresses = ", ".join(addresses_in(said))
        elif asking == "model" and said:
            [chosen] = [value for value in self._options("model") if isinstance(value, ModelChoice)]
            self.named["model"] = [replace(chosen, name=said)]
        elif said:
            read = named_mail if asking == "mail" else named_calendar
            self.named.setdefault(asking, []).append(read(said))

    def choices(self) -> Choices:
        """Return the choices that the config is made from."""
        from pepper_tui.setup.first_start import Calendars, Choices, Mails, ModelChoice, StarterRule
        from pepper_tui.setup.first_start.questions import addresses_in

        models = [value for value in self._options("model") if isinstance(value, ModelChoice) and value.name]
        return Choices(
            self.signed,
            addresses_in(self.addresses),
            [value for value in self._options("mail") if isinstance(value, Mails)],
            [value for value in self._options("calendar") if isinstance(value, Calendars)],
            models[-1] if models else None,
            [value for value in self._options("rules") if isinstance(value, StarterRule)],
        )

    def _options(self, topic: str) -> list[object]:
        question = next(step for step in self.steps if not isinstance(step, str) and step.topic == topic)
        chosen: list[Option] = [o for o, taken in zip(question.options, self.taken[topic], strict=True) if taken]
        return [option.value for option in chosen] + self.named.get(topic, [])
