"""What is left after an attack, read from the outside world and the store's own file: what of it can't be?"""

from __future__ import annotations

from collections import Counter, defaultdict
from email import message_from_bytes
from typing import TYPE_CHECKING

from pepper_tui.model import Json
from tests.kill.attack import tag_of_call
from tests.kill.calendars.checks import Checks
from tests.kill.mind import WORKER_STEPS
from tests.kill.outside import BODY

if TYPE_CHECKING:
    from tests.kill.attack import Attack

OUTSIDE = {"draft_reply", "send_mail", "append_line", "own__append", "own__crash_after"}


def check(attack: Attack) -> list[str]:
    """Each problem as a line that begins with ``lost``, ``twice``, ``hidden`` or ``order``."""
    found = [*inputs(attack), *speech(attack), *effects(attack), *workers(attack), *reminders(attack), *order(attack)]
    return [
        *found,
        *orders(attack),
        *follow_ups(attack),
        *rules(attack),
        *edits(attack),
        *copies(attack),
        *attack.filing.problems(),
        *Checks(attack, attack.calendars).problems(),
    ]


def taken_by(attack: Attack) -> dict[str, list[str]]:
    """Ids of the steps that took each input."""
    taken: dict[str, list[str]] = defaultdict(list)
    for step in attack.facts("step"):
        for name in step["inputs"]:
            taken[name].append(step["id"])
    return taken


def inputs(attack: Attack) -> list[str]:
    """Each accepted message and mail is there once, and was taken by one step."""
    problems = []
    taken = taken_by(attack)
    messages = {message["id"]: message for message in attack.facts("user.message")}
    by_tag: dict[str, list[Json]] = defaultdict(list)
    for message in messages.values():
        by_tag[message["text"].split()[0]].append(message)
    for tag, ident in attack.given.said.items():
        if ident and ident not in messages:
            problems.append(f"lost: message {tag} was accepted and is not there")
        if len(by_tag[tag]) > 1:
            problems.append(f"twice: message {tag}")
    names = [f"user.message:{ident}" for ident in messages]
    raw = Counter(str(mail["subject"]).split()[0] for mail in attack.facts("raw.mail"))
    signals = attack.facts("signals.mail")
    signalled = Counter(signal["content"].split(": ")[1].split()[0] for signal in signals)
    for tag in attack.given.mails:
        for what, counts in (("mail", raw), ("signal", signalled)):
            if counts[tag] != 1:
                problems.append(f"{'twice' if counts[tag] else 'lost'}: {what} {tag} is there {counts[tag]} times")
    for space in ("signals.mail", "signals.clock", "signals.follow_up", "signals.calendar"):
        names += [f"{space}:{signal['id']}" for signal in attack.facts(space) if signal["priority"] != "log"]
    names += [f"tool.result:{r['call']}" for r in attack.facts("tool.result") if r["origin"].startswith("step:")]
    versions = results(attack)
    for name in names:
        steps, due = taken.get(name, []), versions.get(name, 1)
        if len(steps) > due:
            problems.append(f"twice: {name} has {due} versions and was taken by {steps}")
        elif len(steps) < due and not rode_along(attack, name):
            problems.append(f"lost: {name} has {due} versions and was taken by {steps}")
    return problems


def results(attack: Attack) -> dict[str, int]:
    """How many versions each result has: a decision taken back, or an unknown that was settled, makes a new one."""
    return {
        f"tool.result:{ident}": count
        for ident, count in attack.sql(
            "SELECT u.context_id, count(*) FROM updates u JOIN namespaces n ON n.id = u.ns"
            " WHERE n.name = 'tool.result' GROUP BY u.context_id"
        )
    }


def rode_along(attack: Attack, name: str) -> bool:
    """Whether a result of a quiet local act lies in the history without a step of its own."""
    namespace, _, ident = name.partition(":")
    return namespace == "tool.result" and any(f'id="{ident}"' in entry["text"] for entry in attack.facts("history"))


def speech(attack: Attack) -> list[str]:
    """Each reply and each notification appears once."""
    problems = []
    said = Counter(
        word
        for message in attack.facts("assistant.message")
        for part in message["text"].split(" · ")
        if (word := part.strip()).startswith(("pong", "got"))
    )
    versions = results(attack)
    for word, count in said.items():
        if count > versions.get(f"tool.result:{word.split()[1]}", 1):
            problems.append(f"twice: the reply {word!r}, {count} times")
    steps = Counter(message["step"] for message in attack.facts("assistant.message"))
    problems += [f"twice: step {step} spoke {count} times" for step, count in steps.items() if count > 1]
    told = ("notice", "question")
    titles = Counter(one["title"] for one in attack.facts("notification") if one["title"].startswith(told))
    problems += [f"twice: {title!r} is there {count} times" for title, count in titles.items() if count > 1]
    for call in attack.facts("tool.call"):
        if call["name"] == "notify" and call["state"] == "succeeded" and not titles[call["arguments"]["title"]]:
            problems.append(f"lost: {call['arguments']['title']!r} was shown to nobody")
    came_to = {result["call"]: result["content"] for result in attack.facts("tool.result")}
    for answer in attack.facts("user.answer"):
        if answer["text"] not in came_to.get(answer["id"].removeprefix("question_"), ""):
            problems.append(f"lost: the answer {answer['text']!r} to {answer['id']}")
    return problems


