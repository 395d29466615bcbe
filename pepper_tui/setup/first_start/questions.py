"""The questions of a first start, in order, shared by the screen and the command line. Each can be skipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pepper_tui.setup.first_start.config_text import Choices, ModelChoice
from pepper_tui.setup.first_start.discovery import Calendars, Found, Key, Mails, mail_count
from pepper_tui.setup.first_start.starter_rules import STARTER_RULES, StarterRule
from pepper_tui.text import one_line

SHOWN: Final = 8
"""How many models of one server are offered."""
Topic = Literal["mail", "calendar", "model", "rules"]


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose. ``chosen``: taken if the user just continues."""

    words: str
    value: Mails | Calendars | ModelChoice | StarterRule | None
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """One question. ``many``: any number of options, else exactly one. ``nothing``: the text if there are none."""

    topic: Topic
    title: str
    words: str
    options: tuple[Option, ...]
    many: bool
    nothing: str = ""

    @property
    def open(self) -> bool:
        """Whether the user may name others than the options."""
        return self.many and self.topic != "rules"


def questions(found: Found) -> list[Question]:
    """Return the questions about what was found."""
    mails = tuple(Option(_mail_words(mails), mails, chosen=True) for mails in found.mails)
    calendars = tuple(Option(_calendar_words(each), each, chosen=True) for each in found.calendars)
    return [
        Question(
            "mail",
            "Mail",
            "Pepper reads the mail on this machine, and changes none of it.",
            mails,
            many=True,
            nothing="No mail folder (Maildir) was found at the usual places. You can name one. "
            "Mail at a server is added afterwards: Ctrl+N in Pepper, or pepper accounts add.",
        ),
        Question(
            "calendar",
            "Calendar",
            "Pepper reads .ics files, and tells you what begins soon.",
            calendars,
            many=True,
            nothing="No calendar was found at the usual places. You can name a file or folder. "
            "Those at a server, or under an address, are added afterwards: Ctrl+N in Pepper, or pepper accounts add.",
        ),
        Question(
            "model",
            "Language model",
            "With a model Pepper understands what you say, and judges what comes in. What it reads is sent there.",
            _model_options(found),
            many=False,
        ),
        Question(
            "rules",
            "Rules",
            "What Pepper tells you about, besides VIPs and what begins soon. Add other rules in the chat at any time.",
            tuple(Option(f"{rule.name}: {rule.words}", rule, chosen=True) for rule in STARTER_RULES),
            many=True,
        ),
    ]


def _mail_words(mails: Mails) -> str:
    count = "1 mail" if mails.count == 1 else f"{mails.count} mails"
    return f"{mails.path} ({'mbox file' if mails.mbox else count})"


def _calendar_words(calendars: Calendars) -> str:
    return f"{calendars.path} ({calendars.count} file{'' if calendars.count == 1 else 's'})"


def _model_options(found: Found) -> tuple[Option, ...]:
    options = [Option("none: Pepper works by your rules, nothing leaves this machine", None, chosen=True)]
    for server in found.servers:
        options += [
            Option(f"{one_line(name, 60)} on this machine ({server.kind})", ModelChoice(name, server.base_url))
            for name in server.models[:SHOWN]
        ]
    options += [Option(_key_words(key), ModelChoice(key.model, key.base_url, key.variable)) for key in found.keys]
    return tuple(options)


def _key_words(key: Key) -> str:
    return f"{key.model or 'a model'} of {key.provider}, with the key in ${key.variable}"


def named_mail(words: str) -> Mails:
    """Return the mail folder or file that the user names. Raises ``ValueError`` with words. Blocking."""
    path = Path(words.strip()).expanduser()
    if path.is_file():
        with path.open("rb") as file:
            if file.read(5) != b"From ":
                raise ValueError(f"{words}: neither a Maildir nor an mbox file")
        return Mails(path.absolute(), 0, mbox=True)
    if not path.is_dir():
        raise ValueError(f"{words} is not there")
    if not ((path / "cur").is_dir() or (path / "new").is_dir()):
        raise ValueError(f"{words} has neither new/ nor cur/: name the Maildir itself, not its parent")
    return Mails(path.absolute(), mail_count(path))


def named_calendar(words: str) -> Calendars:
    """Return the calendar that the user names. Raises ``ValueError`` with words. Blocking."""
    path = Path(words.strip()).expanduser()
    if not path.exists():
        raise ValueError(f"{words} is not there")
    if path.is_file() and path.suffix.lower() != ".ics":
        raise ValueError(f"{words} is not an .ics file")
    return Calendars(path.absolute(), 1 if path.is_file() else sum(1 for _ in path.rglob("*.ics")))


def addresses_in(words: str) -> list[str]:
    """Split addresses at commas or spaces. Raises ``ValueError`` with words."""
    found = words.replace(",", " ").split()
    for each in found:
        if each.count("@") != 1 or not all(each.split("@")):
            raise ValueError(f"{one_line(each, 60)} is not an address")
    return found


def summary(choices: Choices) -> list[str]:
    """Summarise what the config would set up, one line each."""
    model = choices.model
    where = f"{model.name} at {model.base_url or 'OpenAI'}" if model else "none, by your rules"
    return [
        f"Mail      {_listed([str(mails.path) for mails in choices.mails])}",
        f"Calendar  {_listed([str(each.path) for each in choices.calendars])}",
        f"You       {_listed([choices.name, *choices.addresses])}",
        f"Model     {where}",
        f"Rules     {_listed([rule.name for rule in choices.rules])}",
        "Sending   off until an account names a server; nothing goes out without your yes",
    ]


def _listed(words: Sequence[str]) -> str:
    return ", ".join(one_line(each, 200) for each in words if each) or "none"
