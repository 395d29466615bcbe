"""The keys of the lists that are opened, and of what is read: rules, agenda, mail, connections. See ``keys``."""

from __future__ import annotations

from typing import Final

from pepper_tui.ui.shared.key_table.key import Key

_LISTS: Final = "In any list"
_MAIL: Final = "In the mail"
_READ: Final = "In the open mail"
_AGENDA: Final = "In the agenda"
_ACCOUNTS: Final = "In the connections"

LIST_KEYS: Final[tuple[Key, ...]] = (
    Key("signals.logged", "l", "logged", "signals", _LISTS, "Signals: show or hide what was only logged"),
    Key("calls.cancel", "x", "cancel", "calls", _LISTS, "Cancel the call or the worker's run"),
    Key("rules.pause", "p", "rule('pause')", "rules", "In the rules", "Pause the rule, or let it go on"),
    Key("rules.remove", "x", "rule('remove')", "rules", "In the rules", "Remove the rule; it asks once more"),
    Key("rules.undo", "u", "rule('undo')", "rules", "In the rules", "Undo the last act", yields=True),
    Key("rules.redo", "U,shift+u", "rule('redo')", "rules", "In the rules", "Do again what was undone", yields=True),
    Key("agenda.accept", "1", "agenda('accept')", "agenda", _AGENDA, "Accept: a card shows the reply first"),
    Key("agenda.maybe", "2", "agenda('maybe')", "agenda", _AGENDA, "Accept for now, tentatively"),
    Key("agenda.decline", "3", "agenda('decline')", "agenda", _AGENDA, "Decline"),
    Key("agenda.propose", "p", "agenda('propose')", "agenda", _AGENDA, "Propose another time to who asks"),
    Key("agenda.move", "v", "agenda('move')", "agenda", _AGENDA, "Move your own event; a card asks for your yes"),
    Key("agenda.rename", "e", "agenda('rename')", "agenda", _AGENDA, "Give your own event another title"),
    Key(
        "agenda.cancel",
        "x",
        "agenda('cancel')",
        "agenda",
        _AGENDA,
        "Cancel the event or the reminder; of a to-do: done",
    ),
    Key("agenda.new", "n", "agenda('new')", "agenda", _AGENDA, "A new event, in words"),
    Key("agenda.today", "t", "agenda('today')", "agenda", _AGENDA, "Back to today"),
    Key("agenda.later", "right_square_bracket,right", "agenda('later')", "agenda", _AGENDA, "Later days"),
    Key("agenda.earlier", "left_square_bracket,left", "agenda('earlier')", "agenda", _AGENDA, "Earlier days"),
    Key("agenda.order", "o", "agenda('order')", "agenda", _AGENDA, "A week, a month, a day, three days"),
    Key("agenda.go", "d", "agenda('go')", "agenda", _AGENDA, "To a day that you name"),
    Key("agenda.undo", "u", "agenda('undo')", "agenda", _AGENDA, "Undo the last act"),
    Key("agenda.redo", "U,shift+u", "agenda('redo')", "agenda", _AGENDA, "Do again what was undone"),
    Key("mail.reply", "r", "mail('reply')", "mail", _MAIL, "Reply; a card asks for your yes"),
    Key("mail.reply_all", "R,shift+r", "mail('reply_all')", "mail", _MAIL, "Reply to all"),
    Key("mail.reply_list", "l,L,shift+l", "mail('reply_list')", "mail", _MAIL, "Reply to the list"),
    Key("mail.forward", "f", "mail('forward')", "mail", _MAIL, "Forward"),
    Key("mail.new", "n", "mail('new')", "mail", _MAIL, "Write a new mail"),
    Key("mail.archive", "e,a", "mail('archive')", "mail", _MAIL, "Archive"),
    Key("mail.trash", "number_sign,D,shift+d,delete", "mail('trash')", "mail", _MAIL, "To the trash"),
    Key("mail.junk", "exclamation_mark", "mail('junk')", "mail", _MAIL, "Spam"),
    Key("mail.move", "v", "mail('move')", "mail", _MAIL, "Move to a folder"),
    Key("mail.flag", "s", "mail('flag')", "mail", _MAIL, "Flag, or take the flag off"),
    Key("mail.unread", "U,shift+u", "mail('unread')", "mail", _MAIL, "Mark as read, or as unread"),
    Key("mail.undo", "u", "mail('undo')", "mail", _MAIL, "Undo the last act"),
    Key("mail.keys", "question_mark", "mail('keys')", "mail", _MAIL, "These keys, and what the signs mean"),
    Key("mail.select", "x", "mark", "mail_list", _MAIL, "Select the thread, or not: an act is on all selected"),
    Key("mail.range", "X,shift+x", "mail('range')", "mail_list", _MAIL, "Select from the last selected to here"),
    Key("mail.order", "o", "mail('order')", "mail_list", _MAIL, "Order: unread first, or by date alone"),
    Key("read.down", "j,down", "line(1)", "mail_reader", _READ, "Down"),
    Key("read.up", "k,up", "line(-1)", "mail_reader", _READ, "Up"),
    Key("read.page_down", "pagedown", "page(1)", "mail_reader", _READ, "A page down"),
    Key("read.page_up", "pageup", "page(-1)", "mail_reader", _READ, "A page up"),
    Key("read.first", "home,g", "edge(-1)", "mail_reader", _READ, "To the beginning"),
    Key("read.last", "end,G,shift+g", "edge(1)", "mail_reader", _READ, "To the end"),
    Key("read.next", "J,shift+j", "message(1)", "mail_reader", _READ, "Next mail of the thread"),
    Key("read.previous", "K,shift+k", "message(-1)", "mail_reader", _READ, "Previous mail of the thread"),
    Key("read.fold", "enter", "fold", "mail_reader", _READ, "Open the mail, or fold it"),
    Key("read.quotes", "t", "quotes", "mail_reader", _READ, "Show what is quoted, or fold it"),
    Key("read.all", "h", "all", "mail_reader", _READ, "All headers and all of a long text, or few"),
    Key(
        "read.open_file", "o", "mail('open_file')", "mail_reader", _READ, "Open an attachment with the system's program"
    ),
    Key("read.read_file", "p", "mail('read_file')", "mail_reader", _READ, "Read an attachment as text, here"),
    Key("read.save_file", "S,shift+s", "mail('save_file')", "mail_reader", _READ, "Save an attachment to a folder"),
    Key("read.why", "w", "mail('why')", "mail_reader", _READ, "Why: signal, step, calls, cost"),
    Key("read.close", "escape,q", "close", "mail_reader", _READ, "Back to the list"),
    Key("connections.add", "a", "connection('add')", "connections", _ACCOUNTS, "Add an account", yields=True),
    Key("connections.test", "t", "connection('test')", "connections", _ACCOUNTS, "Sign in, and say what is wrong"),
    Key("connections.pause", "p", "connection('pause')", "connections", _ACCOUNTS, "Pause it, or let it go on"),
    Key("connections.sign_in", "s", "connection('sign_in')", "connections", _ACCOUNTS, "Sign in again"),
    Key("connections.remove", "x", "connection('remove')", "connections", _ACCOUNTS, "Remove it; it asks once more"),
    Key("connections.restart", "r", "connection('restart')", "connections", _ACCOUNTS, "Take in a changed config"),
)
