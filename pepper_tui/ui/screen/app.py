"""The Textual app: its parts, and the routing of the screen's messages to them.

It paints first and makes the engine afterwards. Nothing here decides for the user, and nothing raises over the screen:
trouble becomes words in the status line.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from pepper_tui.clock import Clock, SystemClock
from pepper_tui.model import Context, ContextUpdate, ReplyDelta
from pepper_tui.text import clean
from pepper_tui.ui.screen.actions import Actions
from pepper_tui.ui.screen.chat.bursts import Bursts
from pepper_tui.ui.screen.chat.chat_controller import Talk
from pepper_tui.ui.screen.chat.composer import Composer
from pepper_tui.ui.screen.chat.pastes import keep_pastes_text
from pepper_tui.ui.screen.chat.transcript import Transcript
from pepper_tui.ui.screen.filtering import Narrowed
from pepper_tui.ui.screen.inbox.card_view import CardView
from pepper_tui.ui.screen.inbox.inbox_controller import Acts
from pepper_tui.ui.screen.inbox.inbox_list import Inbox
from pepper_tui.ui.screen.inbox.inbox_pane import InboxPane
from pepper_tui.ui.screen.inbox.prompts import Asking
from pepper_tui.ui.screen.ink import Ink, Pen
from pepper_tui.ui.screen.kinds import kind_of
from pepper_tui.ui.screen.link import EngineFactory, Link
from pepper_tui.ui.screen.lists.lists import CancelList, SignalList
from pepper_tui.ui.screen.lists.live_list import LiveList
from pepper_tui.ui.screen.lists.row_cursor import RowCursor
from pepper_tui.ui.screen.palette import KeyTableCommands
from pepper_tui.ui.screen.panes import Panes
from pepper_tui.ui.screen.projection import Projection
from pepper_tui.ui.screen.reading.detail import DetailView
from pepper_tui.ui.screen.reading.detail_controller import Reading, reference
from pepper_tui.ui.screen.status import StatusLine, TabStrip
from pepper_tui.ui.screen.terminal.driver import PepperDriver
from pepper_tui.ui.screen.terminal.ending import Ending
from pepper_tui.ui.screen.terminal.notices import Notices
from pepper_tui.ui.screen.terminal.terminal_keys import teach_alt_enter
from pepper_tui.ui.screen.themes import DARK, THEMES
from pepper_tui.ui.shared.board import Board
from pepper_tui.ui.shared.keys import KeyNames, bindings
from pepper_tui.ui.shared.rebinding import rebound
from pepper_tui.ui.shared.records import Pane

if TYPE_CHECKING:
    from pepper_tui.config import Ui
    from pepper_tui.ui.screen.agenda.agenda_list import AgendaList
    from pepper_tui.ui.screen.connections.accounts import Accounts
    from pepper_tui.ui.screen.connections.connection_list import ConnectionList
    from pepper_tui.ui.screen.reading.rule_list import RuleList


log = logging.getLogger(__name__)


class PepperApp(Actions):
    """The screen.

    ``engine_factory`` is awaited after the first paint and may take its time (heavy imports belong in a thread there).
    ``theme`` is one of ``themes.THEMES``. A manual clock makes screenshots repeatable.
    """

    CSS_PATH = "pepper.tcss"
    COMMANDS = {KeyTableCommands}  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("app")]
    TITLE = "Pepper"

    def __init__(
        self,
        engine_factory: EngineFactory,
        *,
        clock: Clock | None = None,
        theme: str = DARK.name,
        accounts: Callable[[], Accounts] | None = None,
    ) -> None:
        super().__init__(driver_class=PepperDriver)
        for each in THEMES:
            self.register_theme(each)
        # before any style is read: a change of theme reads and applies all styles anew
        self.set_reactive(PepperApp.theme, DARK.name)
        self.stylesheet.set_variables(self.get_css_variables())
        teach_alt_enter()
        keep_pastes_text()
        self.clock: Clock = clock or SystemClock()
        self.make_accounts = accounts
        self.key_names = KeyNames()
        self.keys = deque([0.0, 0.0], maxlen=2)
        self._bursts = Bursts(self, lambda event: kind_of(self, event), self._key, self._burst)
        self._first_theme = theme
        self._ink: Ink | None = None
        self._painted = False
        self._ending = Ending(lambda code: self.exit(return_code=code))
        self._status = StatusLine(id="status")
        self.link = Link(
            engine_factory, self, lambda words, bad, stay: self.say_words(words, bad=bad, stay=stay), self.clock.now
        )
        self.projection = Projection(self)
        self.notices = Notices(self.bell, self.to_terminal, self.to_desktop, self.clock.monotonic)
        self.panes = Panes(self)
        self.reading = Reading(self)
        self.asking = Asking(self)
        self.acts = Acts(self)
        self.talk = Talk(self)

    # ------------------------------------------------------------------------------------------- what it is made of

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
                yield Composer(id="composer")
            with Vertical(id="right"):
                yield InboxPane(self.pen, self.clock.monotonic, id="inbox-pane")
                yield SignalList(
                    "SIGNALS",
                    "Mail, meetings and your own feeds appear here, each with its reason.",
                    self.pen,
                    id="signals",
                )
                yield CancelList("CALLS", "What Pepper is doing, with its time.", self.pen, id="calls")
                yield CancelList("WORKERS", "Longer tasks that Pepper hands out.", self.pen, id="workers")
        yield self._status

    def on_mount(self) -> None:
        self.theme = self._first_theme if self._first_theme in self.available_themes else DARK.name
        self.theme_changed_signal.subscribe(self, lambda _theme: self._restyle())
        self.app_resume_signal.subscribe(self, lambda _app: self.refresh(layout=True))  # after `fg` it is empty
        for pane in self.query(LiveList):
            pane.show_rows([])
        self.panes.fit(self.size.width, self.size.height)
        self.query_one(Composer).focus()
        if isinstance(self._driver, PepperDriver):  # else there is no terminal: this is a screenshot
            self._ending.watch(self._driver)

    def post_display_hook(self) -> None:
        """Open the link after the first paint with the composer: from now on the engine may use the CPU."""
        if not self._painted and self.stands and self.query_one(Composer).region.area:
            self._painted = True
            self.link.open()

    async def on_unmount(self) -> None:
        await self.link.close()
        self._ending.close()

    @property
    def board(self) -> Board:
        return self.projection.board

    @property
    def stands(self) -> bool:
        return self._status.is_attached

    def dress(self, wishes: Ui) -> None:
        """Apply the config's settings of the screen, once it has been read."""
        self.theme = wishes.theme
        self.rebind(rebound(wishes.keys)[0])
        self.projection.pause = 1 / wishes.refresh
        self.notices.bell, self.notices.kind = wishes.bell, wishes.notice

    def rebind(self, keys: Mapping[str, str]) -> None:
        """Apply changed keys, by key id, as returned by ``rebinding.rebound``."""
        if keys != self.key_names.changed:
            self.key_names = KeyNames(keys)
            self.set_keymap(dict(keys))
            self.projection.draw({Pane.INBOX})
            self._restyle()

    def pen(self, width: int) -> Pen:
        if self._ink is None:
            self._ink = Ink.of(self.theme_variables)
        return Pen(self._ink, max(8, width), self.link.zone, self.clock.now())

    def _restyle(self) -> None:
        self._ink = None
        for pane in (*self.query(LiveList), *self.query(Transcript), *self.query(DetailView), *self.query(CardView)):
            pane.restyle()
        self.query_one(TabStrip).refresh()
        self.query_one(StatusLine).refresh()

    def say_words(self, words: str, *, bad: bool = False, stay: bool = False) -> None:
        if self.stands:
            self.query_one(StatusLine).say(words, bad=bad, stay=stay)

    # ------------------------------------------------------------------------------------------- from the engine

    def counted(self, since: float, held: int, seq: int) -> None:
        self.board.held_so_far(since, held, seq)

    def recalled(self, contexts: list[Context]) -> None:
        self.projection.recalled(contexts)

    def updated(self, updates: list[ContextUpdate]) -> None:
        self.projection.updated(updates)

    def written(self, piece: ReplyDelta) -> None:
        self.projection.written(piece)

    async def connected(self) -> None:
        self.say_words("")
        self._restyle()  # from now on times are in the engine's zone
        await self.talk.connected(self.board)

    # ------------------------------------------------------------------------------------------- from the terminal

    async def on_event(self, event: events.Event) -> None:
        """While labels are shown, treat the next key as a label and nothing else."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            self.keys.append(event.time)
        if not await self._bursts.takes(event):
            await super().on_event(event)

    def _handle_exception(self, error: Exception) -> None:
        """Log the error that ends the screen: it vanishes with the terminal (Textual offers no public hook)."""
        log.critical("the screen ended by an error", exc_info=error)
        super()._handle_exception(error)

    async def _key(self, event: events.Key) -> None:
        if self.jumping:
            self.jump.take(event)
        else:
            await super().on_event(event)

    def _burst(self, text: str) -> None:
        """Take a burst, some of whose keys were dropped, as a paste; ``text``: its text if it reads like one."""
        if text:
            self.query_one(Composer).paste(text)
            self.say_words("That came faster than typing: taken as a paste, nothing was done")
        else:
            self.say_words("Those keys came all at once: nothing was decided. Press the one that you mean")

    def on_app_blur(self) -> None:
        self.notices.looked_at = False

    def on_app_focus(self) -> None:
        self.notices.looked_at = True

    def on_descendant_focus(self) -> None:
        self.panes.focus_moved()

    def on_resize(self, event: events.Resize) -> None:
        self.panes.fit(event.size.width, event.size.height)

    def on_paste(self, event: events.Paste) -> None:
        """Insert a paste with no field under it into the composer."""
        if len(self.screen_stack) == 1 and not self.asking.open and not isinstance(self.focused, Composer):
            self.talk.insert(event.text)

    # ------------------------------------------------------------------------------------------- from the panes

    def on_composer_sent(self, event: Composer.Sent) -> None:
        self.talk.send(event.written, event.after_calls)

    def on_composer_take_back(self) -> None:
        self.talk.take_back()

    def on_composer_stop(self) -> None:
        self.talk.stop()

    def on_composer_paged(self, event: Composer.Paged) -> None:
        self.panes.scroll_chat(event.by)

    def on_composer_search(self) -> None:
        self.talk.search()

    def on_composer_editor(self) -> None:
        self.editing.write_message()

    def on_form_editor(self) -> None:
        self.editing.write_field()

    def on_inbox_act(self, event: Inbox.Act) -> None:
        self.acts.by_letter(event.act)

    def on_inbox_pane_seen(self, event: InboxPane.Seen) -> None:
        for ref in event.refs:
            if self.link.engine is not None:
                self.link.start(self.link.engine.seen(ref))

    def on_inbox_pane_attended(self, event: InboxPane.Attended) -> None:
        self.attend(event.has_keys or self.asking.open)

    def attend(self, at_inbox: bool) -> None:
        if self.link.engine is not None:
            self.link.start(self.link.engine.attend(at_inbox))

    def on_inbox_pane_moved(self) -> None:
        self.projection.receipts_read()

    def on_cancel_list_cancelled(self, event: CancelList.Cancelled) -> None:
        self.acts.cancel(event.row)

    def on_row_cursor_details(self, event: RowCursor.Details) -> None:
        self.reading.open_row(event.list.id or "", event.row)

    def on_row_cursor_why(self, event: RowCursor.Why) -> None:
        self.reading.open_why(reference(event))

    def on_row_cursor_back(self) -> None:
        self.panes.to_composer()

    def on_row_cursor_idle(self, event: RowCursor.Idle) -> None:
        self.say_words(event.words)

    def on_narrowed_copied(self, event: Narrowed.Copied) -> None:
        self.talk.copy(clean(event.text))

    def on_detail_view_copied(self, event: DetailView.Copied) -> None:
        self.talk.copy(event.text)

    def on_opened_list_closed(self) -> None:
        for opened in (self.audit, self.rules, self.connections, self.agenda):
            if opened.list is not None:
                opened.close()

    def on_rule_list_act(self, event: RuleList.Act) -> None:
        self.rules.act(event.act, event.rule)

    def on_agenda_list_act(self, event: AgendaList.Act) -> None:
        self.agenda.act(event.act, event.row)

    def on_connection_list_act(self, event: ConnectionList.Act) -> None:
        self.connections.act(event.act, event.account)

    def on_detail_view_closed(self) -> None:
        self.reading.close()
        self.panes.back()

    def on_detail_view_act(self, event: DetailView.Act) -> None:
        self.reading.act(event.act)

    def on_form_left(self) -> None:
        self.asking.left()

    def on_prompt_left(self) -> None:
        self.asking.left()
