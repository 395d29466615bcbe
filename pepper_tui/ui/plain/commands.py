"""The commands of the plain mode: one table, which `/help` and the page on keys are made from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from pepper_tui.model import Approval, Notification, NotificationState, Origin, UnknownAnswer, Written, whole
from pepper_tui.text import clean, hidden, one_line, spelled, unseen_words, visible
from pepper_tui.tools.effects import proposals
from pepper_tui.ui.screen.inbox.cards import face
from pepper_tui.ui.screen.inbox.editing import edited_text
from pepper_tui.ui.shared import words
from pepper_tui.ui.shared.export import proposed_path, write_conversation
from pepper_tui.ui.shared.matters import InboxItem, takes_words
from pepper_tui.ui.shared.names import gist_facts, label_words

if TYPE_CHECKING:
    import asyncio

    from pepper_tui.clock import Clock
    from pepper_tui.ui.plain.news import News
    from pepper_tui.ui.plain.numbers import Numbers
    from pepper_tui.ui.screen.link import Link
    from pepper_tui.ui.shared.board import Board

LISTED: Final = 30
"""Rows that one list says at most."""
SEARCHED: Final = 10
"""Messages that a search says at most."""


@dataclass(frozen=True, slots=True)
class Command:
    """A word after the slash, what may follow it, and what it does."""

    name: str
    takes: str
    does: str


COMMANDS: Final = (
    Command("help", "", "say the commands"),
    Command("inbox", "[words]", "what waits for you, with its numbers; words narrow it"),
    Command("read", "number", "all of a card, signal, call or worker"),
    Command("yes", "number word", "approve the card; /read says the word for it"),
    Command("no", "number [why]", "reject the card"),
    Command("edit", "number field", "write a field of the card in your editor; saving does not approve"),
    Command("done", "number", "the card is done: its notices, and its draft is not sent"),
    Command("dismiss", "number", "dismiss all of the card"),
    Command("snooze", "number when", "bring it back later: 1h, tomorrow 9am"),
    Command("always", "number", "do this always: propose a rule from the card"),
    Command("undo", "", "take the last act back"),
    Command("redo", "", "do again what was undone"),
    Command("answer", "number words", "a question, by a number or in words; an outcome that is not known, by its word"),
    Command("why", "number", "signal, step, calls and cost behind it"),
    Command("signals", "[words]", "the newest signals"),
    Command("calls", "[words]", "what runs"),
    Command("workers", "[words]", "longer tasks"),
    Command("cancel", "number", "cancel a call or a worker's run"),
    Command("find", "words", "messages that hold the words"),
    Command("effects", "[words]", "every outside effect: who approved what, when"),
    Command("rules", "[words]", "what the rules say, and what came of them"),
    Command("pause", "number", "pause a rule"),
    Command("resume", "number", "let a paused rule go on"),
    Command("remove", "number", "remove a rule"),
    Command("later", "text", "a message for after the running calls"),
    Command("back", "", "take back the last message that was not read yet"),
    Command("stop", "", "stop the reply"),
    Command("write", "", "write a message in your editor"),
    Command("save", "[file]", "save the conversation"),
    Command("status", "", "model, cost, health, what was held back"),
    Command("quiet", "", "leave out signals, calls and workers; again: say them"),
    Command("quit", "", "leave"),
)


class Talk(Protocol):
    """The conversation that commands are given in."""

    @property
    def board(self) -> Board: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def link(self) -> Link: ...

    @property
    def news(self) -> News: ...

    @property
    def numbers(self) -> Numbers: ...

    @property
    def over(self) -> asyncio.Event: ...

    def say(self, *lines: str) -> None: ...

    async def tell(self, written: Written, *, after_calls: bool = False) -> None: ...


class Commands:
    """Does what is typed. Raises ``ValueError`` or ``EngineError`` with words."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._origin = Origin.TYPED
        self._heard: dict[str, tuple[str, str]] = {}  # key → (the face that was read, its word)

    async def do(self, line: str, origin: Origin = Origin.TYPED) -> None:
        """``origin``: of the line, and of a message in it."""
        self._origin = origin
        name, _, rest = line[1:].partition(" ")
        name, rest = name.strip().lower(), rest.strip()
        if name not in {command.name for command in COMMANDS}:
            raise ValueError(f"There is no /{one_line(name, 40)}; /help says what there is. Nothing was sent")
        act: Callable[[str], Awaitable[None]] = getattr(self, f"_{name}")
        await act(rest)

    # ------------------------------------------------------------------------------------------------ what is said

    def _say(self, *lines: str) -> None:
        self._talk.say(*lines)

    async def _help(self, rest: str) -> None:
        del rest
        for command in COMMANDS:
            takes = f" {command.takes}" if command.takes else ""
            self._say(f"/{command.name}{takes}: {command.does}")
        self._say("All else is a message to Pepper.")

    def _list(self, title: str, rows: Sequence[tuple[str, str]], rest: str) -> None:
        """Rows (ref, words), narrowed to those that hold ``rest``."""
        wanted = rest.casefold().split()
        found = [(ref, said) for ref, said in rows if all(word in said.casefold() for word in wanted)]
        of = f" of {len(rows)}" if wanted else ""
        self._say(f"{title}: {len(found) or 'none'}{of}")
        for ref, said in found[:LISTED]:
            self._say(f"{self._talk.numbers.of(ref)}: {said}")
        if len(found) > LISTED:
            self._say(f"And {len(found) - LISTED} more; words after the command narrow them")

    def _items(self) -> list[InboxItem]:
        return self._talk.board.inbox(self._talk.clock.now())

    async def _inbox(self, rest: str) -> None:
        zone, items = self._talk.link.zone, self._items()
        self._talk.numbers.told.update({item.key: {item.ref, *item.notice_refs} for item in items})
        self._list("Inbox", [(item.key, words.item_line(item, zone)) for item in items], rest)
        if deferred := self._talk.board.deferred():
            self._say(f"And {deferred}")

    async def _signals(self, rest: str) -> None:
        found = self._talk.board.newest_signals()
        self._list("Signals, the newest first", [(f"signal:{s.id}", words.signal_line(s)) for s in found], rest)

    async def _calls(self, rest: str) -> None:
        board, zone = self._talk.board, self._talk.link.zone
        found = board.listed_calls(self._talk.clock.now())
        self._list("Calls", [(f"call:{c.id}", words.call_line(c)) for c in found], rest)
        for reason, calls in board.deferred_calls().items():
            self._say(f"{len(calls)} more calls wait: {one_line(reason)}")
        awaited = board.awaited()
        for follow_up in awaited[:LISTED]:
            self._say(words.awaited_line(follow_up, zone))
        if len(awaited) > LISTED:
            self._say(f"And {len(awaited) - LISTED} more answers are waited for")

    async def _workers(self, rest: str) -> None:
        found = self._talk.board.listed_runs()
        self._list("Workers", [(f"run:{r.id}", words.run_line(r)) for r in found], rest)

    async def _effects(self, rest: str) -> None:
        engine = self._talk.link.ready()
        found = await proposals(engine.recall, 500)
        rows = [(f"approval:{p.approval.id}", ". ".join(words.proposal_lines(p, engine.zone))) for p in found]
        self._list("Effects, the newest first", rows, rest)

    async def _find(self, rest: str) -> None:
        wanted = rest.casefold().split()
        if not wanted:
            raise ValueError("/find wants words")
        messages = self._talk.board.conversation()
        found = [m for m in messages if all(word in clean(m.text).casefold() for word in wanted)]
        self._say(f"{len(found) or 'No'} message{'' if len(found) == 1 else 's'}, the newest last")
        for message in found[-SEARCHED:]:
            self._say(f"{words.moment(message.at, self._talk.link.zone)}", *words.message_lines(message))

    async def _read(self, rest: str) -> None:
        board, zone, ref = self._talk.board, self._talk.link.zone, self._talk.numbers.ref(rest)
        kind, _, key = ref.partition(":")
        if item := next((item for item in self._items() if item.names(ref)), None):
            self._say(*words.item_lines(item, zone))
            number = self._talk.numbers.tell(item.key, item.ref, *item.notice_refs)
            new = [f"notification:{n.id}" for n in item.notices if n.state is NotificationState.NEW]
            for each in new:
                await self._talk.link.ready().seen(each)
            if item.approval is not None:
                await self._talk.link.ready().seen(item.ref)
                word = self._talk.clock.new_id("yes")[-4:]
                self._heard[item.key] = (face(item), word)
                self._say(f"To approve exactly this: /yes {number} {word}. To reject it: /no {number}")
            elif (question := item.question) is not None:
                ways = ["the number of an answer"] if question.choices else []
                ways += ["your own words"] if takes_words(question) else []
                self._say(f"To answer it: /answer {number} and {' or '.join(ways)}")
            elif item.kind == "unknown":
                self._say(f"It is not known whether it happened: /answer {number} check, happened, did_not or leave")
        elif kind == "signal" and key in board.signals:
            signal = board.signals[key]
            facts = [f"{label}: {said}" for label, said in gist_facts(signal, zone)]
            facts += words.fact_lines(signal.metadata, zone)
            self._say(words.signal_line(signal), f"Arrived {words.moment(signal.created_at, zone)}", *facts)
        elif kind == "call" and key in board.calls:
            self._say(words.call_line(board.calls[key]), *self._progress(key))
        elif kind == "run" and key in board.runs:
            self._say(words.run_line(board.runs[key]))
        elif kind == "rule":
            await self._read_rule(key)
        else:
            found = await proposals(self._talk.link.ready().recall, 500)
            proposal = next((p for p in found if f"approval:{p.approval.id}" == ref), None)
            if proposal is None:
                raise ValueError("It is no longer there")
            lines = []
            for line in proposal.approval.resolved.lines:
                unseen = f" ({unseen_words(count)})" if (count := hidden(line.value)) else ""
                lines.append(f"{label_words(line)}{unseen}: {spelled(line.value)}")
            self._say(*words.proposal_lines(proposal, zone), *lines)

    async def _read_rule(self, rule: str) -> None:
        engine = self._talk.link.ready()
        report = next((each for each in await engine.rules() if each.rule.get("id") == rule), None)
        if report is None:
            raise ValueError("It is no longer there")
        self._say(words.rule_line(report), words.rule_counts(report), *clean(report.toml).splitlines())
        for act in (await engine.rule_acts(rule))[:LISTED]:
            said = f"{act.act.replace('_', ' ')} {act.state}" + (f": {one_line(act.detail)}" if act.detail else "")
            self._say(f"{words.moment(act.created_at, engine.zone)}, {said}. {one_line(act.about)}")

    def _progress(self, call_id: str) -> list[str]:
        said = self._talk.board.progress.get(call_id, "")
        return [one_line(said)] if said else []

    async def _status(self, rest: str) -> None:
        del rest
        engine, board = self._talk.link.ready(), self._talk.board
        now = self._talk.clock.now()
        self._say(f"Model: {'none, by your rules' if engine.offline else one_line(engine.model_name)}")
        self._say(f"Spent today: {board.spent_today(now, engine.zone):.2f}")
        for part in sorted(board.health.values(), key=lambda h: h.part):
            bad = part.state in ("trouble", "stopped") and part.remedy
            remedy = f". To fix it: {one_line(part.remedy)}" if bad else ""
            self._say(f"{one_line(part.part, 40)}: {part.state}, {one_line(part.detail)}{remedy}")
        self._say(f"Held back today: {board.held_today(now, engine.zone)}", *await engine.why("silence"))
        if dead := await engine.dead_letters():
            self._say(f"Deliveries given up: {len(dead)}; pepper store dead --redrive tries them again")

    # ------------------------------------------------------------------------------------------------ what acts

    def _item(self, number: str) -> InboxItem:
        ref = self._talk.numbers.ref(number)
        found = next((item for item in self._items() if item.names(ref)), None)
        if found is None:
            raise ValueError(f"{number} does not wait in the inbox: nothing was done")
        return found

    def _card(self, number: str) -> Approval:
        card = self._item(number).approval
        if card is None:
            raise ValueError(f"{number} does not ask for a yes: nothing was done")
        return card

    def _held(self, number: str) -> tuple[str, ...]:
        """What was said with ``number`` of a card that holds notifications: what came since is not closed unheard."""
        item, ref = self._item(number), self._talk.numbers.ref(number)
        told = self._talk.numbers.told.get(item.key, {ref})
        notices = tuple(each for each in item.notice_refs if each in told)
        if not notices:
            raise ValueError(f"{number} is not a notice, or was not read: nothing was done")
        return (*((item.ref,) if item.approval is not None and item.ref in told else ()), *notices)

    async def _tell(self, act: Awaitable[str]) -> None:
        self._say(await act)

    async def _yes(self, rest: str) -> None:
        number, _, word = rest.partition(" ")
        card, item = self._card(number), self._item(number)
        heard, right = self._heard.get(item.key, ("", ""))
        if not right:
            raise ValueError(f"Hear it first: /read {number} says the card and the word for it. Nothing was done")
        if heard != face(item):
            del self._heard[item.key]
            raise ValueError(f"The card has changed since you heard it: /read {number}. Nothing was done")
        if word.strip().lower() != right:
            raise ValueError(f"The word for this card is {right}: /yes {number} {right}. Nothing was done")
        await self._tell(self._talk.link.ready().approve(card.id))

    async def _no(self, rest: str) -> None:
        number, _, note = rest.partition(" ")
        item = self._item(number)
        await self._tell(self._talk.link.ready().reject(self._card(number).id, note.strip()))
        if item.notices:
            stays = "notice stays" if len(item.notices) == 1 else "notices stay"
            self._say(f"The {stays}: /done {number} closes {'it' if len(item.notices) == 1 else 'them'}")

    async def _edit(self, rest: str) -> None:
        number, _, label = rest.partition(" ")
        card = self._card(number)
        fields = {one_line(line.label, 40).casefold(): line for line in card.resolved.lines if line.editable}
        if not fields:
            raise ValueError("Nothing on this card can be edited; /no rejects it")
        line = fields.get(label.strip().casefold())
        if line is None:
            raise ValueError(f"Which field? /edit {number} and one of: {', '.join(fields)}")
        before = visible(line.value).rstrip("\n")
        engine = self._talk.link.ready()
        await engine.attend(True)  # no model changes the card under the user's hands
        try:
            text = await edited_text(before)
        finally:
            await engine.attend(False)
        if text == before:
            raise ValueError("Nothing was changed")
        await self._tell(engine.edit(card.id, {line.label: text}))

    async def _done(self, rest: str) -> None:
        await self._tell(self._talk.link.ready().done(*self._held(rest)))

    async def _dismiss(self, rest: str) -> None:
        await self._tell(self._talk.link.ready().dismiss(*self._held(rest)))

    async def _snooze(self, rest: str) -> None:
        number, _, when = rest.partition(" ")
        if not when.strip():
            raise ValueError("Until when? As in /snooze 1 tomorrow 9am")
        item = self._item(number)
        refs = [*self._held(number)] if item.notices else []
        if item.approval is not None and item.ref not in refs:
            refs.insert(0, item.ref)
        if not refs:
            raise ValueError(f"{number} can't be snoozed: nothing was done")
        await self._tell(self._talk.link.ready().snooze(refs[0], when.strip(), *refs[1:]))

    async def _always(self, rest: str) -> None:
        await self._tell(self._talk.link.ready().propose_rule(self._item(rest).ref))

    async def _rules(self, rest: str) -> None:
        found = await self._talk.link.ready().rules()
        said = [
            (f"rule:{r.rule.get('id', '')}", f"{words.rule_line(r).rstrip('.')}. {words.rule_counts(r)}") for r in found
        ]
        self._list("Rules", said, rest)

    def _rule(self, number: str) -> str:
        kind, _, key = self._talk.numbers.ref(number).partition(":")
        if kind != "rule":
            raise ValueError(f"{number} is no rule: nothing was done. /rules says their numbers")
        return key

    async def _pause(self, rest: str) -> None:
        await self._tell(self._talk.link.ready().pause_rule(self._rule(rest)))

    async def _resume(self, rest: str) -> None:
        await self._tell(self._talk.link.ready().resume_rule(self._rule(rest)))

    async def _remove(self, rest: str) -> None:
        await self._tell(self._talk.link.ready().remove_rule(self._rule(rest)))

    async def _undo(self, rest: str) -> None:
        del rest
        await self._tell(self._talk.link.ready().undo())

    async def _redo(self, rest: str) -> None:
        del rest
        await self._tell(self._talk.link.ready().redo())

    async def _answer(self, rest: str) -> None:
        number, _, said = rest.partition(" ")
        item = self._item(number)
        answers: dict[str, UnknownAnswer] = {
            "check": "check", "happened": "happened", "did_not": "did_not", "leave": "leave"
        }  # fmt: skip
        if item.question is not None:
            await self._tell(self._answered(item.ref, item.question, said.strip()))
            return
        if item.kind != "unknown" or said.strip() not in answers:
            raise ValueError(
                f"/answer {number} wants an item whose outcome is unknown, and one of {', '.join(answers)}"
            )
        await self._tell(self._talk.link.ready().answer_unknown(item.record.id, answers[said.strip()]))

    async def _answered(self, ref: str, question: Notification, said: str) -> str:
        if not said:
            raise ValueError("Answer what? As in /answer 1 2, or /answer 1 and your own words")
        number = int(said) if said.isdecimal() else 0
        if number and (number <= len(question.choices) or not takes_words(question)):
            return await self._talk.link.ready().choose(ref, number)
        return await self._talk.link.ready().answer(ref, said, spans=whole(said, self._origin))

    async def _cancel(self, rest: str) -> None:
        kind, _, key = self._talk.numbers.ref(rest).partition(":")
        if kind not in ("call", "run"):
            raise ValueError(f"{rest} is no call and no worker: nothing was done")
        run = self._talk.board.runs.get(key)
        await self._tell(self._talk.link.ready().cancel_call(run.call if kind == "run" and run else key))

    async def _why(self, rest: str) -> None:
        ref = self._talk.numbers.ref(rest)
        ref = next((item.ref for item in self._items() if item.names(ref)), ref)
        self._say(*(clean(line) for line in await self._talk.link.ready().why(ref)))

    async def _later(self, rest: str) -> None:
        if not rest:
            raise ValueError("/later wants a text")
        await self._talk.tell(Written.by(rest, self._origin), after_calls=True)

    async def _back(self, rest: str) -> None:
        del rest
        taken = await self._talk.link.ready().take_back()
        self._say("Nothing to take back: Pepper has read it all" if taken is None else f"Taken back: {taken.text}")

    async def _stop(self, rest: str) -> None:
        del rest
        await self._talk.link.ready().stop_reply()
        self._say("Stopped")

    async def _write(self, rest: str) -> None:
        del rest
        text = (await edited_text("")).strip()
        if not text:
            raise ValueError("Nothing was written, nothing was sent")
        await self._talk.tell(Written.by(text, Origin.EDITOR))

    async def _save(self, rest: str) -> None:
        link = self._talk.link
        now = datetime.fromtimestamp(self._talk.clock.now(), link.zone)
        path = Path(rest) if rest else proposed_path(now)
        await self._tell(write_conversation(link.ready().recall, path, link.zone))

    async def _quiet(self, rest: str) -> None:
        del rest
        news = self._talk.news
        news.quiet = not news.quiet
        self._say("Quiet: only replies, the inbox and trouble" if news.quiet else "Signals, calls and workers are said")

    async def _quit(self, rest: str) -> None:
        del rest
        self._talk.over.set()
