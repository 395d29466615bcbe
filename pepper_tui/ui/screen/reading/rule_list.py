"""The rules on screen: what each one says and has done, and the keys that pause, resume and remove it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from rich.style import Style
from rich.text import Text
from textual.binding import BindingType
from textual.message import Message

from pepper_tui.model import ActState, RuleAct, RuleReport, RuleState
from pepper_tui.text import clean, one_line
from pepper_tui.ui.screen.ink import Ink, Pen, age
from pepper_tui.ui.screen.lists.drawn_rows import Row
from pepper_tui.ui.screen.reading.opened import Opened, OpenedList
from pepper_tui.ui.shared.keys import bindings, names_of
from pepper_tui.ui.shared.words import rule_counts, rule_line, rule_name

if TYPE_CHECKING:
    from pepper_tui.ui.screen.desk import Desk

TWICE: Final = 5.0
"""Seconds within which a second press removes."""
ACTS_SHOWN: Final = 50
_GLYPH: Final = {RuleState.ACTIVE: "●", RuleState.PAUSED: "‖", RuleState.REMOVED: "–"}
_ACT_GLYPH: Final = {
    ActState.PENDING: "▸",
    ActState.DONE: "✓",
    ActState.FAILED: "✗",
    ActState.DEFERRED: "…",
    ActState.WITHDRAWN: "–",
}


class RuleList(OpenedList):
    """The rules, two lines each: what it says, and what it has done."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("rules")]

    class Act(Message):
        """A key on the chosen rule. ``act`` is the word in the key table."""

        def __init__(self, act: str, rule: str) -> None:
            super().__init__()
            self.act, self.rule = act, rule

    def __init__(self, pen: Callable[[int], Pen]) -> None:
        empty = "Rules say what Pepper does by itself: write one in words, or press the key for “always” on a card."
        super().__init__("RULES", empty, pen, id="rules")
        self.reports: dict[str, RuleReport] = {}

    def show_reports(self, reports: Sequence[RuleReport], now: float) -> None:
        """Replace the rules."""
        self.reports = {rule_id(each): each for each in reports}
        names = names_of(self.app)
        keys = [("list.details", "details"), ("rules.pause", "pause"), ("rules.remove", "remove"), ("list.why", "why")]
        hints = " · ".join(f"{names.of(key)} {word}" for key, word in keys) + " · Esc closes"
        self.show_rows([_row(each, now) for each in reports], aside=hints if reports else "")

    def words_of(self, row: Row) -> str:
        report = self.reports[row.id]
        return "\n".join([rule_line(report), clean(report.toml)])

    def action_rule(self, act: str) -> None:
        if act in ("undo", "redo") or self.has_chosen():
            self.post_message(self.Act(act, self.selected))


class Rules(Opened[RuleList]):
    """Opens and closes the rules, and carries out what their keys say."""

    pane = "rules"
    kind = RuleList

    def __init__(self, app: Desk) -> None:
        super().__init__(app)
        self._asked: tuple[str, float] = ("", 0.0)

    def make(self) -> RuleList:
        return RuleList(self._app.pen)

    async def load(self, view: RuleList | None) -> None:
        found = await self._app.link.ready().rules()
        if view is not None:
            view.show_reports(found, self._app.clock.now())

    def act(self, act: str, rule: str) -> None:
        """Pause, resume or remove, undo or redo; removing asks once more."""
        if act in ("undo", "redo"):
            self._app.link.start(self._said(act))
            return
        view, now = self.list, self._app.clock.monotonic()
        report = view.reports.get(rule) if view is not None else None
        if report is None:
            return
        asked, at = self._asked
        self._asked = ("", 0.0)
        made = report.rule.get("origin") == "made"  # others can't be removed, and the answer says why
        if act == "remove" and made and (asked != rule or now - at > TWICE):
            self._asked = (rule, now)
            key = self._app.key_names.of("rules.remove")
            self._app.say_words(f"{key} again removes the rule “{rule_name(report)}”")
        else:
            self._app.link.start(self._do(act, rule, paused=rule_state(report) is RuleState.PAUSED))

    async def _do(self, act: str, rule: str, *, paused: bool) -> None:
        engine = self._app.link.ready()
        if act == "remove":
            words = await engine.remove_rule(rule)
        else:
            words = await (engine.resume_rule(rule) if paused else engine.pause_rule(rule))
        self._app.say_words(words)
        self.reload()

    async def _said(self, act: str) -> None:
        engine = self._app.link.ready()
        self._app.say_words(await (engine.undo() if act == "undo" else engine.redo()))
        self.reload()

    def open_row(self, rule: str) -> None:
        """Open one rule in full."""
        self._app.link.start(self._open_row(rule))

    async def _open_row(self, rule: str) -> None:
        view = self.list
        if view is not None and (report := view.reports.get(rule)) is not None:
            acts = await self._app.link.ready().rule_acts(rule, ACTS_SHOWN)
            versions = await self._app.link.ready().rule_versions(rule)
            self._app.reading.open("RULE", lambda pen: _details(report, acts, versions, pen))


