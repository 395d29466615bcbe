"""The Textual app: paints first, then builds the engine, then projects its updates and sends it the user's acts.

Nothing here decides for the user and nothing raises over the screen: trouble is words in the status line.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer

from pepper_tui.clock import Clock, SystemClock
from pepper_tui.model import (
    OPEN_TAG,
    Approval,
    Context,
    ContextFilter,
    ContextUpdate,
    Namespace,
    Notification,
    NotificationState,
    Priority,
)
from pepper_tui.text import clean, one_line
from pepper_tui.ui import rows
from pepper_tui.ui.board import Board, InboxItem, Pane
from pepper_tui.ui.cards import face, opened, title
from pepper_tui.ui.composer import Composer
from pepper_tui.ui.detail import DetailView, Draw
from pepper_tui.ui.engine import SHOWN, Engine, EngineError
from pepper_tui.ui.form import Form, Prompt
from pepper_tui.ui.help import help_lines
from pepper_tui.ui.inbox import FRESH, Inbox
from pepper_tui.ui.ink import Ink, Pen
from pepper_tui.ui.keys import bindings
from pepper_tui.ui.live_list import LiveList
from pepper_tui.ui.palette import KeyTableCommands
from pepper_tui.ui.status import StatusLine, TabStrip
from pepper_tui.ui.themes import DARK, LIGHT
from pepper_tui.ui.transcript import Transcript

EngineFactory = Callable[[], Awaitable[Engine]]
if TYPE_CHECKING:
    from pepper_tui.config import Ui

DRAIN: Final = 0.1
"""Seconds between two drawings of what has changed."""
WORDS_STAY: Final = 8.0
BELL_GAP: Final = 10.0
NARROW: Final = (100, 28)
PANES: Final = ("chat", "inbox", "signals", "calls", "workers")
_RECALLED: Final = (
    ContextFilter(namespaces=(Namespace.USER_MESSAGE, Namespace.ASSISTANT_MESSAGE), limit=1000),
    ContextFilter(namespaces=(Namespace.SIGNALS + ".*",), limit=500),
    ContextFilter(
        namespaces=(Namespace.APPROVAL, Namespace.NOTIFICATION, Namespace.TOOL_CALL, Namespace.RUN),
        tags=(OPEN_TAG,),
        limit=2000,
    ),
    ContextFilter(namespaces=(Namespace.TOOL_CALL,), limit=60),
    ContextFilter(namespaces=(Namespace.RUN,), limit=60),
    ContextFilter(namespaces=(Namespace.HEALTH,), limit=200),
)


class PepperApp(App[str]):
    """The screen. ``engine_factory`` is awaited after the first paint and may take its time (heavy imports belong
    in a thread there). ``keymap`` rebinds by key id. ``blink`` off and a manual clock make pictures repeatable."""

    CSS_PATH = "pepper.tcss"
    COMMANDS = {KeyTableCommands}  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("app")]
    TITLE = "Pepper"

    def __init__(
        self,
        engine_factory: EngineFactory,
        *,
        clock: Clock | None = None,
        keymap: Mapping[str, str] | None = None,
        theme: str = "pepper",
        blink: bool = True,
    ) -> None:
        super().__init__()
        self._factory = engine_factory
        self.clock: Clock = clock or SystemClock()
        self._rebound = dict(keymap or {})
        self._wanted_theme, self._blink = theme, blink
        self._pause, self._rings = DRAIN, True
        self.board = Board()
        self.engine: Engine | None = None
        self._zone: tzinfo = UTC
        self._pending: list[ContextUpdate] = []
        self._dirty: set[Pane] = set()
        self._drain_timer: Timer | None = None
        self._tick: Timer | None = None
        self._words_timer: Timer | None = None
        self._wake: Timer | None = None
        self._fade: Timer | None = None
        self._card: InboxItem | None = None
        self._card_at = 0.0
        self._from_inbox = False
        self._early: list[tuple[str, bool]] = []
        self._ink: Ink | None = None
        self._tab = "chat"
        self._unfocused = False
        self._belled_at = -BELL_GAP
        self._rung: set[str] = set()
        self._ctrl_c_at = -10.0
        self._tasks: list[asyncio.Task[None]] = []

    # ------------------------------------------------------------------------------------------- first paint

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {"pepper-dim": "#8a8f96"}

    def compose(self) -> ComposeResult:
        yield TabStrip(id="tabs")
        with Horizontal(id="body"):
            with Vertical(id="left"):
                with Vertical(id="main"):
                    yield Transcript(
                        "Say something below, or just wait: Pepper speaks up when something needs you.",
                        self.pen,
                        id="chat",
                    )
                    yield DetailView(self.pen, id="detail")
                yield Composer(id="composer", blink=self._blink)
            with Vertical(id="right"):
                yield Inbox(
                    "What needs your yes and what Pepper wants to tell you waits here.",
                    self.pen,
                    self.clock.monotonic,
                    id="inbox",
                )
                yield SignalList(
                    "SIGNALS",
                    "Mail, meetings and your own feeds appear here, each with its reason.",
                    self.pen,
                    id="signals",
                )
                yield CancelList("CALLS", "What Pepper is doing, with its time. x cancels.", self.pen, id="calls")
                yield CancelList("WORKERS", "Longer tasks that Pepper hands out.", self.pen, id="workers")
        yield StatusLine(id="status")

    def dress(self, wishes: Ui) -> None:
        """Take on what the config says of the screen, once it has been read."""
        self.theme, self._pause, self._rings = wishes.theme, 1 / wishes.refresh, wishes.bell

    def on_mount(self) -> None:
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = self._wanted_theme if self._wanted_theme in self.available_themes else DARK.name
        self.theme_changed_signal.subscribe(self, lambda _theme: self._restyle())
        if self._rebound:
            self.set_keymap(self._rebound)
        for pane in self.query(LiveList):
            pane.show_rows([])
        self._fit(self.size.width, self.size.height)
        self.query_one(Composer).focus()
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self._tasks.append(asyncio.create_task(self._run_engine()))

    def pen(self, width: int) -> Pen:
        if self._ink is None:
            self._ink = Ink.of(self.theme_variables)
        return Pen(self._ink, max(8, width), self._zone, self.clock.now())

    def _restyle(self) -> None:
        self._ink = None
        for pane in self.query(LiveList):
            pane.restyle()
        self.query_one(Transcript).restyle()
        self.query_one(DetailView).restyle()
        self.query_one(StatusLine).refresh()

    # ------------------------------------------------------------------------------------------------ engine

    async def _run_engine(self) -> None:
        try:
            engine = await self._factory()
            await engine.start()
            self.engine, self._zone = engine, engine.zone
            self._tasks.append(asyncio.create_task(self._guarded(self._follow_replies(engine), "the reply stream")))
            async with engine.updates() as updates:
                await self._recall(engine)
                self.say_words("")
                self._restyle()
                await self._hand_over_early()
                await self._follow(engine, updates)
            self.say_words("The engine has stopped. Ctrl+Q, then start Pepper again.", bad=True)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # the screen outlives its engine
            self.say_words(_trouble(error), bad=True, stay=True)

    async def _follow(self, engine: Engine, updates: AsyncIterator[list[ContextUpdate]]) -> None:
        async for batch in updates:
            if not batch:
                await self._recall(engine)
            self._pending.extend(batch)
            if self._drain_timer is None:
                self._drain_timer = self.set_timer(self._pause, self._drain)

    async def _recall(self, engine: Engine) -> None:
        start = self.clock.now() - 86_400
        today = ContextFilter(namespaces=(Namespace.USAGE, Namespace.ASSISTANT_LOG), since=start, limit=5000)
        changed: set[Pane] = set()
        for wanted in (*_RECALLED, today):
            found: list[Context] = await engine.recall(wanted)
            changed |= self.board.recalled(sorted(found, key=lambda c: c.seq))
        said = [m.text for m in self.board.conversation() if m.speaker == "you"]
        self.query_one(Composer).remember(said)
        self._project(set(Pane))

    async def _follow_replies(self, engine: Engine) -> None:
        transcript = self.query_one(Transcript)
        async for delta in engine.replies():
            transcript.stream(delta.message_id, delta.text, restart=delta.restart, done=delta.done)

    async def _guarded(self, work: Coroutine[Any, Any, None], what: str) -> None:
        try:
            await work
        except EngineError as error:
            self.say_words(error.words, bad=True)
        except Exception as error:  # words, never a traceback over the screen
            self.say_words(f"{what}: {_trouble(error)}", bad=True)

    async def on_unmount(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.engine is not None:
            await self._guarded(self.engine.close(), "closing")

    # ---------------------------------------------------------------------------------------------- projecting

    def _drain(self) -> None:
        self._drain_timer = None
        taken, self._pending = self._pending, []
        self._ring(taken)
        self._project(self.board.apply(taken))

    @property
    def _stands(self) -> bool:
        """Whether the panes are there; a timer may still run out while the screen is taken down."""
        return bool(self.query(StatusLine))

    def _project(self, panes: set[Pane]) -> None:
        if not self._stands:
            return
        now = self.clock.now()
        if Pane.CHAT in panes:
            self.query_one(Transcript).show_messages(self.board.conversation())
        if Pane.INBOX in panes:
            self.query_one(Inbox).show_items(self.board.inbox(now))
            self._set_wake(now)
        if Pane.SIGNALS in panes:
            self._show_signals()
        if Pane.CALLS in panes:
            self._show_calls()
        if Pane.WORKERS in panes:
            runs = self.board.listed_runs()
            self.query_one("#workers", LiveList).show_rows([rows.run_row(r) for r in runs])
        if panes:
            self._show_status()

    def _show_signals(self) -> None:
        pane, signals = self.query_one(SignalList), self.board.newest_signals()
        told = [s for s in signals if s.priority is not Priority.LOG]
        logged = len(signals) - len(told)
        pane.show_rows(
            [rows.signal_row(s) for s in (signals if pane.logged else told)],
            count=len(told),
            aside=f"{logged} logged (l {'hides' if pane.logged else 'shows'})" if logged else "",
        )

    def on_signal_list_turned(self) -> None:
        self._show_signals()

    def _show_calls(self) -> None:
        if not self._stands:
            return
        now = self.clock.now()
        calls = self.board.listed_calls(now)
        running = self.board.running_calls()
        shown = [rows.call_row(c, self.board.progress.get(c.id, ""), now) for c in calls]
        self.query_one("#calls", LiveList).show_rows(shown, count=len(running))
        if self._fade is not None:
            self._fade.stop()
        fade = self.board.next_fade(now)
        self._fade = self.set_timer(fade - now + 0.05, self._show_calls) if fade and not running else None
        if running and self._tick is None:
            self._tick = self.set_interval(1.0, self._show_calls)
        elif not running and self._tick is not None:
            self._tick.stop()
            self._tick = None

    def _set_wake(self, now: float) -> None:
        if self._wake is not None:
            self._wake.stop()
        due = self.board.next_wake(now)
        self._wake = self.set_timer(min(due - now, 3600) + 0.05, lambda: self._project({Pane.INBOX})) if due else None

    def _show_status(self) -> None:
        now, board = self.clock.now(), self.board
        line = self.query_one(StatusLine)
        troubles = board.troubles()
        first = troubles[0] if troubles else None
        trouble = f"{first.part}: {first.detail}" + (f" · {first.mend}" if first.mend else "") if first else ""
        if len(troubles) > 1:
            trouble = f"{len(troubles)} parts in trouble (Ctrl+L) · {trouble}"
        waiting, running = len(board.inbox(now)), len(board.running_calls())
        line.facts = replace(
            line.facts,
            model=self.engine.model_name if self.engine else "",
            offline=self.engine.offline if self.engine else False,
            trouble=trouble,
            silent=board.held_today(now, self._zone),
            spent=board.spent_today(now, self._zone),
            inbox=waiting,
            running=running,
        )
        counts = {"inbox": waiting, "signals": 0, "calls": running}
        self.query_one(TabStrip).labels = tuple(
            (pane, pane.capitalize() + (f" {counts[pane]}" if counts.get(pane) else "")) for pane in PANES
        )

    def say_words(self, words: str, *, bad: bool = False, stay: bool = False) -> None:
        """Words for the status line, shown for a while."""
        if not self._stands:
            return
        line = self.query_one(StatusLine)
        line.facts = replace(line.facts, words=words, bad=bad)
        if self._words_timer is not None:
            self._words_timer.stop()
            self._words_timer = None
        if words and not stay:
            self._words_timer = self.set_timer(WORDS_STAY, lambda: self.say_words(""))

    def _ring(self, updates: list[ContextUpdate]) -> None:
        """Bell for what is urgent or asks for a yes, while the user looks elsewhere; once each, not too often."""
        for update in updates:
            context = update.context
            if update.deleted or context.context_id in self._rung:
                continue
            if context.namespace == Namespace.NOTIFICATION:
                urgent = (
                    context.data.get("priority") == Priority.URGENT
                    and context.data.get("state") == NotificationState.NEW
                )
            else:
                urgent = context.namespace == Namespace.APPROVAL and context.data.get("state") == "pending"
            if not urgent:
                continue
            self._rung.add(context.context_id)
            if self._rings and self._unfocused and self.clock.monotonic() - self._belled_at >= BELL_GAP:
                self._belled_at = self.clock.monotonic()
                self.bell()

    def on_app_blur(self) -> None:
        self._unfocused = True

    def on_app_focus(self) -> None:
        self._unfocused = False

    # ------------------------------------------------------------------------------------------------- layout

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size.width, event.size.height)

    def _fit(self, width: int, height: int) -> None:
        self.screen.set_class(width < NARROW[0] or height < NARROW[1], "narrow")
        self._show_tab(self._tab)

    @property
    def narrow(self) -> bool:
        return self.screen_stack[0].has_class("narrow")

    def _show_tab(self, tab: str) -> None:
        self._tab = tab
        screen = self.screen_stack[0]
        screen.set_class(tab == "chat", "chat")
        screen.set_class(tab != "chat", "side")
        for pane in PANES[1:]:
            screen.set_class(tab == pane, f"show-{pane}")
        self.query_one(TabStrip).shown = tab

    def action_go(self, pane: str) -> None:
        """Show ``pane`` and give it the keys."""
        self._show_tab(pane)
        if pane == "chat":
            self._close_detail()
        widget = self.query_one(f"#{pane}")
        self.call_after_refresh(widget.focus)

    def action_go_next(self, by: int) -> None:
        order = ("composer", *PANES[1:]) if not self.narrow else PANES
        at = (
            self._tab if self.narrow else (self.focused.id if self.focused and self.focused.id in order else "composer")
        )
        to = order[(order.index(at or "composer") + by) % len(order)]
        if to in ("composer", "chat"):
            self._to_composer()
            self._show_tab("chat")
        else:
            self.action_go(to)

    def action_toggle_inbox(self) -> None:
        if isinstance(self.focused, Inbox):
            self._to_composer()
            self._show_tab("chat")
        else:
            self.action_go("inbox")

    def _to_composer(self) -> None:
        self.query_one(Composer).focus()

    def action_scroll_chat(self, by: int) -> None:
        self.query_one(Transcript).action_page(by)

    # ------------------------------------------------------------------------------------------------ detail

    def show_detail(self, title_words: str, draw: Draw, card: InboxItem | None = None) -> None:
        """Put lines to read where the conversation is. ``card`` can be approved there."""
        self._note_origin()
        self._card, self._card_at = card, self.clock.monotonic() + FRESH
        self._show_tab("chat")
        self.query_one(Transcript).display = False
        view = self.query_one(DetailView)
        view.open(title_words, draw)
        self.call_after_refresh(view.focus)

    def _close_detail(self) -> bool:
        view = self.query_one(DetailView)
        if not view.display:
            return False
        view.display = False
        self._card = None
        self.query_one(Transcript).display = True
        return True

    def on_detail_view_closed(self) -> None:
        self._close_detail()
        self._back()

    def _note_origin(self) -> None:
        """Keep where the keys were, to give them back there: never to the inbox when the user was typing."""
        if not isinstance(self.focused, DetailView):
            self._from_inbox = isinstance(self.focused, Inbox)

    def _back(self) -> None:
        if self._from_inbox:
            self.action_go("inbox")
        else:
            self._to_composer()

    def _show_card(self, item: InboxItem) -> None:
        asks = isinstance(item.record, Approval)
        heading = "APPROVE THIS? y or F2 at its end · Esc closes" if asks else "DETAILS"
        self.show_detail(heading, lambda pen: opened(item, pen, "", limit=100_000), item if asks else None)

    def on_detail_view_approved(self) -> None:
        self._approve_shown()

    def _approve_shown(self) -> None:
        """A yes to the card in the details: only to what was read to its end and still stands so."""
        card, view = self._card, self.query_one(DetailView)
        inbox = self.query_one(Inbox)
        if card is None or self.engine is None or self.clock.monotonic() < self._card_at:
            return
        current = inbox.item(card.ref)
        if current is None:
            self.say_words("This card is no longer open: nothing was approved")
        elif face(current) != face(card):
            self._show_card(current)
            self.say_words("The card has changed: this is how it stands now")
        elif not view.read:
            self.say_words("There is more below: read to its end, then y or F2 approves")
        else:
            inbox.mark_read(current)
            self._close_detail()
            self._back()
            self._act("approve", current)

    def action_help(self) -> None:
        self.show_detail("HELP", lambda pen: help_lines(pen, self._rebound))

    def action_status(self) -> None:
        self._start(self._open_status())

    async def _open_status(self) -> None:
        engine = self.engine
        held = await engine.why("silence") if engine else []
        dead = await engine.dead_letters() if engine else []
        board = self.board

        def draw(pen: Pen) -> list[Text]:
            ink = pen.ink
            model = f"{engine.model_name}{' (offline)' if engine.offline else ''}" if engine else "starting"
            lines = [Text.assemble(("Model   ", ink.dim), one_line(model))]
            spent = board.spent_today(self.clock.now(), self._zone)
            lines += [Text.assemble(("Spent   ", ink.dim), f"{spent:.4f} today"), Text(""), Text("Parts", ink.strong)]
            for health in sorted(board.health.values(), key=lambda h: h.part):
                bad = health.state in ("trouble", "stopped")
                mark = Text.assemble((f"  {'✗' if bad else '✓'} {health.state:<9}", ink.urgent if bad else ink.ok))
                mend = f" · {health.mend}" if bad and health.mend else ""
                lines += pen.hang(mark, Text(one_line(f"{health.part}  {health.detail}{mend}", 500)))
            for heading, found in (("Held back", held), ("Failed deliveries", dead)):
                lines += [Text(""), Text(heading, ink.strong)]
                lines += [Text("  " + clean(line, 500)) for line in found] or [Text("  none", ink.dim)]
            if dead:
                lines.append(Text("  Ctrl+F7 tries them again", ink.accent))
            return lines

        self.show_detail("STATUS", draw)

    async def _open_why(self, ref: str) -> None:
        if self.engine is None:
            raise EngineError("Pepper is still starting")
        lines = await self.engine.why(ref)
        self.show_detail(
            "WHY", lambda pen: [part for line in lines for part in pen.hang(Text(""), Text(clean(line, 4000)))]
        )

    def on_live_list_why(self, event: LiveList.Why) -> None:
        kind = {"signals": "signal:", "calls": "call:", "workers": "run:"}.get(event.list.id or "", "")
        self._start(self._open_why(kind + event.row))

    def on_live_list_details(self, event: LiveList.Details) -> None:
        match event.list.id:
            case "inbox":
                item = self.query_one(Inbox).item(event.row)
                if item is not None:
                    self._show_card(item)
            case "signals":
                signal = self.board.signals.get(event.row)
                if signal is not None:
                    self.show_detail("SIGNAL", lambda pen: rows.signal_details(signal, pen))
            case "calls":
                self._start(self._open_call(event.row))
            case "workers":
                self._start(self._open_run(event.row))

    async def _open_call(self, call_id: str) -> None:
        call = self.board.calls.get(call_id)
        if call is None or self.engine is None:
            return
        found = await self.engine.recall(
            ContextFilter(namespaces=(Namespace.TOOL_RESULT,), context_ids=(call_id,), limit=1)
        )
        result = str(found[0].data.get("content", "")) if found else ""
        self.show_detail("CALL", lambda pen: rows.call_details(call, result, pen))

    async def _open_run(self, run_id: str) -> None:
        run = self.board.runs.get(run_id)
        if run is None or self.engine is None:
            return
        memory = ""
        if run.agent:
            wanted = ContextFilter(namespaces=(f"{Namespace.MEMORY}.{run.agent}",), limit=1)
            found = await self.engine.recall(wanted)
            memory = (
                str(found[0].data.get("summary") or f"{len(found[0].data.get('events', []))} events") if found else ""
            )
        self.show_detail("WORKER", lambda pen: rows.run_details(run, memory, pen))

    def on_live_list_back(self) -> None:
        self._to_composer()
        self._show_tab("chat")

    def on_transcript_back(self) -> None:
        self._to_composer()

    def on_transcript_why(self, event: Transcript.Why) -> None:
        self._start(self._open_why(f"message:{event.row}"))

    def on_transcript_details(self, event: Transcript.Details) -> None:
        message = self.board.messages.get(event.row)
        if message is not None:
            self.show_detail("MESSAGE", lambda _pen: [Text(clean(message.text))])

    def on_transcript_copy(self, event: Transcript.Copy) -> None:
        message = self.board.messages.get(event.row)
        if message is not None:
            self.copy_to_clipboard(clean(message.text))
            self.say_words("Copied")

    # ------------------------------------------------------------------------------------------------ talking

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._guarded(work, "Pepper"))
        self._tasks.append(task)
        task.add_done_callback(self._tasks.remove)

    async def _hand_over_early(self) -> None:
        while self._early:
            text, after = self._early[0]
            await self._say(text, after)
            self._early.pop(0)

    async def _say(self, text: str, after_calls: bool) -> None:
        if self.engine is None:
            self._early.append((text, after_calls))
            self.say_words("Pepper is starting; your message is kept and goes first")
            return
        try:
            await self.engine.say(text, after_calls=after_calls)
        except Exception:
            composer = self.query_one(Composer)
            if not composer.text.strip():
                composer.put(text)
            raise

    def on_composer_sent(self, event: Composer.Sent) -> None:
        self._close_detail()
        self._show_tab("chat")
        self.query_one(Transcript).scroll_end(animate=False)
        self._start(self._say(event.text, event.after_calls))

    def on_composer_take_back(self) -> None:
        self._start(self._take_back())

    async def _take_back(self) -> None:
        if self.engine is None:
            return
        text = await self.engine.take_back()
        if text is None:
            self.say_words("Nothing to take back: Pepper has read it all")
            return
        composer = self.query_one(Composer)
        composer.put(f"{text}\n{composer.text}" if composer.text.strip() else text)
        self.say_words("Taken back")

    def on_composer_stop(self) -> None:
        if self._close_detail():
            return
        if self.engine is not None and self.query_one(Transcript).streaming:
            self._start(self.engine.stop_reply())

    def on_composer_search(self) -> None:
        composer = self.query_one(Composer)
        choices = list(dict.fromkeys(one_line(text, 400) for text in reversed(composer.said)))
        full = {one_line(text, 400): text for text in composer.said}
        self._ask(
            "Search what you sent", lambda found: composer.put(full.get(found, found)), choices=choices, filtered=True
        )

    def on_paste(self, event: events.Paste) -> None:
        """A paste with no field under it goes to the composer as text."""
        if len(self.screen_stack) == 1 and not self.query("#form, #prompt"):
            composer = self.query_one(Composer)
            if self.focused is not composer:
                composer.paste(event.text)
                composer.focus()

    # --------------------------------------------------------------------------------------------------- acts

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Acts rest while the palette is open."""
        del parameters
        return not (len(self.screen_stack) > 1 and action not in ("quit", "command_palette"))

    def action_head(self, act: str) -> None:
        """An F-key: acts on the inbox's open card, once it has been seen."""
        if act == "undo":
            self._act(act, None)
            return
        if self.query("#form, #prompt"):
            self.say_words("Save or leave what is open first")
            return
        if act == "approve" and self._card is not None:
            self._approve_shown()
            return
        inbox = self.query_one(Inbox)
        item = inbox.head
        if item is None:
            self.say_words("The inbox is empty")
            return
        if act == "approve" and not isinstance(item.record, Approval):
            asking = next((i for i in self.board.inbox(self.clock.now()) if isinstance(i.record, Approval)), None)
            if asking is not None:
                self._show_card(asking)
                self.say_words("The first card asks for no yes; this one does. y or F2 at its end approves")
                return
        if not inbox.in_view(item.ref):
            self._show_tab("inbox")
            inbox.guard()
            self.call_after_refresh(inbox.reveal, item.ref)
            self.say_words("Here is the card: press the key again to act on it")
            return
        if inbox.takes_keys:
            self._act(act, item)

    def on_inbox_act(self, event: Inbox.Act) -> None:
        self._act(event.act, event.item)

    def on_inbox_opened(self, event: Inbox.Opened) -> None:
        record = event.item.record
        if self.engine is not None and isinstance(record, Notification) and record.state is NotificationState.NEW:
            self._start(self.engine.seen(event.item.ref))

    def _act(self, act: str, item: InboxItem | None) -> None:
        engine = self.engine
        if engine is None:
            self.say_words("Pepper is still starting")
            return
        if item is None:
            self._start(self._tell(engine.undo()))
            return
        record = item.record
        match act:
            case "why":
                self._start(self._open_why(item.ref))
            case "approve" if isinstance(record, Approval) and not self.query_one(Inbox).was_read(item):
                self._show_card(item)
                self.say_words("Not all of this card was in view: here it is whole. y or F2 at its end approves")
            case "approve" if isinstance(record, Approval):
                self._start(self._tell(engine.approve(record.id)))
            case "reject" if isinstance(record, Approval):
                self._start(self._tell(engine.reject(record.id)))
            case "reject_reason" if isinstance(record, Approval):
                self._ask(
                    f"Why not: {title(item)}", lambda note: self._start(self._tell(engine.reject(record.id, note))),
                    may_be_empty=True,
                )  # fmt: skip
            case "edit" if isinstance(record, Approval):
                self._edit(record, engine)
            case "snooze" if item.kind != "unknown":
                self._ask(
                    "Snooze until",
                    lambda when: self._start(self._tell(engine.snooze(item.ref, when))),
                    choices=("1h", "tomorrow 9am"),
                )
            case "dismiss" | "done" if isinstance(record, Notification):
                self._start(self._tell(engine.dismiss(item.ref) if act == "dismiss" else engine.done(item.ref)))
            case "check" | "happened" | "did_not" | "leave" if item.kind == "unknown":
                self._start(self._tell(engine.answer_unknown(record.id, act)))
            case _:
                wanted = "y or n" if item.kind == "approval" else "1 to 4" if item.kind == "unknown" else "x, d or z"
                self.say_words(f"That key does not fit this card: {wanted}")

    async def _tell(self, act: Awaitable[str]) -> None:
        self.say_words(await act)

    def _edit(self, approval: Approval, engine: Engine) -> None:
        lines = approval.resolved.lines
        if not any(line.editable for line in lines):
            self.say_words("Nothing on this card can be edited; n rejects it")
            return

        def save(fields: dict[str, str]) -> None:
            if fields:
                self._start(self._tell(engine.edit(approval.id, fields)))
            else:
                self.say_words("Nothing was changed")

        self._note_origin()
        self._close_detail()
        self._show_tab("chat")
        self.query_one(Transcript).display = False
        form = Form(f"EDIT {one_line(approval.resolved.summary, 60)}", lines, save, blink=self._blink)
        self.query_one("#main").mount(form)

    def _ask(
        self, words: str, answer: Callable[[str], None], *, choices: tuple[str, ...] | list[str] = (),
        may_be_empty: bool = False, filtered: bool = False,
    ) -> None:  # fmt: skip
        if self.query("#form, #prompt"):
            return
        self._note_origin()
        prompt = Prompt(
            one_line(words, 60),
            answer,
            choices=choices,
            may_be_empty=may_be_empty,
            filtered=filtered,
            blink=self._blink,
        )
        self.query_one("#left").mount(prompt, before="#composer")

    def on_form_left(self) -> None:
        self.query("#form").remove()
        self.query_one(Transcript).display = True
        self._back()

    def on_prompt_left(self) -> None:
        self.query("#prompt").remove()
        self._back()

    def on_cancel_list_cancelled(self, event: CancelList.Cancelled) -> None:
        if self.engine is None:
            return
        run = self.board.runs.get(event.row)
        self._start(self._tell(self.engine.cancel_call(run.call if run else event.row)))

    def action_redrive(self) -> None:
        if self.engine is not None:
            self._start(self._tell(self.engine.redrive()))

    def action_change_theme(self) -> None:
        self.search_themes()

    def action_cancel_or_quit(self) -> None:
        now = self.clock.monotonic()
        composer, transcript = self.query_one(Composer), self.query_one(Transcript)
        if now - self._ctrl_c_at < 2.0:
            self.exit()
            return
        self._ctrl_c_at = now
        if composer.has_focus and composer.selected_text:
            self.copy_to_clipboard(composer.selected_text)
            self.say_words("Copied")
        elif transcript.streaming and self.engine is not None:
            self._start(self.engine.stop_reply())
            self.say_words("Stopped. Ctrl+C again quits")
        elif composer.text.strip():
            composer.said.append(composer.text)
            composer.remember(composer.said)
            composer.load_text("")
            self.say_words("Cleared; Up brings it back. Ctrl+C again quits")
        else:
            self.say_words("Ctrl+C again quits")


class SignalList(LiveList):
    """The signals. What was only logged is counted and hidden until ``l``."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("signals")]
    logged = False

    class Turned(Message):
        """``l``: logged signals are now shown, or no longer."""

    def action_logged(self) -> None:
        self.logged = not self.logged
        self.post_message(self.Turned())


class CancelList(LiveList):
    """A list whose rows can be cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("calls")]

    class Cancelled(LiveList.Details):
        """``x`` on a row."""

    def action_cancel(self) -> None:
        if self.selected in self.row_ids:
            self.post_message(self.Cancelled(self, self.selected))


def _trouble(error: BaseException) -> str:
    words = getattr(error, "words", "") or str(error) or type(error).__name__
    return one_line(str(words), 300)


__all__ = ["SHOWN", "EngineFactory", "PepperApp"]
