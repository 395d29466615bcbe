"""Records in words alone, without glyphs, columns or colours: for copying, and for the plain mode.

Text from outside is cleaned here; times are in the given zone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo

from pepper_tui.model import (
    TIMES,
    Approval,
    CallState,
    FollowUp,
    Json,
    Notification,
    RuleReport,
    Signal,
    ToolCall,
    WorkerRun,
)
from pepper_tui.text import clean, hidden, one_line, spelled, unseen_words
from pepper_tui.tools.effects import Proposal
from pepper_tui.ui.screen.inbox.cards import kind_words, planned, request_text, title, way_words, who_and_when
from pepper_tui.ui.shared.matters import MORE, InboxItem
from pepper_tui.ui.shared.names import (
    arguments_line,
    awaited_from,
    count_of,
    label_words,
    more_from,
    name_of,
    sender_in_full,
    shown_value,
    subject_of,
    trust_words,
)
from pepper_tui.ui.shared.records import Message

SPEAKERS = {"you": "You", "pepper": "Pepper", "trouble": "Pepper, in trouble"}


def moment(at: float | None, zone: tzinfo) -> str:
    """Return ``at`` as date and time; an empty string for None."""
    return f"{datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M}" if at else ""


def _hour(at: float, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(at, zone):%H:%M}"


def item_line(item: InboxItem, zone: tzinfo) -> str:
    """Return an item of the inbox in one line."""
    if item.inert:
        when = _hour if isinstance(item.record, ToolCall) else moment
        said = way_words(item, lambda at: when(at, zone)).removeprefix("→ ")
        return f"Approved, to {said}" if item.kind == "sending" else said.capitalize()
    kind = kind_words(item)[1].capitalize()
    if item.approval is not None and item.approval.problem:
        kind = f"Not sent, {kind.lower()}"
    if item.approval is not None and item.head is not None:
        summary = one_line(str(item.approval.effect.get("summary", ""))).rstrip(".")
        return f"{kind}: {summary}. It answers {name_of(item)}{count_of(item)}: {subject_of(item)}"
    return f"{kind}: {title(item)}" + count_of(item)


def item_lines(item: InboxItem, zone: tzinfo) -> list[str]:
    """Return all of a card, one fact per line."""
    record = item.record
    lines = [item_line(item, zone)]
    if item.inert:
        return lines
    if item.approval is not None and item.approval.problem:
        lines.append(f"Not sent: {one_line(item.approval.problem, 600)}")
    if item.matter and (item.approval or len(item.notices) > 1 or item.folded):
        for number, notice in enumerate(item.notices, 1):
            first, *rest = request_text(item, notice).split("\n")
            lines.append(f"Request {number}, {who_and_when(item, notice, moment(notice.created_at, zone))}: {first}")
            lines += _within("\n".join(rest))
        lines += [f"And {count} more from {more_from(trust)}" for trust, count in item.folded]
    elif item.kind == MORE:
        lines += [one_line(notice.title, 400) for notice in item.notices]
    elif isinstance(record, Notification):
        if record.sender and record.sender not in title(item):
            lines.append(f"From: {sender_in_full(record)}")
        lines += _within(clean(record.body))
        lines += [f"Expires: {moment(record.expires_at, zone)}"] if record.expires_at else []
    if isinstance(record, Approval):
        effect = record.resolved
        lines += [f"Account: {one_line(effect.account, 200)}"] if effect.account else []
        for line in effect.lines:
            if not line.value and not line.untrusted:
                continue
            value = spelled(shown_value(line))
            marks = f", {trust_words(line, aloud=True)}" if line.untrusted else ""
            if unseen := hidden(line.value):
                marks += f", {unseen_words(unseen)}"
            label = label_words(line)
            label = label[:1].upper() + label[1:] + marks
            lines += [f"{label}:", *_within(value)] if "\n" in value else [f"{label}: {value}"]
        lines.append(f"Expires: {moment(record.expires_at, zone)}")
    elif isinstance(record, ToolCall):
        lines.append(f"With: {arguments_line(record.arguments, 600)}")
        if record.error:
            lines.append(f"Error: {one_line(record.error, 600)}")
    lines += [words[:1].upper() + words[1:] for words in planned(item, lambda at: moment(at, zone))]
    reasons = dict.fromkeys(one_line(getattr(each, "reason", "") or "", 600) for each in (record, item.head))
    return lines + [f"Because: {reason}" for reason in reasons if reason]


def fact_lines(facts: Json, zone: tzinfo) -> list[str]:
    """Return a signal's facts, one per line, with times as date and time."""
    said = []
    for key, value in facts.items():
        at = key in TIMES and isinstance(value, int | float) and not isinstance(value, bool)
        shown = moment(float(value), zone) if at else one_line(str(value), 400)
        said.append(f"{one_line(str(key), 40)}: {shown}")
    return said


