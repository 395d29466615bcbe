"""How signals, calls and worker runs look as rows, and as details."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from rich.text import Text

from pepper_tui.model import CallState, FollowUp, Priority, RunState, Signal, ToolCall, WorkerRun
from pepper_tui.text import as_json, clean, one_line
from pepper_tui.ui.screen.ink import Pen, age, due_words
from pepper_tui.ui.screen.lists.drawn_rows import Row
from pepper_tui.ui.shared.names import arguments_line, awaited_from, call_words, gist_facts, signal_name, signal_subject

AWAITED: Final = "follow-ups"
DEFERRED: Final = "deferred:"
"""Row ids of what is folded into one line in the list of calls."""

PRIORITY_GLYPH = {
    Priority.URGENT: "‼",
    Priority.HIGH: "▲",
    Priority.NORMAL: "●",
    Priority.LOW: "○",
    Priority.LOG: "·",
}
_CALL_GLYPH = {
    CallState.SCHEDULED: "▸",
    CallState.WAITING_APPROVAL: "◆",
    CallState.ATTEMPTED: "▸",
    CallState.SUCCEEDED: "✓",
    CallState.FAILED: "✗",
    CallState.CANCELLED: "–",
    CallState.UNKNOWN: "?",
}
_RUN_GLYPH = {
    RunState.QUEUED: "…",
    RunState.RUNNING: "▸",
    RunState.WAITING_APPROVAL: "◆",
    RunState.SUCCEEDED: "✓",
    RunState.FAILED: "✗",
    RunState.CANCELLED: "–",
}


def elapsed(seconds: float) -> str:
    """Return ``seconds`` as a person says it: 7s, 2m 05s, 1h 02m."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"


def signal_row(signal: Signal, now: float) -> Row:
    """Return a signal as one line: who, what, until when, and the reason if there is room."""
    old, gist = age(signal.created_at, now), signal.gist

    def draw(pen: Pen) -> list[Text]:
        ink = pen.ink
        tone = {Priority.URGENT: ink.urgent, Priority.HIGH: ink.warn}.get(signal.priority, ink.dim)
        quiet = ink.dim if signal.priority in (Priority.LOW, Priority.LOG) else ink.plain
        rest = Text(signal_subject(signal), quiet)
        if signal.reason:
            rest.append(f"  {one_line(signal.reason)}", ink.dim)
        mark = Text(f"{PRIORITY_GLYPH[signal.priority]} ", tone)
        due = None
        if gist is not None and gist.due is not None:
            words = due_words(gist.due, gist.whole_day, pen.now, pen.zone)
            late = gist.due < pen.now and gist.until
            due = Text(f"{'due' if gist.until else 'for'} {words}", ink.urgent if late else quiet)
        return [pen.columns(mark, Text(signal_name(signal), quiet), rest, old, due=due)]

    hour = now // 3600 if gist is not None and gist.due is not None else 0  # the words for a due time change
    key = (signal.content, signal.priority, signal.reason, signal.source, old, hour)
    return Row(signal.id, key, draw, height=1)


def call_row(call: ToolCall, progress: str, now: float, *, approved: bool = False) -> Row:
    """Return the row of one call. ``approved``: its card was approved, and its window is running."""
    running = call.state in (CallState.SCHEDULED, CallState.ATTEMPTED)
    since = call.started_at or call.created_at
    took = elapsed((now if running else call.ended_at or since) - since)
    if call.state is CallState.WAITING_APPROVAL:
        took = ""

    def draw(pen: Pen) -> list[Text]:
        ink = pen.ink
        tone = {
            CallState.SUCCEEDED: ink.ok,
            CallState.FAILED: ink.urgent,
            CallState.UNKNOWN: ink.urgent,
            CallState.CANCELLED: ink.dim,
            CallState.WAITING_APPROVAL: ink.warn,
        }.get(call.state, ink.accent)
        named = one_line(call.summary or call.name, 200 if call.summary else 40)
        name = Text.assemble((f"{_CALL_GLYPH[call.state]} ", tone), (named, ink.strong))
        if not call.summary:
            name.append("  " + arguments_line(call.arguments), ink.dim)
        word = (
            "waits"
            if call.deferred
            else "running"
            if running
            else "approved"
            if approved
            else call.state.value.replace("_", " ")
        )
        said = (
            (call.error if call.state is CallState.FAILED else call.deferred or progress or call.progress)
            if call.open
            else call.error
        )
        below = Text("  ").append(word, tone)
        if said:
            below.append(f" · {one_line(said)}", ink.dim)
        return [pen.between(name, Text(took, ink.accent if running else ink.dim)), pen.cut(below)]

    return Row(
        call.id,
        (call.state, approved, took, progress, call.progress, call.error, call.deferred, call.summary),
        draw,
        height=2,
    )


def deferred_row(reason: str, calls: Sequence[ToolCall]) -> Row:
    """Return calls that wait for the same thing, as one line."""
    words = f"{len(calls)} more calls wait: {one_line(reason)}"
    return Row(f"{DEFERRED}{reason}", words, lambda pen: [pen.cut(Text(f"… {words}", pen.ink.dim))], height=1)


