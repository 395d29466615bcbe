"""A thread to read: from the oldest to the newest, the newest open, what is quoted folded. Reading marks nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from pepper_tui.domains.mail.listing.records import ThreadMail
from pepper_tui.text import one_line
from pepper_tui.ui.screen.inbox.form import set_title
from pepper_tui.ui.screen.ink import Pen, finished, strips, taught
from pepper_tui.ui.screen.lists.lines import Lines
from pepper_tui.ui.screen.mail.mail_lines import Looks, mail_lines
from pepper_tui.ui.shared.keys import bindings, names_of


class MailReader(Lines, can_focus=True):
    """The pane. ``current`` is the mail that the keys are about."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("mail", "mail_reader")]

    class Act(Message):
        """A key on the thread, or on its current mail. ``act`` is the word in the key table."""

        def __init__(self, act: str) -> None:
            super().__init__()
            self.act = act

    class Closed(Message):
        """The reader is done."""

    def __init__(self, pen: Callable[[int], Pen], *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._pen = pen
        self.mails: Sequence[ThreadMail] = ()
        self.thread = ""
        self._opened: set[str] = set()
        self._current = ""
        self._went = False  # the user has gone from mail to mail
        self._quotes = self._all = False
        self._strips: list[Strip] = []
        self._tops: dict[str, int] = {}
        self._drawn: dict[tuple[str, Looks, int], list[Strip]] = {}
        self._width = 0

    # ------------------------------------------------------------------------------------------------ what is read

    def show(self, thread: str, mails: Sequence[ThreadMail]) -> None:
        """Show a thread; one that is shown already keeps what was opened in it, and its place."""
        again = thread == self.thread and bool(mails)
        known = {mail.id for mail in self.mails}
        self.thread, self.mails = thread, mails
        self._drawn = {}
        if not again:
            self._quotes = self._all = self._went = False
            self._opened = {mail.id for mail in mails if mail.unread} | ({mails[-1].id} if mails else set())
            first = next((mail for mail in mails if mail.unread), mails[-1] if mails else None)
            self._current = first.id if first is not None else ""
        elif fresh := [mail for mail in mails if mail.id not in known]:
            self._opened |= {mail.id for mail in fresh}
        subject = one_line(mails[-1].subject, 90) or "(no subject)" if mails else ""
        set_title(self, f"{subject} · {names_of(self.app).of('mail.keys')} keys" if mails else "")
        self.lay_out()
        if not again:
            self._show_current()

    @property
    def current(self) -> ThreadMail | None:
        return next((mail for mail in self.mails if mail.id == self._current), None)

    @property
    def answered(self) -> ThreadMail | None:
        """The mail that an answer is to: the one that the user went to, else the newest that others wrote."""
        return self.current if self._went else newest_of_others(self.mails)

    def _show_current(self) -> None:
        # a short thread is shown from its top: what came before the current mail is context
        top = self._tops.get(self._current, 0)
        room = self.scrollable_content_region.height
        self.scroll_to(y=0 if len(self._strips) <= room else top, animate=False, immediate=True, force=True)

    # ---------------------------------------------------------------------------------------------------- drawing

    def lay_out(self) -> None:
        """Draw what has changed."""
        width = self.scrollable_content_region.width
        if width < 8:
            return
        if width != self._width:
            self._width, self._drawn = width, {}
        names = names_of(self.app)
        keys = names.of("read.quotes"), names.of("read.all")
        does = (("read.read_file", "reads"), ("read.open_file", "opens"), ("read.save_file", "saves"))
        files = " · ".join(f"{names.of(key)} {what}" for key, what in does)
        pen = self._pen(width - 2)
        self._strips, self._tops = [], {}
        for mail in self.mails:
            self._tops[mail.id] = len(self._strips)
            looks = Looks(mail.id in self._opened, self._quotes, self._all, mail.id == self._current)
            name = (mail.id, looks, width)
            if name not in self._drawn:
                drawn = finished(strips(mail_lines(mail, pen, looks, keys, files), width - 2), width, self.rich_style)
                self._drawn[name] = drawn
            self._strips += self._drawn[name]
        if not self.mails:
            words = "Choose a thread: it is shown here. Reading marks nothing."
            self._strips = taught(words, self._pen(width), self.rich_style)
        self.extend_to(Size(width, len(self._strips)))
        self.refresh()

    def restyle(self) -> None:
        """Draw again, as after a change of theme."""
        self._drawn = {}
        self.lay_out()

    def on_resize(self, _event: events.Resize) -> None:
        self.lay_out()

    def render_line(self, y: int) -> Strip:
        line = round(self.scroll_y) + y
        return self._strips[line] if line < len(self._strips) else Strip.blank(self._width, self.rich_style)

    @property
    def words(self) -> str:
        """What is shown, as plain text."""
        return "\n".join(strip.text.rstrip() for strip in self._strips)

    # -------------------------------------------------------------------------------------------------------- keys

    def action_line(self, by: int) -> None:
        self.scroll_relative(y=by, animate=False, immediate=True)

    def action_page(self, by: int) -> None:
        self.action_line(by * max(1, self.scrollable_content_region.height - 1))

    def action_edge(self, by: int) -> None:
        self.scroll_to(y=0 if by < 0 else len(self._strips), animate=False, immediate=True)

    def action_message(self, by: int) -> None:
        """Go to the next mail of the thread."""
        at = next((at for at, mail in enumerate(self.mails) if mail.id == self._current), 0) + by
        if 0 <= at < len(self.mails):
            self._current, self._went = self.mails[at].id, True
            self.lay_out()
            self.scroll_to(y=self._tops[self._current], animate=False, immediate=True, force=True)

    def action_fold(self) -> None:
        """Open the current mail, or fold it."""
        self._opened ^= {self._current}
        self.lay_out()

    def action_quotes(self) -> None:
        self._quotes = not self._quotes
        self.lay_out()

    def action_all(self) -> None:
        self._all = not self._all
        self.lay_out()

    def action_close(self) -> None:
        self.post_message(self.Closed())

    def action_mail(self, act: str) -> None:
        self.post_message(self.Act(act))


def newest_of_others(mails: Sequence[ThreadMail]) -> ThreadMail | None:
    """Return the newest mail that others wrote, the newest at all if that is none."""
    return next((mail for mail in reversed(mails) if not mail.own), mails[-1] if mails else None)
