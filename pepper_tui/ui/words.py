"""Records in words alone: no glyphs, columns or colours. What is copied, and what the plain mode says, reads so.

Text from outside is cleaned here; times are in the zone that is given.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo

from pepper_tui.effects import Proposal
from pepper_tui.model import Approval, CallState, Notification, Signal, ToolCall, WorkerRun
from pepper_tui.text import clean, one_line
from pepper_tui.ui.board import InboxItem, Message
from pepper_tui.ui.cards import kind_words, title
from pepper_tui.ui.rows import arguments_line

SPEAKERS = {"you": "You", "pepper": "Pepper", "trouble": "Pepper, in trouble"}


def moment(at: float | None, zone: tzinfo) -> str:
    """``at`` as date and time; empty for None."""
    return f"{datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M}" if at else ""


def item_line(item: InboxItem) -> str:
    """An item of the inbox in one line."""
    return f"{kind_words(item)[1].capitalize()}: {title(item)}"


def item_lines(item: InboxItem, zone: tzinfo) -> list[str]:
    """All of a card, a fact a line."""
    record = item.record
    lines = [item_line(item)]
    if isinstance(record, Approval):
        effect = record.resolved
        lines.append(f"Account: {one_line(effect.account, 200)}")
        for line in effect.lines:
            if not line.value and not line.untrusted:
                continue
            value = clean(line.value)
            marks = ", untrusted: it came from outside" if line.untrusted else ""
            if value != line.value.replace("\r\n", "\n"):
                marks += ", some characters are not shown"
            label = one_line(line.label, 40).capitalize() + marks
            lines += [f"{label}:", *_within(value)] if "\n" in value else [f"{label}: {value}"]
        lines.append(f"Expires: {moment(record.expires_at, zone)}")
    elif isinstance(record, Notification):
        lines += _within(clean(record.body))
    else:
        lines.append(f"With: {arguments_line(record.arguments, 600)}")
        if record.error:
            lines.append(f"Error: {one_line(record.error, 600)}")
    if reason := one_line(getattr(record, "reason", ""), 600):
        lines.append(f"Because: {reason}")
    return lines


def signal_line(signal: Signal) -> str:
    kind = f"{signal.priority.value.capitalize()} signal"
    words = f"{kind} from {one_line(signal.source, 40)}: {one_line(signal.content)}"
    return f"{words}. Because {one_line(signal.reason)}" if signal.reason else words


def call_line(call: ToolCall) -> str:
    state = "running" if call.state in (CallState.SCHEDULED, CallState.ATTEMPTED) else call.state.value
    words = f"Call {one_line(call.name, 40)}, {state.replace('_', ' ')}: {arguments_line(call.arguments)}"
    return f"{words}. {one_line(call.error)}" if call.error else words


def run_line(run: WorkerRun) -> str:
    name, state = one_line(run.agent or run.kind or "worker", 24), run.state.value.replace("_", " ")
    steps = f"{run.steps} step{'' if run.steps == 1 else 's'}"
    said = one_line(run.answer or run.doing, 200)
    words = f"Worker {name}, {state}, {steps}: {one_line(run.task, 100)}"
    return f"{words}. {said}" if said else words


def message_lines(message: Message) -> list[str]:
    """A message of the conversation."""
    marks = ", unfinished" if message.unfinished else ", after the running calls" if message.queued else ""
    first, *rest = clean(message.text).split("\n")
    return [f"{SPEAKERS[message.speaker]}{marks}: {first}", *_within("\n".join(rest))]


def _within(text: str) -> list[str]:
    """The lines of a text, set in: none of them can pass for a line of Pepper's own."""
    return [f"  {line}" for line in text.split("\n")] if text else []


def proposal_lines(proposal: Proposal, zone: tzinfo) -> list[str]:
    """An effect: what, by which account; what was decided, by whom and when; what came of it."""
    approval = proposal.approval
    effect = approval.resolved
    account = f" by {one_line(effect.account)}" if effect.account else ""
    proposed = f"Proposed {moment(approval.created_at, zone)}{account}"
    return [one_line(effect.summary, 300), proposed, *decided(proposal, lambda at: moment(at, zone))]


def decided(proposal: Proposal, when: Callable[[float], str]) -> list[str]:
    """What was decided, by whom and when; what came of it."""
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
