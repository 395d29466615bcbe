"""The user's acts on the inbox: single keys while it has the focus, F-keys on its first card while typing.

Nothing is approved that was not in view to its end for half a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pepper_tui.model import QUESTION, ChoiceError, Namespace, Notification
from pepper_tui.text import one_line
from pepper_tui.ui.screen.desk import BUSY
from pepper_tui.ui.screen.inbox.card_view import FRESH_WORDS
from pepper_tui.ui.screen.inbox.form import Prompt
from pepper_tui.ui.screen.inbox.inbox_pane import InboxPane
from pepper_tui.ui.screen.inbox.moving import move
from pepper_tui.ui.shared.matters import ANSWERS, InboxItem, takes_words
from pepper_tui.ui.shared.names import not_done

if TYPE_CHECKING:
    from pepper_tui.engine.protocol import Engine
    from pepper_tui.model import Approval
    from pepper_tui.ui.screen.desk import Desk

_JOURNAL = ("undo", "redo")
SNOOZES = ("1h", "tomorrow 9am")


class Acts:
    """Turns a key on a card into a call of the engine. ``act`` is the word in the key table."""

    def __init__(self, app: Desk) -> None:
        self._app = app

    def by_letter(self, act: str) -> None:
        """Handle a letter in the inbox: acts on the card under the cursor."""
        inbox = self._app.query_one(InboxPane)
        if act in _JOURNAL:
            self._turn(act)
        elif inbox.chosen is None:
            self._app.say_words(inbox.list.none_chosen)
        elif inbox.card.takes_keys:
            self.act(act, inbox.chosen)
        else:
            self._app.say_words(FRESH_WORDS)

    def by_function_key(self, act: str) -> None:
        """Handle an F-key: acts on the inbox's open card, once it has been seen."""
        app = self._app
        if act in _JOURNAL:
            self._turn(act)
            return
        if app.asking.open:
            app.say_words(BUSY)
            return
        if app.reading.card is not None:
            app.reading.act(act)
            return
        inbox = app.query_one(InboxPane)
        item = inbox.chosen
        if item is None:
            app.say_words(inbox.list.none_chosen)
        elif act == "approve" and item.approval is None and (asking := self._first_that_asks()):
            app.reading.open_card(asking)
            app.say_words(f"This card asks for a yes: {self._yes} at its end approves")
        elif not inbox.card.in_view:
            app.panes.show("inbox")
            inbox.card.guard()
            app.say_words("Here is the card: press the key again to act on it")
        elif inbox.card.takes_keys:
            self.act(act, item)
        else:
            app.say_words(FRESH_WORDS)

    def _first_that_asks(self) -> InboxItem | None:
        items = self._app.board.inbox(self._app.clock.now())
        return next((item for item in items if item.approval is not None), None)

    def _turn(self, act: str) -> None:
        self._app.link.tell(lambda engine: engine.undo() if act == "undo" else engine.redo())

    def act(self, act: str, item: InboxItem) -> None:
        app, link, record, card, question = self._app, self._app.link, item.record, item.approval, item.question
        notices = item.notice_refs  # exactly what the card shows: later notices are not closed unread
        held = (*((item.ref,) if card is not None else ()), *notices)
        match act:
            case "why":
                app.reading.open_why(item.ref)
            case "always" if item.kind != "unknown":
                link.tell(lambda engine: engine.propose_rule(item.ref))
            case "approve" if card is not None and not app.query_one(InboxPane).card.was_read(item):
                app.reading.open_card(item)
                app.say_words(f"Here is the whole card: {self._yes} at its end approves")
            case "approve" if card is not None:
                link.tell(lambda engine: engine.approve(card.id))
            case "reject" if card is not None:
                link.tell(lambda engine: self._rejected(engine, item, card))
            case "reject_reason" if card is not None:
                app.asking.ask(
                    f"Why not: {one_line(str(card.effect.get('summary', '')))}",
                    lambda note: link.tell(lambda engine: self._rejected(engine, item, card, note)),
                    may_be_empty=True,
                )
            case "draft" if card is not None:
                link.tell(lambda engine: engine.save_draft(card.id))
            case "edit" if card is not None:
                app.asking.edit(card)
            case "edit" if question is not None and takes_words(question):
                app.asking.answer(
                    question.title,
                    lambda said: link.tell(lambda engine: engine.answer(item.ref, said.text, spans=said.spans)),
                )
            case "snooze" if card is not None or notices:
                first, *more = held
                app.asking.ask("Snooze until", lambda when: self._snooze(first, when, more), choices=SNOOZES)
            case "dismiss" if notices:
                link.tell(lambda engine: engine.dismiss(*held))
            case "done" if notices:
                link.tell(lambda engine: engine.done(*held))
            case "archive" | "trash" | "junk" | "flag" | "read" if held:
                link.tell(lambda engine: engine.file(held, act))
            case "nudge" if (awaits := item.awaits) is not None:
                link.tell(lambda engine: self._nudged(engine, awaits))
            case "move" if held:
                move(app, held)
            case "check" | "happened" | "did_not" | "leave" if question is not None and ANSWERS.index(act) < len(
                question.choices
            ):
                app.query_one(InboxPane).list.await_draft(question.matter)
                link.tell(lambda engine: engine.choose(item.ref, ANSWERS.index(act) + 1))
            case "check" | "happened" | "did_not" | "leave" if item.kind == "unknown":
                link.tell(lambda engine: engine.answer_unknown(record.id, act))
            case _:
                fitting = {
                    "approval": ("approve", "reject"),
                    "unknown": ANSWERS,
                    QUESTION: (*ANSWERS[: len(question.choices) if question else 0], "edit", "dismiss"),
                }
                ids = fitting.get(item.kind, ("done", "dismiss", "snooze"))
                wanted = ", ".join(app.key_names.of(f"inbox.{each}") for each in ids)
                app.say_words(f"That key does not fit this card; these do: {wanted}")

    async def _nudged(self, engine: Engine, notice: Notification) -> str:
        await engine.write_mail("nudge", f"{Namespace.NOTIFICATION}:{notice.id}", {})
        return "A reminder is drafted; its card comes in a moment. Nothing is sent before your yes"

    def _snooze(self, first: str, when: str, more: Sequence[str]) -> None:
        """Snooze, and ask again if the words can mean several times, or none."""

        async def snoozed(engine: Engine) -> str:
            try:
                return await engine.snooze(first, when, *more)
            except ChoiceError as asked:
                title = "Which time?" if asked.choices else "Snooze until"
                said = dict(asked.choices) or {each: each for each in (when, *SNOOZES)}
                self._app.call_after_refresh(self._again, title, said, first, more, bool(asked.choices))
                return asked.words

        self._app.link.tell(snoozed)

    async def _again(
        self, title: str, said: Mapping[str, str], first: str, more: Sequence[str], numbered: bool
    ) -> None:
        """Ask again. ``said``: the offered words, and their meanings."""
        await self._app.query("#prompt").remove()  # the first prompt is still being removed
        self._app.asking.ask(
            title,
            lambda one: self._snooze(first, said.get(one, one), more),
            choices=[*said],
            numbered=numbered,
        )
        # the focus is on its way back to where it was: move it here after that
        self._app.call_after_refresh(self._app.query_one("#prompt", Prompt).field.focus)

    async def _rejected(self, engine: Engine, item: InboxItem, card: Approval, note: str = "") -> str:
        """Reject a draft, and say what stays of its card."""
        words = await engine.reject(card.id, note)
        if not item.notices:
            return words
        stays = "the notice stays" if len(item.notices) == 1 else "the notices stay"
        key = self._app.key_names.of("inbox.done")
        return f"{not_done(card)}; {stays}: {key} closes {'it' if len(item.notices) == 1 else 'them'}"

    @property
    def _yes(self) -> str:
        names = self._app.key_names
        return f"{names.of('detail.approve')} or {names.of('head.approve')}"

    def cancel(self, row: str) -> None:
        """Cancel the call, or the worker's run, of a row."""
        if row not in self._app.board.runs and row not in self._app.board.calls:
            self._app.say_words("These are several: Enter lists them")
            return
        run = self._app.board.runs.get(row)
        self._app.link.tell(lambda engine: engine.cancel_call(run.call if run else row))
