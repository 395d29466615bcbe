"""The base of widgets drawn line by line: they grow without a new layout of the screen."""

from __future__ import annotations

from textual.geometry import Size
from textual.scroll_view import ScrollView


class Lines(ScrollView):
    """A scrolled widget whose content has the size last set."""

    def extend_to(self, size: Size) -> None:
        """Make the content ``size``.

        If the scrollbar stays visible, only the scrollbar is redrawn: setting ``virtual_size`` itself would lay out the
        whole screen, many times a second while much arrives.
        """
        room = self.scrollable_content_region.height
        before = self.virtual_size
        if before == size:
            return
        if self.show_vertical_scrollbar and size.width == before.width and min(size.height, before.height) > room:
            self.set_reactive(Lines.virtual_size, size)
            self.vertical_scrollbar.window_virtual_size = size.height
        else:
            self.virtual_size = size
