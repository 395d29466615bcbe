"""The kind of each key under the present focus: which keys of a burst pass, and which are dropped (see ``bursts``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.widgets import Input, TextArea

from pepper_tui.ui.screen.chat.bursts import Kind
from pepper_tui.ui.screen.filtering import Narrowed
from pepper_tui.ui.screen.inbox.form import Prompt
from pepper_tui.ui.shared.keys import decides, moves

if TYPE_CHECKING:
    from pepper_tui.ui.screen.desk import Desk


def kind_of(app: Desk, event: events.Key) -> Kind:
    """Return the kind of a key on the screen."""
    focused = app.focused
    if app.jumping:
        return Kind.TYPES
    if len(app.screen_stack) > 1:  # the palette
        return Kind.DECIDES if event.key == "enter" else Kind.TYPES
    if focused is not None and any(isinstance(n, Prompt) and n.answers(event) for n in focused.ancestors):
        return Kind.DECIDES
    typing = isinstance(focused, (TextArea, Input)) or (isinstance(focused, Narrowed) and focused.typing)
    if typing and (event.is_printable or event.key in ("enter", "tab", "escape")):
        return Kind.TYPES
    bound = app.screen.active_bindings.get(event.key)  # as rebound by the config
    key_id = (bound.binding.id or "") if bound is not None else ""
    if decides(key_id):
        return Kind.DECIDES
    if typing:
        return Kind.TYPES
    if moves(key_id):
        return Kind.MOVES
    if not (event.is_printable or event.key in ("enter", "ctrl+j", "tab", "escape")):
        return Kind.TYPES
    return Kind.ACTS if key_id else Kind.UNBOUND