def effects(attack: Attack) -> list[str]:
    """Each outside effect happened at most once, after a yes, and what is not known says so."""
    problems = []
    counts, mails = attack.outside(), attack.facts("raw.mail")
    problems += [f"twice: {tag} was done {count} times" for tag, count in counts.items() if count > 1]
    approvals: dict[str, list[Json]] = defaultdict(list)
    for card in attack.facts("approval"):
        approvals[card["call"]].append(card)
    again = {card["retry_of"] for cards in approvals.values() for card in cards if card["retry_of"]}
    for call in attack.facts("tool.call"):
        if call["name"] not in OUTSIDE:
            continue
        tag = tag_of_call(call, mails)
        done, state = counts[tag], call["state"]
        if state == "succeeded" and done != 1:
            problems.append(f"lost: {call['name']} {tag} is called succeeded and was done {done} times")
        retried = {card["id"] for card in approvals[call["id"]]} & again
        if state in {"failed", "cancelled", "waiting_approval", "scheduled"} and done and not retried:
            problems.append(f"hidden: {call['name']} {tag} is called {state} and was done")
        if done and not any(card["id"] in attack.given.approvals for card in approvals[call["id"]]):
            problems.append(f"twice: {tag} was done without a yes")
        decided = [card for card in approvals[call["id"]] if card["state"] in {"approved", "rejected"}]
        if len(decided) > 1:
            problems.append(f"twice: call {call['id']} was decided by {[card['id'] for card in decided]}")
    return problems


def workers(attack: Attack) -> list[str]:
    """Each delegated task ran once, and no saved step was done again."""
    problems = []
    runs = Counter(run["call"] for run in attack.facts("worker.run"))
    notes = Counter(note["text"] for note in attack.facts("note"))
    for call in attack.facts("tool.call"):
        if call["name"] != "delegate":
            continue
        tag = tag_of_call(call, [])
        if runs[call["id"]] != 1:
            problems.append(f"{'twice' if runs[call['id']] else 'lost'}: task {tag} has {runs[call['id']]} runs")
        again = (step for step in range(WORKER_STEPS) if notes[f"step {step} of {tag}"] > 1)
        problems += [f"twice: step {step} of the worker for {tag}" for step in again]
    if not attack.faults:
        ended = (run for run in attack.facts("worker.run") if run["state"] == "succeeded")
        short = (run for run in ended if f"after {WORKER_STEPS}" not in run["answer"])
        problems += [f"lost: run {run['id']} ended with {run['answer']!r}" for run in short]
    return problems


def reminders(attack: Attack) -> list[str]:
    """Each reminder spoke once, or was offered once."""
    spoken = Counter(one["source"] for one in attack.facts("notification") if one["kind"] in {"reminder", "offer"})
    problems = []
    for reminder in attack.facts("reminder"):
        times = spoken[f"reminder:{reminder['id']}"]
        if reminder["state"] in {"fired", "offered"} and times != 1:
            problems.append(f"{'twice' if times else 'lost'}: reminder {reminder['text']!r} spoke {times} times")
    return problems


def order(attack: Attack) -> list[str]:
    """Within a priority, inputs are taken in the order in which they came. A model that fails may put some off."""
    if attack.faults:
        return []
    problems = []
    first = {
        f"{namespace}:{ident}": seq
        for namespace, ident, seq in attack.sql(
            "SELECT n.name, u.context_id, u.seq FROM updates u JOIN namespaces n ON n.id = u.ns WHERE u.version = 1"
        )
    }
    priorities = {f"signals.mail:{one['id']}": one["priority"] for one in attack.facts("signals.mail")}
    last: dict[str, int] = {}
    for step in attack.facts("step"):
        for name in step["inputs"]:
            rank = "user" if name.startswith("user.message:") else priorities.get(name)
            if rank is None:
                continue
            if first[name] < last.get(rank, 0):
                problems.append(f"order: {name} ({rank}) was taken after a later one")
            last[rank] = max(last.get(rank, 0), first[name])
    return problems