def signal_line(signal: Signal) -> str:
    kind = f"{signal.priority.value.capitalize()} signal"
    words = f"{kind} from {one_line(signal.source, 40)}: {one_line(signal.content)}"
    return f"{words}. Because {one_line(signal.reason)}" if signal.reason else words


def call_line(call: ToolCall) -> str:
    state = "running" if call.state in (CallState.SCHEDULED, CallState.ATTEMPTED) else call.state.value
    state = f"waits, {one_line(call.deferred)}" if call.deferred else state.replace("_", " ")
    named = f"Call {one_line(call.name, 40)}, {state}: {arguments_line(call.arguments)}"
    words = f"Call, {state}: {one_line(call.summary)}" if call.summary else named
    return f"{words}. {one_line(call.error)}" if call.error else words


def run_line(run: WorkerRun) -> str:
    name, state = one_line(run.agent or run.kind or "worker", 24), run.state.value.replace("_", " ")
    steps = f"{run.steps} step{'' if run.steps == 1 else 's'}"
    said = one_line(run.answer or run.doing, 200)
    words = f"Worker {name}, {state}, {steps}: {one_line(run.task, 100)}"
    return f"{words}. {said}" if said else words


def awaited_line(follow_up: FollowUp, zone: tzinfo) -> str:
    who, due = awaited_from(follow_up), moment(follow_up.due, zone)
    return f"Waits for {who}'s answer until {due}: {one_line(follow_up.subject)}"


def rule_name(report: RuleReport) -> str:
    return one_line(str(report.rule.get("name") or report.rule.get("id") or "a rule"), 60)


def rule_line(report: RuleReport) -> str:
    """Return a rule in one line: its state, its name, what it says."""
    state = one_line(str(report.rule.get("state", "active")), 20)
    return f"{state.capitalize()}, {rule_name(report)}: {one_line(report.sentence, 400)}"


def rule_counts(report: RuleReport) -> str:
    """Summarise what a rule has done so far."""
    matches = f"{report.matches} match{'' if report.matches == 1 else 'es'}"
    acts = [f"{report.acts[state]} {state}" for state in ("done", "deferred", "failed") if report.acts.get(state)]
    dismissed = [f"{report.dismissed} dismissed"] if report.dismissed else []
    cost = [f"cost {report.cost:.2f}"] if report.cost else []
    waits = [f"waits for {one_line(report.waits, 80)}"] if report.waits else []
    return " · ".join([matches, *acts, *dismissed, *cost, *waits])


def message_lines(message: Message) -> list[str]:
    """Return the lines of a message of the conversation."""
    marks = ", unfinished" if message.unfinished else ", after the running calls" if message.queued else ""
    first, *rest = clean(message.text).split("\n")
    return [f"{SPEAKERS[message.speaker]}{marks}: {first}", *_within("\n".join(rest))]


def _within(text: str) -> list[str]:
    """Return the lines of a text, indented, so that none can pass for a line of Pepper's own."""
    return [f"  {line}" for line in text.split("\n")] if text else []


def proposal_lines(proposal: Proposal, zone: tzinfo) -> list[str]:
    """Describe an effect: what, by which account; what was decided, by whom and when; the outcome."""
    approval = proposal.approval
    effect = approval.resolved
    account = f" by {one_line(effect.account)}" if effect.account else ""
    proposed = f"Proposed {moment(approval.created_at, zone)}{account}"
    return [one_line(effect.summary, 300), proposed, *decided(proposal, lambda at: moment(at, zone))]


def decided(proposal: Proposal, when: Callable[[float], str]) -> list[str]:
    """Say what was decided, by whom and when, and the outcome."""
    approval = proposal.approval
    words = "Waits for your yes" if approval.state == "pending" else approval.state.value.capitalize()
    words += " by you" if proposal.by_user else ""
    words += f", {when(approval.decided_at)}" if approval.decided_at else ""
    lines = [words + (f": {one_line(approval.decision_note)}" if approval.decision_note else "")]
    if proposal.outcome:
        ended = f", {when(proposal.ended_at)}" if proposal.ended_at else ""
        error = f": {one_line(proposal.error)}" if proposal.error else ""
        lines.append(proposal.outcome.capitalize() + ended + error)
    return lines
