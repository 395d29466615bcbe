"""The conversation, drawn line by line: one entry a message, no widget each.

Finished messages are Markdown, wrapped once a width, the newest first and the older ones a few at a time. The
message that streams is a plain tail, redrawn at most eight times a second. The reader's place holds unless they
are at the end.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from rich.text import Text
from rich.theme import Theme
from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message as TextualMessage
from textual.reactive import var
from textual.strip import Strip

from pepper_tui.text import clean
from pepper_tui.ui.screen.filtering import Narrowed
from pepper_tui.ui.screen.ink import Pen, finished, marked, strips
from pepper_tui.ui.screen.lists.live_list import taught
from pepper_tui.ui.shared.keys import bindings
from pepper_tui.ui.shared.records import Message

EAGER: Final = 24
"""Messages wrapped at once after a change of width; older ones follow in chunks."""
CHUNK: Final = 1500
"""Characters of one chunk, each message counted as a hundred more."""
CHUNK_PAUSE: Final = 0.03
"""Seconds between two chunks, in which keys are drawn."""
TAIL_INTERVAL: Final = 0.125
LONGEST: Final = 60_000
"""Characters of one message that are drawn."""
MOST_LINES: Final = 500
"""Lines of one message that are drawn: each takes up to a twentieth of a millisecond on the loop."""
MOST_MARKS: Final = 2500
"""Signs of Markdown in one message, each line counted as five, up to which it is drawn as such: what has more is drawn
as it stands, as Markdown takes up to a sixtieth of a millisecond a sign."""
_SIGNS: Final = "*_`[]()!<>&|#~\\"
LONGEST_LINE: Final = 8000
"""Characters of the line that streams now: it is drawn anew each time."""
OLDER: Final = "older"
"""The id, and the speaker, of the line at the top that says that there is more."""
_SPEAKER: Final = {"you": "you", "pepper": "pepper", "trouble": "pepper · trouble"}


class Transcript(Narrowed, can_focus=True):
    """Messages and, while Pepper speaks, the reply as far as it has come."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list", "chat")]
    selected: var[str] = var("")
    name_shown = "CONVERSATION"

    class Details(TextualMessage):
        """Enter on a message."""

        def __init__(self, row: str) -> None:
            super().__init__()
            self.row = row

    class Why(Details):
        """``w`` on a message."""

    class Back(TextualMessage):
        """Esc: the user wants to type again."""

    def __init__(self, empty: str, pen: Callable[[int], Pen], *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.empty = empty
        self._pen = pen
        self._all: Sequence[Message] = ()
        self._messages: dict[str, Message] = {}
        self._order: list[str] = []
        self._drawn: dict[str, tuple[Message, int, list[Strip]]] = {}
        self._tops: list[int] = [0]
        self._width = 0
        self._wrapping = False
        self._tail_id = ""
        self._tail = ""
        self._tail_done = False
        self._tail_strips: list[Strip] = []
        self._tail_whole: list[Strip] = []  # those of its whole lines, which are drawn once
        self._tail_at = 0  # the first character that is not among them
        self._tail_pending = False
        self._extending = False
        self.at_end = True
        """Whether the reader is at the end, and stays there as more comes."""
        self._taught: list[Strip] = []

    # --------------------------------------------------------------------------------------------- content

    def show_messages(self, messages: Sequence[Message]) -> None:
        """Replace the finished messages. The stored form of the streamed one takes the tail's place."""
        self._all = messages
        self.narrowed()

    def narrowed(self) -> None:
        self._messages = {message.id: message for message in self._all}
        self._order = [m.id for m in self._all if self.holds((m.id, m.text), lambda m=m: clean(m.text))]  # type: ignore[misc]
        for gone in self._drawn.keys() - self._messages.keys():
            del self._drawn[gone]
        if self._tail_id in self._messages and (self._tail_done or not self._messages[self._tail_id].unfinished):
            self._clear_tail()
        if self.filtering and self._order and self.selected not in self._order:
            self.selected = self._order[-1]
        self.entitle("")
        self._lay_out()

    def show_all(self) -> None:
        """Take the filter away; the chosen message is found in its place."""
        found = self.selected if self.filtering and self.has_focus else ""
        super().show_all()
        if found and found != self._order[-1]:
            self.at_end = False
            self.call_after_refresh(self.select, found)  # it scrolls only once it has been laid out

    def tally(self) -> tuple[int, int]:
        return len(self._order), len(self._all)

    def select(self, row: str) -> None:
        if row in self._order:
            self._go(self._order.index(row))

    def rows_in_view(self) -> list[str]:
        if not self.is_on_screen or not self.region.area:
            return []
        top = round(self.scroll_y)
        end = top + self.scrollable_content_region.height
        places = zip(self._order, self._tops, self._tops[1:], strict=False)
        return [key for key, at, to in places if top <= at < end and to > at]

    def stream(self, message_id: str, text: str, *, restart: bool, done: bool) -> None:
        """Add to the reply that streams now."""
        if message_id in self._messages and not self._messages[message_id].unfinished:
            return
        if message_id != self._tail_id or restart:
            self._tail_id, self._tail, self._tail_done = message_id, "", False
            self._tail_whole, self._tail_at = [], 0
        self._tail += text
        self._tail_done = self._tail_done or done
        if not self._tail_pending:
            self._tail_pending = True
            self.set_timer(TAIL_INTERVAL, self._draw_tail)

    @property
    def streaming(self) -> bool:
        return bool(self._tail_id) and not self._tail_done

    @property
    def tail(self) -> str:
        """The streamed text so far that has no stored message yet."""
        return self._tail

    def _clear_tail(self) -> None:
        self._tail_id, self._tail, self._tail_done, self._tail_strips = "", "", False, []
        self._tail_whole, self._tail_at = [], 0

    def _draw_tail(self) -> None:
        self._tail_pending = False
        if not self._tail_id:
            return
        pen = self._pen(max(8, self._width - 2))
        mark = "" if self._tail_done else " ▍"
        head = Text.assemble(("pepper", pen.ink.accent), ("" if self._tail_done else " · speaking", pen.ink.dim))
        ends = self._tail.rfind("\n", self._tail_at, LONGEST)
        if ends >= 0:
            whole = clean(self._tail[self._tail_at : ends]).split("\n")[-MOST_LINES:]
            self._tail_whole += finished(strips([Text("\n".join(whole))], pen.width), self._width, self.rich_style)
            self._tail_at = ends + 1
        line = self._tail[self._tail_at : LONGEST]
        cut = "…" if len(line) > LONGEST_LINE else ""
        body = Text.assemble(cut, clean(line[-LONGEST_LINE:]), (mark, pen.ink.accent))
        top, rest = (
            finished(strips(lines, pen.width), self._width, self.rich_style) for lines in ([head], [body, Text("")])
        )
        self._tail_strips = [*top, *self._tail_whole, *rest]
        self._extend()

    # ---------------------------------------------------------------------------------------------- layout

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._extending:
            self.at_end = new_value >= self.max_scroll_y - 1

    def on_resize(self, _event: events.Resize) -> None:
        width = self.scrollable_content_region.width
        if width == self._width:
            self._extend()
            return
        self._width = width
        self._tail_whole, self._tail_at = [], 0
        self._drawn.clear()
        self._lay_out()
        self._draw_tail()

    def restyle(self) -> None:
        """Draw all anew, as after a change of theme or zone."""
        self._tail_whole, self._tail_at = [], 0
        self._drawn.clear()
        self._lay_out()

    def _lay_out(self) -> None:
        if self._width < 8:
            return
        nothing = "No message holds these words. Esc shows all." if self._all else self.empty
        self._taught = [] if self._order else taught(nothing, self._pen(self._width), self.rich_style)
        self._measure(max(0, len(self._order) - EAGER))
        self._extend()

    def _measure(self, wrap_from: int) -> None:
        """Wrap what had been wrapped before or stands from ``wrap_from`` on. The others take no lines yet: they come
        in above what is being read, a few at a time."""
        tops, total, newest_left = [0], 0, -1
        for place, key in enumerate(self._order):
            if place >= wrap_from or key in self._drawn:
                total += len(self._strips(key))
            else:
                newest_left = place
            tops.append(total)
        self._tops = tops
        if newest_left >= 0 and not self._wrapping:
            self._wrapping = True
            self.set_timer(CHUNK_PAUSE, lambda: self._wrap_older(newest_left))

    def _wrap_older(self, newest_left: int) -> None:
        self._wrapping = False
        line, room = round(self.scroll_y), CHUNK
        place = min(bisect_right(self._tops, line) - 1, len(self._order) - 1)
        anchor, inside = (self._order[place], line - self._tops[place]) if place >= 0 else ("", 0)
        for key in reversed(self._order[: newest_left + 1]):  # a filter may have come meanwhile: then fewer
            self._strips(key)
            room -= 100 + len(self._messages[key].text)
            if room <= 0:
                break
        self._measure(len(self._order))
        self._extend()
        if not self.at_end and anchor:
            self.scroll_to(y=self._tops[self._order.index(anchor)] + inside, animate=False, immediate=True, force=True)

    def _extend(self) -> None:
        self._extending = True
        self.extend_to(Size(self._width, self._tops[-1] + len(self._tail_strips)))
        if self.at_end:
            # by force: what first goes past the end does so before the scrollbar is there
            self.scroll_end(animate=False, immediate=True, x_axis=False, force=True)
        self._extending = False
        self.refresh()

    def _has(self, key: str) -> bool:
        known = self._drawn.get(key)
        return known is not None and known[0] == self._messages[key] and known[1] == self._width

    def _strips(self, key: str) -> list[Strip]:
        if not self._has(key):
            message = self._messages[key]
            self._drawn[key] = (message, self._width, self._draw(message))
        return self._drawn[key][2]

    def _draw(self, message: Message) -> list[Strip]:
        pen = self._pen(max(8, self._width - 2))
        ink = pen.ink
        if message.speaker == OLDER:
            return finished(
                [*strips([Text(message.text, ink.dim)], pen.width), Strip([])], self._width, self.rich_style
            )
        tone = {"you": ink.strong, "trouble": ink.urgent}.get(message.speaker, ink.accent)
        head = Text(_SPEAKER[message.speaker], tone)
        if message.queued:
            head.append(" · after the running calls", ink.dim)
        if message.unfinished:
            head.append(" · unfinished", ink.warn)
        lines = strips([pen.between(head, Text(pen.hour(message.at), ink.dim))], pen.width)
        text = clean(message.text, LONGEST)
        if message.speaker == "pepper" and 5 * text.count("\n") + sum(map(text.count, _SIGNS)) <= MOST_MARKS:
            lines += self._markdown(text, pen.width)
        else:
            *shown, rest = text.split("\n", MOST_LINES)
            more = f"… {rest.count(chr(10)) + 1} more lines; a copy has them" if len(shown) == MOST_LINES else ""
            plain = "\n".join(shown if more else [*shown, rest])
            lines += strips([Text(plain), *([Text(more, ink.dim)] if more else [])], pen.width)
        return finished([*lines, Strip([])], self._width, self.rich_style)

    def _markdown(self, text: str, width: int) -> list[Strip]:
        from rich.markdown import Markdown  # 60 ms: not before the first frame

        console = self.app.console
        options = console.options.update(width=width, height=None, highlight=False)
        ink = self._pen(width).ink
        markdown = Markdown(text, hyperlinks=False, code_theme="ansi_dark")
        for token in markdown.parsed:  # an address in angle brackets is not told twice, as text and as link
            token.children = [part for part in token.children or () if part.markup != "autolink"]
        with console.use_theme(Theme({"markdown.code": ink.accent, "markdown.link": ink.accent})):
            drawn = console.render_lines(markdown, options, pad=False)
        return [Strip(line) for line in drawn]

    def render_line(self, y: int) -> Strip:
        line = round(self.scroll_y) + y
        if not self._order and not self._tail_id:
            return self._taught[y] if y < len(self._taught) else self._blank
        key = ""
        if line < self._tops[-1]:
            place = bisect_right(self._tops, line) - 1
            key = self._order[place]
            lines, inside = self._strips(key), line - self._tops[place]
        else:
            lines, inside = self._tail_strips, line - self._tops[-1]
        if not 0 <= inside < len(lines):
            return self._blank
        if key and inside == 0 and (label := self.labels.get(key)):
            return marked(lines[0], f"{label:<2}", self._pen(1).ink.label)
        chosen = key and key == self.selected and self.has_focus
        mine = key and self._messages[key].speaker == "you"
        if (chosen or mine) and inside < len(lines) - 1:
            ink = self._pen(1).ink
            return marked(lines[inside], "▌ ", ink.accent if chosen else ink.dim)
        return lines[inside]

    @property
    def _blank(self) -> Strip:
        return Strip.blank(self._width, self.rich_style)

    # ------------------------------------------------------------------------------------------------ keys

    def watch_selected(self) -> None:
        self.refresh()

    def watch_has_focus(self, _has_focus: bool) -> None:
        super().watch_has_focus(_has_focus)
        if _has_focus and self._order and self.selected not in self._messages:
            self.selected = self._order[-1]
        self.refresh()

    def _go(self, place: int) -> None:
        if not self._order:
            return
        place = min(max(place, 0), len(self._order) - 1)
        self.selected = self._order[place]
        top, end = self._tops[place], self._tops[place + 1]
        room = self.scrollable_content_region.height
        if top < self.scroll_y or end - top > room:
            self.scroll_to(y=top, animate=False, immediate=True, force=True)
        elif end > self.scroll_y + room:
            self.scroll_to(y=end - room, animate=False, immediate=True, force=True)

    def action_cursor(self, by: int) -> None:
        place = self._order.index(self.selected) if self.selected in self._order else len(self._order) - by
        self._go(place + by)

    def action_page(self, by: int) -> None:
        self.scroll_relative(y=by * max(1, self.scrollable_content_region.height - 1), animate=False)

    def action_edge(self, by: int) -> None:
        self._go(len(self._order) - 1 if by > 0 else 0)

    def action_details(self) -> None:
        if self.selected in self._messages and self.selected != OLDER:
            self.post_message(self.Details(self.selected))

    def action_why(self) -> None:
        if self.selected in self._messages and self.selected != OLDER:
            self.post_message(self.Why(self.selected))

    def action_copy(self) -> None:
        if self.selected in self._messages:
            self.post_message(self.Copied(self._messages[self.selected].text))

    def action_back(self) -> None:
        if self.filtering:
            self.show_all()
        else:
            self.post_message(self.Back())
