"""What the screen says of a store that fails: the line, the page behind Ctrl+L, and what was missed meanwhile."""

from __future__ import annotations

import pytest

from pepper_tui.model import Context, ContextFilter, Health, Namespace, UserMessage
from pepper_tui.store import StoreUnavailableError
from pepper_tui.ui.screen.reading.detail import DetailView
from pepper_tui.ui.screen.status import StatusLine
from tests.ui.fake_engine import T0, FakeEngine
from tests.ui.seat import press, seat, until

FULL = Health("store", "trouble", "the disk is full", "make room", T0 + 50)


def trouble(engine: FakeEngine) -> None:
    engine.put(Namespace.HEALTH, Health("feed.mail", "trouble", "old trouble", "", T0))
    engine.put(Namespace.HEALTH, FULL)


async def refuse(*_: object) -> list[str]:
    raise StoreUnavailableError("the disk refuses the store")


async def test_the_line_names_the_store_first_until_it_works_again() -> None:
    async with seat(trouble, size=(200, 40)) as (app, pilot, engine, clock):
        line = app.query_one(StatusLine)
        assert line.facts.trouble.startswith("2 parts in trouble (Ctrl+L) · store: the disk is full · make room")
        engine.put(Namespace.HEALTH, Health("store", "ok", "", "", clock.now()))
        await until(lambda: "store" not in line.facts.trouble, pilot)
        assert "old trouble" in line.facts.trouble


@pytest.mark.parametrize("broken", [("why",), ("dead_letters",), ("why", "dead_letters")])
async def test_the_page_opens_though_the_store_can_not_be_read(
    monkeypatch: pytest.MonkeyPatch, broken: tuple[str, ...]
) -> None:
    async with seat(trouble, size=(200, 40)) as (app, pilot, engine, _):
        for name in broken:
            monkeypatch.setattr(engine, name, refuse)
        await press(pilot, "ctrl+l")
        view = app.query_one(DetailView)
        await until(lambda: bool(view.display and view.words), pilot)
        said = " ".join(view.words.split())
        assert "the disk is full" in said
        assert said.count("can't be read now: the disk refuses the store") == len(broken)


async def test_what_was_missed_while_nothing_could_be_read_is_recalled_later(monkeypatch: pytest.MonkeyPatch) -> None:
    async with seat(size=(200, 40)) as (app, pilot, engine, _):
        recall = engine.recall

        async def fail(filter: ContextFilter) -> list[Context]:  # noqa: A002
            raise StoreUnavailableError("the disk refuses the store")

        monkeypatch.setattr(engine, "recall", fail)
        engine._updates.put_nowait([])  # some were overwritten unread
        await until(lambda: "disk refuses" in app.query_one(StatusLine).facts.words, pilot)
        message = UserMessage("u1", "said meanwhile", T0)
        engine.put(Namespace.USER_MESSAGE, message)
        while not engine._updates.empty():
            engine._updates.get_nowait()  # missed, too
        monkeypatch.setattr(engine, "recall", recall)
        engine.put(Namespace.HEALTH, Health("store", "ok", "", "", T0))  # the next update, whatever it is
        await until(lambda: "u1" in app.board.messages, pilot)