def awaited_words(follow_ups: Sequence[FollowUp]) -> str:
    """Return how many answers are awaited; empty for none."""
    count = len(follow_ups)
    return f"waits for {count} answer{'' if count == 1 else 's'}" if count else ""


def awaited_row(follow_ups: Sequence[FollowUp]) -> Row:
    """Return the awaited answers, as one line."""
    words, first = awaited_words(follow_ups), follow_ups[0]

    def draw(pen: Pen) -> list[Text]:
        more = f"  {awaited_from(first)} until {pen.until(first.due)}"
        return [pen.cut(Text.assemble((f"◷ {words}", pen.ink.plain), (more, pen.ink.dim)))]

    return Row(AWAITED, (words, first.id, first.due), draw, height=1)


def awaited_details(follow_ups: Sequence[FollowUp], pen: Pen) -> list[Text]:
    """Return each awaited answer: from whom, about what, until when, and the rule that asked for it."""
    lines = [Text("Waits for these answers", pen.ink.strong), Text("")]
    for each in follow_ups:
        facts = f"until {pen.until(each.due)}" + (f" · rule “{one_line(each.rule_name)}”" if each.rule_name else "")
        lines += [pen.cut(Text.assemble((awaited_from(each), pen.ink.plain), f"  {one_line(each.subject)}"))]
        lines += [Text(f"  {facts}", pen.ink.dim)]
    return lines


def deferred_details(reason: str, calls: Sequence[ToolCall], pen: Pen) -> list[Text]:
    """Return the calls that wait for one thing."""
    lines = [Text(f"These wait: {one_line(reason)}", pen.ink.strong), Text("")]
    return lines + [pen.cut(Text(f"  {call_words(call)}")) for call in calls]


def run_row(run: WorkerRun) -> Row:
    def draw(pen: Pen) -> list[Text]:
        ink = pen.ink
        tone = {
            RunState.SUCCEEDED: ink.ok,
            RunState.FAILED: ink.urgent,
            RunState.WAITING_APPROVAL: ink.warn,
            RunState.RUNNING: ink.accent,
        }.get(run.state, ink.dim)
        name = one_line(run.agent or run.kind or "worker", 24)
        head = Text.assemble(
            (f"{_RUN_GLYPH[run.state]} ", tone), (name, ink.strong), (f"  {one_line(run.task)}", ink.dim)
        )
        steps = f"{run.steps} step{'' if run.steps == 1 else 's'}"
        below = Text("  ").append(run.state.value.replace("_", " "), tone)
        said = run.answer if run.answer else run.doing
        if said:
            below.append(f" · {one_line(said)}", ink.dim)
        return [pen.between(head, Text(steps, ink.dim)), pen.cut(below)]

    return Row(run.id, (run.state, run.steps, run.doing, run.answer), draw, height=2)


def _pairs(pen: Pen, pairs: list[tuple[str, str]]) -> list[Text]:
    lines: list[Text] = []
    for label, value in pairs:
        if value:
            lines += pen.hang(Text(f"{label:<11}", pen.ink.dim), Text(clean(value, 20_000)))
    return lines


def _when(pen: Pen, at: float | None) -> str:
    return f"{datetime.fromtimestamp(at, pen.zone):%Y-%m-%d %H:%M:%S}" if at else ""


def signal_details(signal: Signal, pen: Pen) -> list[Text]:
    facts = [
        (str(key), ", ".join(map(str, value)) if isinstance(value, list) else str(value))
        for key, value in signal.metadata.items()
    ]
    pairs = [
        ("priority", signal.priority.value),
        ("reason", signal.reason),
        ("source", signal.source),
        ("arrived", _when(pen, signal.created_at)),
        *gist_facts(signal, pen.zone),
        ("matter", signal.matter),
        *((one_line(k, 10), v) for k, v in facts),
    ]
    return [Text(clean(signal.content), pen.ink.strong), Text(""), *_pairs(pen, pairs)]


def call_details(call: ToolCall, result: str, pen: Pen) -> list[Text]:
    pairs = [
        ("what", call.summary),
        ("state", call.state.value.replace("_", " ")),
        ("waits for", call.deferred),
        ("effect", call.effect.value),
        ("asked by", f"{call.origin} (root: {call.root})"),
        ("arguments", as_json(call.arguments, indent=2)),
        ("scheduled", _when(pen, call.created_at)),
        ("started", _when(pen, call.started_at)),
        ("ended", _when(pen, call.ended_at)),
        ("error", call.error),
        ("result", result),
    ]
    return [Text(one_line(call.name), pen.ink.strong), Text(""), *_pairs(pen, pairs)]


def run_details(run: WorkerRun, memory: str, pen: Pen) -> list[Text]:
    pairs = [
        ("state", run.state.value.replace("_", " ")),
        ("kind", run.kind),
        ("task", run.task),
        ("doing", run.doing),
        ("steps", f"{run.steps}, {elapsed(run.active_seconds)} active, cost {run.spent:.4f}"),
        ("answer", run.answer),
        ("memory", memory),
    ]
    lines = [Text(one_line(run.agent or run.kind or "worker"), pen.ink.strong), Text(""), *_pairs(pen, pairs)]
    for event in run.events[-40:]:
        lines += pen.hang(Text("  · ", pen.ink.dim), Text(one_line(as_json(event), 600), pen.ink.dim))
    return lines
