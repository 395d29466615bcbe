"""The rules that a first start offers: what most people want to hear about, by facts alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class StarterRule:
    """``words`` say what it does, ``lines`` are its table in the config."""

    name: str
    words: str
    lines: tuple[str, ...]


STARTER_RULES: Final = (
    StarterRule(
        "urgent words",
        "tell me when somebody I have written to, or a VIP, writes that something is urgent or due",
        (
            "[[rule]]",
            'name = "urgent words"',
            'source = "mail"',
            'words = ["urgent", "urgently", "asap", "as soon as possible", "deadline", "due today", "end of day"]',
            "known = true",
            "notify = true",
        ),
    ),
    StarterRule(
        "direct questions",
        "tell me when a person asks something in a mail to me alone",
        ("[[rule]]", 'name = "direct questions"', 'source = "mail"', "question = true", "notify = true"),
    ),
)
