"""Records of what was said: by the user, in answer to a question, and by Pepper."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pepper_tui.model.origins import Origin, Span, Written, whole
from pepper_tui.model.record import Record


@dataclass(slots=True)
class UserMessage(Record):
    """A message from the user.

    ``after_calls``: calls to wait for first (Alt+Enter); empty means the next step. ``alone``: a step takes it without
    other messages, so that it gets its own reply (`pepper ask`). ``spans``: the parts of ``text`` that were not typed;
    ``None`` if nobody noted them, as in records from before spans existed: then nothing counts as typed.
    """

    id: str
    text: str
    created_at: float
    after_calls: list[str] = field(default_factory=list)
    withdrawn: bool = False
    alone: bool = False
    spans: list[Span] | None = None

    def __post_init__(self) -> None:
        if self.spans is not None:
            self.spans = [Span.of(span) for span in self.spans]

    @property
    def written(self) -> Written:
        """The text with its origins."""
        spans = whole(self.text, Origin.OUTSIDE) if self.spans is None else self.spans
        return Written(self.text, tuple(spans))


@dataclass(slots=True)
class UserAnswer(Record):
    """The user's answer to the question of that id.

    ``chosen`` counts its choices from 1; 0 for the user's own words, whose ``spans`` are as in ``UserMessage``. The
    words of a choice are not the user's.
    """

    id: str
    text: str
    created_at: float
    chosen: int = 0
    spans: list[Span] | None = None

    def __post_init__(self) -> None:
        if self.spans is not None:
            self.spans = [Span.of(span) for span in self.spans]

    @property
    def written(self) -> Written:
        """The text with its origins."""
        typed = self.spans is not None and not self.chosen
        return Written(self.text, tuple(self.spans or ()) if typed else tuple(whole(self.text, Origin.OUTSIDE)))


@dataclass(slots=True)
class AssistantMessage(Record):
    """What Pepper said. ``step`` leads to the reason.

    ``kind``: ``trouble`` marks Pepper's own words about an error, ``unmet`` that nothing was done of what was asked, as
    it was not understood or there is no way to do it.
    """

    id: str
    text: str
    created_at: float
    step: str
    unfinished: bool = False
    kind: Literal["reply", "trouble", "unmet"] = "reply"
