"""How signals, calls and worker runs look as rows, and as details."""

from __future__ import annotations

from datetime import datetime

from rich.text import Text

from pepper_tui.model import CallState, Json, Priority, RunState, Signal, ToolCall, WorkerRun
from pepper_tui.text import as_json, clean, one_line
from pepper_tui.ui.ink import Pen
from pepper_tui.ui.live_list import Row

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


_SAYS_IT_ALL = frozenset({"task", "text", "title", "query"})


def elapsed(seconds: float) -> str:
    """``seconds`` as a person says it: 7s, 2m 05s, 1h 02m."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"


def arguments_line(arguments: Json, limit: int = 120) -> str:
    """A call's arguments in one line: what was left empty is left out, what says it all goes without its name."""
    told = [
        str(value) if key in _SAYS_IT_ALL else f"{key}: {value}"
        for key, value in arguments.items()
        if value not in ("", None, [])
    ]
    return one_line(", ".join(told), limit)


def signal_row(signal: Signal) -> Row:
    def draw(pen: Pen) -> list[Text]:
        ink = pen.ink
        tone = {Priority.URGENT: ink.urgent, Priority.HIGH: ink.warn, Priority.NORMAL: ink.accent}.get(
            signal.priority, ink.dim
        )
        quiet = signal.priority in (Priority.LOW, Priority.LOG)
        head = Text.assemble(
            (f"{PRIORITY_GLYPH[signal.priority]} ", tone), (one_line(signal.content), ink.dim if quiet else ink.plain)
        )
        below = Text("  ").append(f"{signal.priority.value} · {one_line(signal.source, 20)}", ink.dim)
        if signal.reason:
            below.append(f" · {one_line(signal.reason)}", ink.dim)
        return [pen.between(head, Text(pen.hour(signal.created_at), ink.dim)), pen.cut(below)]

    return Row(
        signal.id,
        (signal.content, signal.priority, signal.reason, signal.source, signal.created_at),
        draw,
        height=2,
    )


def call_row(call: ToolCall, progress: str, now: float) -> Row:
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
        name = Text.assemble((f"{_CALL_GLYPH[call.state]} ", tone), (one_line(call.name, 40), ink.strong))
        name.append("  " + arguments_line(call.arguments), ink.dim)
        word = "running" if running else call.state.value.replace("_", " ")
        said = (
            (call.error if call.state is CallState.FAILED else progress or call.progress) if call.open else call.error
        )
        below = Text("  ").append(word, tone)
        if said:
            below.append(f" · {one_line(said)}", ink.dim)
        return [pen.between(name, Text(took, ink.accent if running else ink.dim)), pen.cut(below)]

    return Row(call.id, (call.state, took, progress, call.progress, call.error), draw, height=2)


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
        ("matter", signal.matter),
        *((one_line(k, 10), v) for k, v in facts),
    ]
    return [Text(clean(signal.content), pen.ink.strong), Text(""), *_pairs(pen, pairs)]


def call_details(call: ToolCall, result: str, pen: Pen) -> list[Text]:
    pairs = [
        ("state", call.state.value.replace("_", " ")),
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
