"""The accounts on screen: how each does, and what each key does to it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from pepper_tui.config import ConfigError
from pepper_tui.connectors.finding import Finding
from pepper_tui.model import Health, Namespace
from pepper_tui.ui.screen.app import PepperApp
from pepper_tui.ui.screen.connections.connection_list import NOT_READ, ConnectionList
from pepper_tui.ui.screen.reading.detail import DetailView
from pepper_tui.ui.screen.status import StatusLine
from tests.ui.fake_engine import T0, FakeEngine
from tests.ui.seat import Seat, press, seat, until


@dataclass
class Row:
    id: str
    address: str
    paused: bool = False
    sends: bool | None = True
    rests: str = "nothing is read or sent there"
    stays: str = "its mail stays"
    secrets: bool = True

    @property
    def words(self) -> str:
        return f"imap · {self.address} · imap.example.org"


@dataclass
class Book:
    """The accounts of a home, without its files."""

    accounts: list[Row] = field(default_factory=list)
    refuses: bool = False

    async def rows(self) -> list[Row]:
        return [*self.accounts]

    async def test(self, ident: str) -> list[Finding]:
        remedy = f"check it; to put in a new one: pepper accounts signin {ident}"
        return [Finding(f"mail {ident}", "trouble", "the server did not accept the password", remedy)]

    async def pause(self, ident: str, paused: bool) -> str:
        if self.refuses:
            raise ConfigError(["config.toml can't be changed without loss; change it by hand"])
        [account] = [each for each in self.accounts if each.id == ident]
        account.paused = paused
        return f"{ident} is paused" if paused else f"{ident} goes on"

    async def remove(self, ident: str) -> str:
        self.accounts = [each for each in self.accounts if each.id != ident]
        return f"{ident} was removed"

    def asking(self, *words: str) -> list[str]:
        return ["false", *words]


def sick(engine: FakeEngine) -> None:
    engine.put(Namespace.HEALTH, Health("feed.work", "ok", "watching INBOX of alex", "", T0 - 60), "feed.work")
    words = "the server did not accept the user", "pepper accounts signin home"
    engine.put(Namespace.HEALTH, Health("feed.home", "trouble", *words, T0 - 60), "feed.home")


def listed(app: PepperApp) -> list[str]:
    view = app.query_one(ConnectionList)
    return [view.render_line(y).text.strip("▌ ") for y in range(view.virtual_size.height)]


async def opened(place: Seat, book: Book) -> ConnectionList:
    app, pilot, _, _ = place
    app.make_accounts = lambda: book
    await press(pilot, "ctrl+n")
    await until(lambda: bool(app.query(ConnectionList)), pilot)
    view = app.query_one(ConnectionList)
    await until(lambda: view.row_ids == [each.id for each in book.accounts] and view.size.width > 0, pilot)
    return view


def three() -> Book:
    return Book([Row("work", "alex@example.org"), Row("home", "al@example.net"), Row("new", "n@example.net")])


async def said(place: Seat, words: str) -> None:
    app, pilot, _, _ = place
    await until(lambda: words in app.query_one(StatusLine).facts.words, pilot)


async def test_each_account_says_how_it_does_and_how_to_mend_it() -> None:
    async with seat(sick) as place:
        await opened(place, three())
        lines = listed(place[0])
        assert lines[0].startswith("● work")
        assert "alex@example.org" in lines[0]
        assert lines[1] == "watching INBOX of alex"
        assert lines[2].startswith("✗ home")
        assert "the server did not accept the user → press s" in " ".join(lines[3:-2])
        assert lines[-1] == NOT_READ


async def test_a_pause_is_written_and_the_engine_starts_anew_with_it() -> None:
    async with seat(sick) as place:
        _, pilot, engine, _ = place
        book = three()
        await opened(place, book)
        await press(pilot, "p")
        await until(lambda: book.accounts[0].paused and ("close",) in engine.calls, pilot)


async def test_removing_asks_once_more() -> None:
    async with seat(sick) as place:
        _, pilot, _, clock = place
        book = three()
        await opened(place, book)
        await press(pilot, "x")
        await said(place, "x again removes work")
        await clock.advance(6)
        await press(pilot, "x")
        await said(place, "x again removes work")
        assert len(book.accounts) == 3
        await press(pilot, "x")
        await until(lambda: [each.id for each in book.accounts] == ["home", "new"], pilot)


async def test_a_test_shows_what_was_found_and_enter_shows_one_account() -> None:
    async with seat(sick) as place:
        app, pilot, _, _ = place
        await opened(place, three())
        await press(pilot, "j", "t")
        view = app.query_one(DetailView)
        await until(lambda: view.display and "did not accept the password" in view.words, pilot)
        assert "→ check it; to put in a new one: press s" in view.words
        await press(pilot, "escape", "enter")
        await until(lambda: view.display and "account    imap · al@example.net" in view.words, pilot)


@pytest.mark.parametrize("key", ["a", "s"])
async def test_what_asks_for_a_password_needs_a_terminal(key: str) -> None:
    async with seat(sick) as place:
        await opened(place, three())
        await press(place[1], key)
        await said(place, "can't be lent")


async def test_what_is_refused_is_told_in_words_and_nothing_starts_anew() -> None:
    async with seat(sick) as place:
        _, pilot, engine, _ = place
        book = three()
        book.refuses = True
        await opened(place, book)
        await press(pilot, "p")
        await said(place, "change it by hand")
        assert ("close",) not in engine.calls


async def test_the_demo_has_no_accounts_to_change() -> None:
    async with seat() as place:
        await press(place[1], "ctrl+n")
        await said(place, "sample world has no accounts")