def rule_id(report: RuleReport) -> str:
    return str(report.rule.get("id", ""))


def rule_state(report: RuleReport) -> RuleState:
    """Return the rule's state; an unknown word counts as active."""
    state = report.rule.get("state", RuleState.ACTIVE)
    return RuleState(state) if state in set(RuleState) else RuleState.ACTIVE


def _tone(report: RuleReport, ink: Ink) -> Style:
    if report.acts.get(ActState.FAILED):
        return ink.urgent
    return ink.ok if rule_state(report) is RuleState.ACTIVE and not report.waits else ink.dim


def _row(report: RuleReport, now: float) -> Row:
    state = rule_state(report)
    last = age(report.last, now) if report.last else ""
    counts, words = rule_counts(report), rule_line(report)

    def draw(pen: Pen) -> list[Text]:
        ink = pen.ink
        plain = ink.plain if state is RuleState.ACTIVE else ink.dim
        mark = Text(f"{_GLYPH[state]} ", _tone(report, ink))
        head = pen.columns(mark, Text(rule_name(report), ink.strong), Text(one_line(report.sentence, 400), plain), last)
        return [head, pen.cut(Text(f"  {counts}", ink.dim))]

    return Row(rule_id(report), (state, words, counts, last), draw, height=2)


def _details(report: RuleReport, acts: Sequence[RuleAct], versions: Sequence[tuple[str, str]], pen: Pen) -> list[Text]:
    ink, version = pen.ink, one_line(str(report.rule.get("version", "")), 12)
    origin = one_line(str(report.rule.get("origin", "")), 20)
    lines = [
        Text(rule_name(report), ink.strong),
        *pen.hang(Text(""), Text(clean(report.sentence))),
        Text(f"{rule_state(report)} · version {version} · {origin} · {rule_counts(report)}", ink.dim),
        Text(""),
        *(Text(line) for line in clean(report.toml).splitlines()),
        Text(""),
    ]
    if versions:
        lines.append(Text("Versions", ink.strong))
        for number, said in versions:
            lines += pen.hang(Text(f"{one_line(number, 12):>4}  ", ink.dim), Text(one_line(said, 400)))
        name = one_line(str(report.rule.get("id", "")), 60)
        lines += [Text(f"pepper rules restore {name} VERSION brings one back", ink.dim), Text("")]
    lines.append(Text("Last acts", ink.strong))
    for act in acts:
        tone = {ActState.DONE: ink.ok, ActState.FAILED: ink.urgent}.get(act.state, ink.dim)
        said = f"{act.act.replace('_', ' ')} {act.state}" + (f": {one_line(act.detail, 300)}" if act.detail else "")
        about = f" · {one_line(act.about, 200)}" if act.about else ""
        older = f" (version {one_line(act.version, 12)})" if act.version != report.rule.get("version") else ""
        mark = Text.assemble((f"{_ACT_GLYPH[act.state]} ", tone), (f"{pen.hour(act.created_at)}  ", ink.dim))
        lines += pen.hang(mark, Text.assemble(said, (about + older, ink.dim)))
    return lines if acts else [*lines, Text("none so far", ink.dim)]
