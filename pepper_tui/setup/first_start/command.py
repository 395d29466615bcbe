"""`pepper init`: the first start's questions on the command line. Enter accepts the value in brackets."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import typer

from pepper_tui.config import CONFIG_FILE
from pepper_tui.setup.first_start.config_text import Choices, ModelChoice, config_text
from pepper_tui.setup.first_start.discovery import Calendars, Found, Mails, discover
from pepper_tui.setup.first_start.questions import (
    Question,
    addresses_in,
    named_calendar,
    named_mail,
    questions,
    summary,
)
from pepper_tui.setup.first_start.starter_rules import StarterRule
from pepper_tui.setup.first_start.writing import ConfigExistsError, write_config
from pepper_tui.text import one_line
from pepper_tui.text.errors import PepperError

T = TypeVar("T")


class FirstStartError(PepperError):
    """There is nobody to ask, or nothing may be written; the message says why."""


def init(home: Path, *, yes: bool) -> bool:
    """Ask, and write the config; return whether there is one now.

    ``yes`` asks nothing: it takes the mail and calendars found, and no model except the one for the user's own
    $OPENAI_API_KEY. Raises ``FirstStartError``, ``OSError`` with nothing changed; ``typer.Abort`` if the user leaves.
    """
    path = home / CONFIG_FILE
    if not yes and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise FirstStartError("pepper init asks, and there is no terminal to answer: pepper init --yes")
    if yes and path.exists():
        raise FirstStartError(f"{path} already exists, and --yes overwrites nothing: pepper init")
    typer.echo("Looking for mail, calendars and models on this machine …")
    found = asyncio.run(discover(Path.home(), os.environ))
    choices = _taken(found) if yes else _asked(found)
    typer.echo("")
    for line in summary(choices):
        typer.echo(line)
    replaces = False
    if not yes:
        if path.exists():
            typer.echo(f"{path} already exists; it would be kept as {path.name}.old")
            replaces = typer.confirm("Replace it?", default=False)
        if not replaces and (path.exists() or not typer.confirm(f"Write {path}?", default=True)):
            typer.echo("Nothing was written.")
            return path.exists()
    try:
        write_config(home, config_text(choices, Path.home()), replace=replaces)
    except ConfigExistsError as error:
        raise FirstStartError(f"{error}; nothing was written") from error
    typer.echo(f"Wrote {path}. Next: pepper, or pepper doctor")
    return True


def _taken(found: Found) -> Choices:
    """Return the choices that are made without asking."""
    for server in found.servers:
        models = ", ".join(one_line(name, 60) for name in server.models[:3])
        typer.echo(f"Found {server.kind} ({models or 'no model yet'}); not used without asking: pepper init asks")
    own = next((key for key in found.keys if key.variable == "OPENAI_API_KEY"), None)
    model = ModelChoice(own.model, own.base_url, own.variable) if own else None
    return Choices(found.name, [found.address] if found.address else [], found.mails, found.calendars, model)


def _asked(found: Found) -> Choices:
    choices = Choices()
    for question in questions(found):
        typer.echo("")
        typer.secho(question.title, bold=True)
        typer.echo(question.words)
        for number, option in enumerate(question.options, 1):
            typer.echo(f"  {number}  {one_line(option.words, 200)}")
        if not question.options:
            typer.echo(question.nothing)
        if question.topic == "model":
            choices = replace(choices, model=_one_model(question))
        elif question.topic == "rules":
            choices = replace(choices, rules=[value for value in _some(question) if isinstance(value, StarterRule)])
        elif question.topic == "mail":
            kept = [value for value in _some(question) if isinstance(value, Mails)]
            choices = replace(choices, mails=kept + _more("Another Maildir or mbox file", named_mail))
        else:
            dates = [value for value in _some(question) if isinstance(value, Calendars)]
            choices = replace(choices, calendars=dates + _more("Another .ics file or folder", named_calendar))
    typer.echo("")
    typer.secho("You", bold=True)
    name = _prompt("Your name, as drafts are signed", found.name)
    addresses = _until(lambda: addresses_in(_prompt("Your addresses", found.address)))
    return replace(choices, name=name.strip(), addresses=addresses)


def _some(question: Question) -> list[object]:
    """Ask which options the user takes: numbers, or 0 for none."""
    if not question.options:
        return []
    chosen = " ".join(str(number) for number, option in enumerate(question.options, 1) if option.chosen)

    def numbers() -> list[object]:
        said = typer.prompt("Which? Numbers, or 0 for none", default=chosen).replace(",", " ").split()
        if said == ["0"]:
            return []
        return [question.options[_number(each, len(question.options)) - 1].value for each in said]

    return _until(numbers)


def _one_model(question: Question) -> ModelChoice | None:
    def number() -> object:
        return question.options[_number(typer.prompt("Which one?", default="1"), len(question.options)) - 1].value

    model = _until(number)
    if not isinstance(model, ModelChoice):
        return None
    if not model.name:
        name = _prompt("The model's name, as its provider writes it (empty: none)", "")
        return replace(model, name=name.strip()) if name.strip() else None
    return model


def _more(words: str, read: Callable[[str], T]) -> list[T]:
    """Ask for more than was found; an empty answer ends it."""

    def one() -> T | None:
        said = _prompt(f"{words} (empty: no more)", "")
        return read(said) if said.strip() else None

    found: list[T] = []
    while (each := _until(one)) is not None:
        found.append(each)
    return found


def _prompt(words: str, default: str) -> str:
    said: str = typer.prompt(words, default=default, show_default=bool(default))
    return said


def _number(word: str, most: int) -> int:
    if not word.isdecimal() or not 0 < int(word) <= most:
        raise ValueError(f"{one_line(word, 20)} is not one of the numbers above")
    return int(word)


def _until(ask: Callable[[], T]) -> T:
    """Ask again until the answer can be used."""
    while True:
        try:
            return ask()
        except (ValueError, OSError) as error:
            typer.echo(one_line(str(error), 200))
