"""The actions of keys that work everywhere, each one line to the responsible part of the screen.

Also the ways around the screen: to the terminal itself, and to the desktop.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from pepper_tui.ui.screen.desk import Desk
from pepper_tui.ui.screen.terminal.terminal_out import clipboard, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable

    from pepper_tui.ui.screen.agenda.agenda_controller import Agenda
    from pepper_tui.ui.screen.chat.chat_controller import Talk
    from pepper_tui.ui.screen.connections.accounts import Accounts
    from pepper_tui.ui.screen.connections.connections import Connections
    from pepper_tui.ui.screen.inbox.editing import Editing
    from pepper_tui.ui.screen.inbox.inbox_controller import Acts
    from pepper_tui.ui.screen.jump import Jump
    from pepper_tui.ui.screen.mail.mail_controller import Mails
    from pepper_tui.ui.screen.panes import Panes
    from pepper_tui.ui.screen.projection import Projection
    from pepper_tui.ui.screen.reading.audit import Audit
    from pepper_tui.ui.screen.reading.detail_controller import Reading
    from pepper_tui.ui.screen.reading.rule_list import Rules


class Actions(Desk):
    """The actions of the key table's ``app``."""

    acts: Acts
    panes: Panes
    projection: Projection
    reading: Reading
    talk: Talk
    make_accounts: Callable[[], Accounts] | None = None
    """Makes the accounts that the screen may change; None where there are none, as in the demo."""

    @cached_property
    def audit(self) -> Audit:
        from pepper_tui.ui.screen.reading.audit import (
            Audit,  # imported on first use, not before the first frame
        )

        return Audit(self)

    @cached_property
    def rules(self) -> Rules:
        from pepper_tui.ui.screen.reading.rule_list import Rules

        return Rules(self)

    @cached_property
    def mail(self) -> Mails:
        from pepper_tui.ui.screen.mail.mail_controller import Mails

        return Mails(self)

    @cached_property
    def agenda(self) -> Agenda:
        from pepper_tui.ui.screen.agenda.agenda_controller import Agenda

        return Agenda(self)

    @cached_property
    def connections(self) -> Connections:
        from pepper_tui.ui.screen.connections.connections import Connections

        return Connections(self, self.make_accounts() if self.make_accounts else None, self.editing)

    @cached_property
    def jump(self) -> Jump:
        from pepper_tui.ui.screen.jump import Jump

        return Jump(self)

    @cached_property
    def editing(self) -> Editing:
        from pepper_tui.ui.screen.inbox.editing import Editing

        return Editing(self)

    def to_terminal(self, sequence: str) -> None:
        """Write a sequence to the terminal, or to the tmux around Pepper, unless another program owns the terminal."""
        if self._driver is not None and not self.editing.away:
            self._driver.write(wrapped(sequence))

    def to_desktop(self, title: str, words: str) -> None:
        self.link.start(self.projection.notify_desktop(title, words))

    def copy_to_clipboard(self, text: str) -> None:
        """Copy by OSC 52. Raises ``ValueError`` with words for text that no terminal takes."""
        sequence = clipboard(text)
        self._clipboard = text
        self.to_terminal(sequence)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable actions while the palette is open."""
        del parameters
        return not (len(self.screen_stack) > 1 and action not in ("quit", "command_palette"))

    def action_head(self, act: str) -> None:
        self.acts.by_function_key(act)

    def action_go(self, pane: str) -> None:
        self.panes.go(pane)

    def action_go_next(self, by: int) -> None:
        self.panes.go_next(by)

    def action_toggle_inbox(self) -> None:
        self.panes.toggle_inbox()

    def action_scroll_chat(self, by: int) -> None:
        self.panes.scroll_chat(by)

    def action_jump(self) -> None:
        self.jump.begin()

    def action_export(self) -> None:
        self.talk.export()

    def action_effects(self) -> None:
        self.audit.toggle()

    def action_rules(self) -> None:
        self.rules.toggle()

    def action_mail(self) -> None:
        self.mail.toggle()

    def action_agenda(self) -> None:
        self.agenda.toggle()

    def action_connections(self) -> None:
        self.connections.toggle()

    def action_help(self) -> None:
        self.reading.open_help()

    def action_status(self) -> None:
        self.reading.open_health()

    def action_redrive(self) -> None:
        self.link.tell(lambda engine: engine.redrive())

    def action_change_theme(self) -> None:
        self.search_themes()

    def action_cancel_or_quit(self) -> None:
        self.talk.cancel_or_quit()
