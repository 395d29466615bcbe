"""The commands that act on a card. A number alone approves nothing: see ``yes``."""

from __future__ import annotations

from pepper_tui.model import Notification, UnknownAnswer, whole
from pepper_tui.text import one_line, visible
from pepper_tui.ui.plain.commands.given import Given, held
from pepper_tui.ui.screen.inbox.cards import face
from pepper_tui.ui.screen.inbox.editing import edited_text
from pepper_tui.ui.shared.matters import takes_words


async def yes(given: Given, rest: str) -> None:
    number, _, word = rest.partition(" ")
    card, item = given.card(number), given.item(number)
    heard, right = given.heard.get(item.key, ("", ""))
    if not right:
        raise ValueError(f"Hear it first: /read {number} says the card and the word for it. Nothing was done")
    if heard != face(item):
        del given.heard[item.key]
        raise ValueError(f"The card has changed since you heard it: /read {number}. Nothing was done")
    if word.strip().lower() != right:
        raise ValueError(f"The word for this card is {right}: /yes {number} {right}. Nothing was done")
    await given.tell(given.engine.approve(card.id))


async def no(given: Given, rest: str) -> None:
    number, _, note = rest.partition(" ")
    item = given.item(number)
    await given.tell(given.engine.reject(given.card(number).id, note.strip()))
    if item.notices:
        stays = "notice stays" if len(item.notices) == 1 else "notices stay"
        given.say(f"The {stays}: /done {number} closes {'it' if len(item.notices) == 1 else 'them'}")


async def edit(given: Given, rest: str) -> None:
    number, _, label = rest.partition(" ")
    card = given.card(number)
    fields = {one_line(line.label, 40).casefold(): line for line in card.resolved.lines if line.editable}
    if not fields:
        raise ValueError("Nothing on this card can be edited; /no rejects it")
    line = fields.get(label.strip().casefold())
    if line is None:
        raise ValueError(f"Which field? /edit {number} and one of: {', '.join(fields)}")
    before = visible(line.value).rstrip("\n")
    engine = given.engine
    await engine.attend(True)  # no model changes the card under the user's hands
    try:
        text = await edited_text(before)
    finally:
        await engine.attend(False)
    if text == before:
        raise ValueError("Nothing was changed")
    await given.tell(engine.edit(card.id, {line.label: text}))


async def draft(given: Given, rest: str) -> None:
    await given.tell(given.engine.save_draft(given.card(rest).id))


async def done(given: Given, rest: str) -> None:
    await given.tell(given.engine.done(*held(given, rest)))


async def dismiss(given: Given, rest: str) -> None:
    await given.tell(given.engine.dismiss(*held(given, rest)))


async def snooze(given: Given, rest: str) -> None:
    number, _, when = rest.partition(" ")
    if not when.strip():
        raise ValueError("Until when? As in /snooze 1 tomorrow 9am")
    item = given.item(number)
    refs = [*held(given, number)] if item.notices else []
    if item.approval is not None and item.ref not in refs:
        refs.insert(0, item.ref)
    if not refs:
        raise ValueError(f"{number} can't be snoozed: nothing was done")
    await given.tell(given.engine.snooze(refs[0], when.strip(), *refs[1:]))


async def always(given: Given, rest: str) -> None:
    await given.tell(given.engine.propose_rule(given.item(rest).ref))


async def undo(given: Given, rest: str) -> None:
    del rest
    await given.tell(given.engine.undo())


async def redo(given: Given, rest: str) -> None:
    del rest
    await given.tell(given.engine.redo())


async def answer(given: Given, rest: str) -> None:
    number, _, said = rest.partition(" ")
    item = given.item(number)
    answers: dict[str, UnknownAnswer] = {
        "check": "check", "happened": "happened", "did_not": "did_not", "leave": "leave"
    }  # fmt: skip
    if item.question is not None:
        await given.tell(_answered(given, item.ref, item.question, said.strip()))
        return
    if item.kind != "unknown" or said.strip() not in answers:
        raise ValueError(f"/answer {number} wants an item whose outcome is unknown, and one of {', '.join(answers)}")
    await given.tell(given.engine.answer_unknown(item.record.id, answers[said.strip()]))


async def _answered(given: Given, ref: str, question: Notification, said: str) -> str:
    if not said:
        raise ValueError("Answer what? As in /answer 1 2, or /answer 1 and your own words")
    number = int(said) if said.isdecimal() else 0
    if number and (number <= len(question.choices) or not takes_words(question)):
        return await given.engine.choose(ref, number)
    return await given.engine.answer(ref, said, spans=whole(said, given.origin))
