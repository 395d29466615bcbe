"""The commands that print one thing in full: what it is, why it is there, how Pepper is."""

from __future__ import annotations

from pepper_tui.model import NotificationState
from pepper_tui.text import clean, hidden, one_line, spelled, unseen_words
from pepper_tui.tools.effects import proposals
from pepper_tui.ui.plain.commands.given import LISTED, Given
from pepper_tui.ui.screen.inbox.cards import face
from pepper_tui.ui.shared import words
from pepper_tui.ui.shared.matters import takes_words
from pepper_tui.ui.shared.names import gist_facts, label_words


async def read(given: Given, rest: str) -> None:
    board, zone, ref = given.talk.board, given.talk.link.zone, given.talk.numbers.ref(rest)
    kind, _, key = ref.partition(":")
    if item := next((item for item in given.items() if item.names(ref)), None):
        given.say(*words.item_lines(item, zone))
        number = given.talk.numbers.tell(item.key, item.ref, *item.notice_refs)
        new = [f"notification:{n.id}" for n in item.notices if n.state is NotificationState.NEW]
        for each in new:
            await given.engine.seen(each)
        if item.approval is not None:
            await given.engine.seen(item.ref)
            word = given.talk.clock.new_id("yes")[-4:]
            given.heard[item.key] = (face(item), word)
            given.say(f"To approve exactly this: /yes {number} {word}. To reject it: /no {number}")
        elif (question := item.question) is not None:
            ways = ["the number of an answer"] if question.choices else []
            ways += ["your own words"] if takes_words(question) else []
            given.say(f"To answer it: /answer {number} and {' or '.join(ways)}")
        elif item.kind == "unknown":
            given.say(f"It is not known whether it happened: /answer {number} check, happened, did_not or leave")
    elif kind == "signal" and key in board.signals:
        signal = board.signals[key]
        facts = [f"{label}: {said}" for label, said in gist_facts(signal, zone)]
        facts += words.fact_lines(signal.metadata, zone)
        given.say(words.signal_line(signal), f"Arrived {words.moment(signal.created_at, zone)}", *facts)
    elif kind == "call" and key in board.calls:
        given.say(words.call_line(board.calls[key]), *_progress(given, key))
    elif kind == "run" and key in board.runs:
        given.say(words.run_line(board.runs[key]))
    elif kind == "rule":
        await _read_rule(given, key)
    else:
        found = await proposals(given.engine.recall, 500)
        proposal = next((p for p in found if f"approval:{p.approval.id}" == ref), None)
        if proposal is None:
            raise ValueError("It is no longer there")
        lines = []
        for line in proposal.approval.resolved.lines:
            unseen = f" ({unseen_words(count)})" if (count := hidden(line.value)) else ""
            lines.append(f"{label_words(line)}{unseen}: {spelled(line.value)}")
        given.say(*words.proposal_lines(proposal, zone), *lines)


async def _read_rule(given: Given, rule: str) -> None:
    engine = given.engine
    report = next((each for each in await engine.rules() if each.rule.get("id") == rule), None)
    if report is None:
        raise ValueError("It is no longer there")
    given.say(words.rule_line(report), words.rule_counts(report), *clean(report.toml).splitlines())
    for act in (await engine.rule_acts(rule))[:LISTED]:
        said = f"{act.act.replace('_', ' ')} {act.state}" + (f": {one_line(act.detail)}" if act.detail else "")
        given.say(f"{words.moment(act.created_at, engine.zone)}, {said}. {one_line(act.about)}")


def _progress(given: Given, call_id: str) -> list[str]:
    said = given.talk.board.progress.get(call_id, "")
    return [one_line(said)] if said else []


async def why(given: Given, rest: str) -> None:
    ref = given.talk.numbers.ref(rest)
    ref = next((item.ref for item in given.items() if item.names(ref)), ref)
    given.say(*(clean(line) for line in await given.engine.why(ref)))


async def status(given: Given, rest: str) -> None:
    del rest
    engine, board = given.engine, given.talk.board
    now = given.talk.clock.now()
    given.say(f"Model: {'none, by your rules' if engine.offline else one_line(engine.model_name)}")
    given.say(f"Spent today: {board.spent_today(now, engine.zone):.2f}")
    for part in sorted(board.health.values(), key=lambda h: h.part):
        bad = part.state in ("trouble", "stopped") and part.remedy
        remedy = f". To fix it: {one_line(part.remedy)}" if bad else ""
        given.say(f"{one_line(part.name, 40)}: {part.state}, {one_line(part.detail)}{remedy}")
    given.say(f"Held back today: {board.held_today(now, engine.zone)}", *await engine.why("silence"))
    if dead := await engine.dead_letters():
        given.say(f"Deliveries given up: {len(dead)}; pepper store dead --redrive tries them again")
