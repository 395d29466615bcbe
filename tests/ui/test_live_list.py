"""A list against a plain model: whatever happens to its rows, each line on the screen is the one that belongs."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import UTC

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.text import Text
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from pepper_tui.ui.screen.ink import Ink, Pen
from pepper_tui.ui.screen.lists.drawn_rows import Row
from pepper_tui.ui.screen.lists.live_list import LiveList

HEIGHT = 9


@dataclass
class Thing:
    """A row as the model has it. ``fixed``: its height is told to the list, else it is as high as what is drawn."""

    id: str
    height: int
    fixed: bool
    version: int = 0

    def lines(self) -> list[str]:
        return [f"{self.id} v{self.version} line {number}" for number in range(self.height)]

    def row(self) -> Row:
        lines = self.lines()
        key = (self.version, self.height)
        return Row(self.id, key, lambda _pen: [Text(line) for line in lines], height=self.height if self.fixed else 0)


@dataclass
class Model:
    things: list[Thing] = field(default_factory=list)
    made: int = 0

    def lines(self) -> list[str]:
        return [line for thing in self.things for line in thing.lines()]

    def owners(self) -> list[str]:
        return [thing.id for thing in self.things for _ in range(thing.height)]


class OneList(App[None]):
    CSS = "LiveList { overflow-x: hidden; overflow-y: auto; scrollbar-size: 0 1; scrollbar-gutter: stable; }"

    def compose(self) -> ComposeResult:
        yield LiveList("ROWS", "", lambda width: Pen(Ink.of(self.theme_variables), width, UTC, 0.0), id="rows")


def drawn(app: OneList) -> list[str]:
    """The list's lines as the compositor has them."""
    region = app.query_one(LiveList).region
    lines = app.screen._compositor.render_strips()
    return ["".join(part.text for part in line)[2 : region.width - 1].rstrip() for line in lines][
        region.y : region.bottom
    ]


numbers = st.integers(0, 30)
heights = st.integers(1, 12)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), numbers, heights, st.booleans()),
        st.tuples(st.just("change"), numbers, heights),
        st.tuples(st.just("remove"), numbers),
        st.tuples(st.just("many"), numbers, heights),
        st.tuples(st.just("scroll"), st.integers(0, 80)),
        st.tuples(st.just("select"), numbers),
        st.tuples(st.just("resize"), st.integers(24, 60), st.integers(3, 20)),
        st.tuples(st.just("hide")),
        st.tuples(st.just("restyle")),
        st.tuples(st.just("focus"), st.booleans()),
        st.tuples(st.just("look")),
    ),
    max_size=25,
)


async def walk(path: list[tuple[object, ...]]) -> None:
    app, model = OneList(), Model()
    async with app.run_test(size=(40, HEIGHT)) as pilot:
        pane = app.query_one(LiveList)
        pane.show_rows([])
        for step in path:
            await take(step, app, pane, model, pilot)
            check_state(pane, model)
            if step[0] in ("look", "resize", "hide", "scroll"):
                await settled(app, pane, model, pilot)
        await settled(app, pane, model, pilot)


async def settled(app: OneList, pane: LiveList, model: Model, pilot: Pilot[None]) -> None:
    """Check the screen once it stands; a busy machine draws it a moment later."""
    for _ in range(50):
        await pilot.pause()
        with contextlib.suppress(AssertionError):
            check_screen(app, pane, model)
            return
        await pilot.pause(0.05)
    check_screen(app, pane, model)


async def take(step: tuple[object, ...], app: OneList, pane: LiveList, model: Model, pilot: Pilot[None]) -> None:
    things = model.things
    match step:
        case ("add", int(place), int(height), bool(fixed)):
            model.made += 1
            things.insert(place % (len(things) + 1), Thing(f"row{model.made}", height, fixed))
        case ("change", int(place), int(height)) if things:
            thing = things[place % len(things)]
            thing.height, thing.version = height, thing.version + 1
        case ("remove", int(place)) if things:
            things.pop(place % len(things))
        case ("many", int(count), int(height)):
            for number in range(count):
                model.made += 1
                things.insert(0, Thing(f"row{model.made}", 1 + (height + number) % 3, number % 2 == 0))
        case ("scroll", int(line)):
            pane.scroll_to(y=line, animate=False, immediate=True)
            return
        case ("select", int(place)) if things:
            pane.select(things[place % len(things)].id)
            assert pane.selected == things[place % len(things)].id
            return
        case ("resize", int(width), int(height)):
            await pilot.resize_terminal(width, height)
            return
        case ("hide",):
            pane.display = False
            await pilot.pause()
            pane.show_rows([thing.row() for thing in things])
            pane.display = True
            return
        case ("restyle",):
            pane.restyle()
            return
        case ("focus", bool(wanted)):
            app.set_focus(pane if wanted else None)
            return
        case _:
            return
    show(pane, model)


def show(pane: LiveList, model: Model) -> None:
    """Give the list its rows: what is read stays where it is, and the selection stays with its row or goes beside."""
    before, owners, inside = pane.selected, pane.row_ids, reading(pane)
    pane.show_rows([thing.row() for thing in model.things])
    ids = [thing.id for thing in model.things]
    if before in ids:
        assert pane.selected == before
    elif before:
        assert pane.selected == (ids[min(owners.index(before), len(ids) - 1)] if ids else "")
    if inside is not None and inside[0] in ids:
        first = model.owners().index(inside[0])
        last = max(0, len(model.lines()) - pane.scrollable_content_region.height)
        assert round(pane.scroll_y) == min(first + inside[1], last)


def reading(pane: LiveList) -> tuple[str, int] | None:
    """The row at the top of a scrolled list, and how many of its lines are above."""
    top = round(pane.scroll_y)
    return pane.drawn.anchor(top) if top > 0 else None


def check_state(pane: LiveList, model: Model) -> None:
    assert pane.row_ids == [thing.id for thing in model.things]
    assert pane.selected == "" or pane.selected in pane.row_ids


def check_screen(app: OneList, pane: LiveList, model: Model) -> None:
    region = pane.scrollable_content_region
    lines = model.lines()
    assert 0 <= round(pane.scroll_y) <= max(0, len(lines) - region.height)
    top = round(pane.scroll_y)
    wanted = lines[top : top + region.height]
    found = drawn(app)
    assert found[: len(wanted)] == [line[: region.width - 2].rstrip() for line in wanted]
    assert not any(found[len(wanted) :])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_each_line_on_the_screen_is_the_one_that_belongs_there(path: list[tuple[object, ...]]) -> None:
    asyncio.run(walk(path))
