"""The commands of the plain mode in one table, from which `/help` and the help page on keys are made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from pepper_tui.model import Origin
from pepper_tui.text import one_line
from pepper_tui.ui.plain.commands import cards, filing, lists, mail, messages, reading, rules
from pepper_tui.ui.plain.commands.given import Given, Talk


@dataclass(frozen=True, slots=True)
class Command:
    """A command: the word after the slash, its arguments, its description, and the act itself."""

    name: str
    takes: str
    does: str
    act: Callable[[Given, str], Awaitable[None]]


class Commands:
    """Runs what is typed. Raises ``ValueError`` or ``EngineError`` with words."""

    def __init__(self, talk: Talk) -> None:
        self._given = Given(talk)

    async def do(self, line: str, origin: Origin = Origin.TYPED) -> None:
        """Run the command on ``line``. ``origin``: that of the line, and of a message in it."""
        self._given.origin = origin
        name, _, rest = line[1:].partition(" ")
        name = name.strip().lower()
        command = next((each for each in COMMANDS if each.name == name), None)
        if command is None:
            raise ValueError(f"There is no /{one_line(name, 40)}; /help says what there is. Nothing was sent")
        await command.act(self._given, rest.strip())


async def _help(given: Given, rest: str) -> None:
    del rest
    for command in COMMANDS:
        takes = f" {command.takes}" if command.takes else ""
        given.say(f"/{command.name}{takes}: {command.does}")
    given.say("All else is a message to Pepper.")


COMMANDS: Final = (
    Command("help", "", "say the commands", _help),
    Command("inbox", "[words]", "what waits for you, with its numbers; words narrow it", lists.inbox),
    Command("read", "number", "all of a card, signal, call or worker", reading.read),
    Command("yes", "number word", "approve the card; /read says the word for it", cards.yes),
    Command("no", "number [why]", "reject the card", cards.no),
    Command("edit", "number field", "write a field of the card in your editor; saving does not approve", cards.edit),
    Command("draft", "number", "save the card's mail as a draft at its account, and the card is done", cards.draft),
    Command("done", "number", "the card is done: its notices, and its draft is not sent", cards.done),
    Command("dismiss", "number", "dismiss all of the card", cards.dismiss),
    Command("snooze", "number when", "bring it back later: 1h, tomorrow 9am", cards.snooze),
    Command("always", "number", "do this always: propose a rule from the card", cards.always),
    Command("archive", "number", "archive the card's mail, and the card is done", filing.files("archive")),
    Command("trash", "number", "put the card's mail in the trash", filing.files("trash")),
    Command("spam", "number", "the card's mail is spam", filing.files("junk")),
    Command("move", "number folder", "move the card's mail to a folder", filing.move),
    Command("flag", "number", "flag the card's mail; the card stays", filing.files("flag")),
    Command("nudge", "number", "no answer came: draft a reminder to them", filing.nudge),
    Command("seen", "number", "mark the card's mail as read, and the card is done", filing.files("read")),
    Command("undo", "", "take the last act back", cards.undo),
    Command("redo", "", "do again what was undone", cards.redo),
    Command(
        "answer",
        "number words",
        "a question, by a number or in words; an outcome that is not known, by its word",
        cards.answer,
    ),
    Command("why", "number", "signal, step, calls and cost behind it", reading.why),
    Command("signals", "[words]", "the newest signals", lists.signals),
    Command("calls", "[words]", "what runs", lists.calls),
    Command("workers", "[words]", "longer tasks", lists.workers),
    Command("mail", "[filter]", "all mail as threads, unread first: words, from:, in:, is:unread, after:", mail.mail),
    Command("open", "number", "read a thread of the mail", mail.open_thread),
    Command("attached", "number [which]", "read a file of a thread as text, the first or the one named", mail.attached),
    Command("reply", "number words", "answer a thread; a card asks for your yes", mail.reply),
    Command("cancel", "number", "cancel a call or a worker's run", rules.cancel),
    Command("find", "words", "messages that hold the words", lists.find),
    Command("effects", "[words]", "every outside effect: who approved what, when", lists.effects),
    Command("rules", "[words]", "what the rules say, and what came of them", rules.rules),
    Command("pause", "number", "pause a rule", rules.pause),
    Command("resume", "number", "let a paused rule go on", rules.resume),
    Command("remove", "number", "remove a rule", rules.remove),
    Command("later", "text", "a message for after the running calls", messages.later),
    Command("back", "", "take back the last message that was not read yet", messages.back),
    Command("stop", "", "stop the reply", messages.stop),
    Command("write", "", "write a message in your editor", messages.write),
    Command("save", "[file]", "save the conversation", messages.save),
    Command("status", "", "model, cost, health, what was held back", reading.status),
    Command("quiet", "", "leave out signals, calls and workers; again: say them", messages.quiet),
    Command("quit", "", "leave", messages.leave),
)