def orders(attack: Attack) -> list[str]:
    """What rules order of a signal is done once, or says in words why not; none of it waits any more."""
    problems = []
    acts = {act["id"]: act for act in attack.facts("rule.act")}
    retried = {card["call"] for card in attack.facts("approval") if card["retry_of"]}
    made: Counter[str] = Counter()
    for call in attack.facts("tool.call"):
        if call["origin"].startswith("act:") and call["id"] not in retried:
            made[call["origin"].removeprefix("act:")] += 1
    for reminder in attack.facts("reminder"):
        made[reminder["source"].removeprefix("rule.act:")] += reminder["source"].startswith("rule.act:")
    for follow_up in attack.facts("follow_up"):
        made[follow_up["act"]] += 1
    problems += [f"twice: {ident} was done {count} times" for ident, count in made.items() if count > 1]
    there = {
        f"{space}:{data['id']}"
        for space in ("notification", "tool.call", "reminder", "follow_up")
        for data in attack.facts(space)
    }
    for space in ("signals.mail", "signals.clock", "signals.follow_up", "signals.calendar"):
        for signal in attack.facts(space):
            matches = signal["metadata"].get("rules", [])
            named = {match["name"] for match in matches}
            if space == "signals.mail":
                word, _, _ = signal["metadata"]["subject"].partition(" ")[2].partition(" ")
                wanted = {"ordered": "orders", "oldform": "old form"}.get(word)
                if wanted and wanted not in named:
                    problems.append(f"lost: {signal['metadata']['subject']} was matched by {named or 'nothing'}")
            for match in matches:
                for kind in match["acts"]:
                    ident = f"{match['rule']}|{match['version']}|{space}:{signal['id']}|{kind}"
                    problems += end_of(ident, acts.get(ident), there, made)
    return problems


def end_of(ident: str, act: Json | None, there: set[str], made: Counter[str]) -> list[str]:
    """What is wrong with the end of one act."""
    if act is None:
        return [f"lost: {ident} was never begun"]
    state, detail = act["state"], act["detail"]
    if state in ("pending", "deferred"):
        return [f"lost: {ident} is {state} at the end: {detail}"]
    if state != "done":
        return [] if detail else [f"lost: {ident} is {state}, without a word why"]
    if act["made"] not in there:
        return [f"lost: {ident} is done, and what it has made is not there: {act['made']!r}"]
    if act["act"] in ("draft", "remind", "follow_up") and made[ident] != 1:
        return [f"lost: {ident} is done, and has made {made[ident]}"]
    return []


def follow_ups(attack: Attack) -> list[str]:
    """Each came to its end and was told; what was answered in time did not fall due."""
    problems = []
    signals = {signal["id"] for signal in attack.facts("signals.follow_up")}
    notices = {notice["id"] for notice in attack.facts("notification")}
    for one in attack.facts("follow_up"):
        if one["state"] == "due" and f"signal_{one['id']}" not in signals:
            problems.append(f"lost: {one['subject']} fell due, and nothing says so")
        elif one["state"] == "answered" and f"ntf_{one['id']}_answered" not in notices:
            problems.append(f"lost: {one['subject']} was answered, and nobody is told")
        elif one["state"] not in ("due", "answered"):
            problems.append(f"lost: the follow-up of {one['subject']} is {one['state']}")
    return problems


def rules(attack: Attack) -> list[str]:
    """A rule holds exactly where its card was approved and carried out, and once."""
    there = Counter(rule["name"] for rule in attack.facts("rule"))
    problems = [f"twice: the rule {name!r} is there {count} times" for name, count in there.items() if count > 1]
    for call in attack.facts("tool.call"):
        if call["name"] == "propose_rule":
            name = call["arguments"]["name"]
            if there[name] != (call["state"] == "succeeded"):
                problems.append(f"lost: {name!r} is {call['state']}, and there are {there[name]} of it")
    return problems


def edits(attack: Attack) -> list[str]:
    """What the user wrote into a card, and was told to be saved, is in a card; what was sent is what the card held."""
    problems = []
    cards = attack.facts("approval")
    texts = {card["id"]: " ".join(str(line["value"]) for line in card["effect"]["lines"]) for card in cards}
    written = {word for text in texts.values() for word in text.split()}
    problems += [f"lost: {mark} was saved and is in no card" for mark in attack.given.edits - written]
    sent = [" ".join(mail.decode(errors="replace").split()) for mail in attack.left()]
    done = {call["approval"] for call in attack.facts("tool.call") if call["state"] == "succeeded"}
    for card in cards:
        marks = [word for word in texts[card["id"]].split() if word.startswith("edit") and word[4:].isdigit()]
        if card["id"] in done and card["effect"]["tool"] in ("send_mail", "draft_reply"):
            body = f"body {BODY.search(texts[card['id']].encode())[1].decode()}"  # type: ignore[index]
            alike = [text for text in sent if f"{body} " in f"{text} " and all(mark in text.split() for mark in marks)]
            if not alike:
                problems.append(f"lost: {card['id']} was sent as approved, and {marks} of it was not")
    return problems


def copies(attack: Attack) -> list[str]:
    """An account keeps one copy of what was sent from it, and none of what was not."""
    kept = attack.mailbox.copies()
    if kept is None:
        return []
    problems = [f"twice: {count} copies of {ident} are kept" for ident, count in kept.items() if count > 1]
    left = {str(message_from_bytes(mail)["Message-ID"]) for mail in attack.left()}
    problems += [f"hidden: a copy of {ident} is kept, and it never left" for ident in kept if ident not in left]
    calls = {call["id"]: call["state"] for call in attack.facts("tool.call")}
    sent = [noted["id"] for noted in attack.facts("mail.sent") if calls.get(noted["call"]) == "succeeded"]
    problems += [f"lost: no copy of {ident} is kept" for ident in sent if ident in left and not kept[ident]]
    return problems
