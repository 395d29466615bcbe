"""Keys of the user's own: which may be, what the refusals say, and that the screen then goes by them everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events
from typer.testing import CliRunner

from pepper_tui.command.cli import app as command
from pepper_tui.config import Ui
from pepper_tui.model import Namespace
from pepper_tui.ui.screen.chat.composer import Composer
from pepper_tui.ui.screen.inbox.card_view import CardView
from pepper_tui.ui.screen.reading.detail import DetailView
from pepper_tui.ui.shared.keys import KEYS
from pepper_tui.ui.shared.rebinding import rebound
from tests.ui.fake_engine import FakeEngine, approval
from tests.ui.seat import acts, press, seat, until


def test_the_table_itself_holds_the_rules() -> None:
    assert rebound({key.id: key.keys for key in KEYS})[1] == {}


@pytest.mark.parametrize(
    ("wishes", "key", "words"),
    [
        ({"inbox.approve": "space"}, "inbox.approve", "Space is never bound"),
        ({"list.down": "j, space"}, "list.down", "Space is never bound"),
        ({"inbox.approve": "esc"}, "inbox.approve", "Esc stays what it is"),
        ({"inbox.approve": "ctrl+["}, "inbox.approve", "Esc stays what it is"),
        ({"inbox.approve": "ctrl+m"}, "inbox.approve", "Enter stays what it is"),
        ({"inbox.approve": "n"}, "inbox.approve", "n is inbox.reject already"),
        ({"inbox.approve": "a", "inbox.dismiss": "a"}, "inbox.dismiss", "a is inbox.approve already"),
        ({"list.copy": "x"}, "list.copy", "x is "),
        ({"head.approve": "y"}, "head.approve", "y is text while you type"),
        ({"go.jump": "question_mark"}, "go.jump", "? is text while you type"),
        ({"head.approve": "alt+y"}, "head.approve", "the same as Esc and then y"),
        ({"inbox.reject": "f99"}, "inbox.reject", "is not a key"),
        ({"inbox.reject": ""}, "inbox.reject", "is not a key"),
        ({"inbox.reject": "hold+y"}, "inbox.reject", "is not a key"),
        ({"inbox.aprove": "y"}, "inbox.aprove", "unknown key id"),
        ({"pepper.status": "ctrl+p"}, "pepper.status", "Ctrl+P is pepper.palette already"),
    ],
)
def test_what_can_not_be_is_refused_by_name(wishes: dict[str, str], key: str, words: str) -> None:
    taken, wrong = rebound(wishes)
    assert words in wrong[key]
    assert key not in taken


def test_a_new_key_gives_way_to_what_an_old_config_says() -> None:
    assert rebound({"inbox.approve": "a"}) == ({"inbox.approve": "a", "inbox.archive": "E,shift+e"}, {})
    assert rebound({"inbox.always": "a"}) == ({"inbox.always": "a", "inbox.archive": "E,shift+e"}, {})
    assert rebound({"go.jump": "f10"}) == ({"go.jump": "f10", "pepper.rules": "ctrl+f10"}, {})


def test_a_refused_key_leaves_no_key_with_two_meanings() -> None:
    taken, wrong = rebound({"inbox.approve": "x", "inbox.reject": "y"})
    assert taken == {}
    assert wrong.keys() == {"inbox.approve", "inbox.reject"}


def test_two_keys_may_change_places_and_spellings_are_understood() -> None:
    assert rebound({"inbox.approve": "n", "inbox.reject": "Y , F11"}) == (
        {"inbox.approve": "n", "inbox.reject": "Y,shift+y,f11"},
        {},
    )
    assert rebound({"list.filter": "+", "go.jump": "Ctrl+B"})[0] == {"list.filter": "plus", "go.jump": "ctrl+b"}


@pytest.mark.parametrize("line", ['"inbox.approve" = "space"', 'inbox.approve = "space"'])
def test_the_command_names_file_line_and_key(tmp_path: Path, line: str) -> None:
    (tmp_path / "config.toml").write_text(f"[ui]\nbell = true\n\n[ui.keys]\n{line}\n")
    for words in (["config", "check"], ["doctor"]):
        done = CliRunner().invoke(command, ["--home", str(tmp_path), *words])
        assert done.exit_code != 0
        assert "inbox.approve: Space is never bound" in done.output
    assert f"{tmp_path / 'config.toml'}:5: ui.keys.inbox.approve" in CliRunner().invoke(
        command, ["--home", str(tmp_path), "config", "check"]
    ).output  # fmt: skip


async def test_the_screen_goes_by_the_users_keys() -> None:
    def one_card(engine: FakeEngine) -> None:
        engine.put(Namespace.APPROVAL, approval())

    keys = {"inbox.approve": "a", "inbox.reject": "y", "head.edit": "f11", "pepper.help": "ctrl+e"}
    async with seat(one_card) as (app, pilot, engine, clock):
        app.dress(Ui(keys=keys))
        await press(pilot, "ctrl+t")
        await clock.advance(1)
        assert "[bold]a[/bold] approve [bold]y[/bold] reject" in str(app.query_one(CardView).border_title)
        for letter in "asdf":  # faster than a person types: a paste, and none of it acts
            app.post_message(events.Key(letter, letter))
        await until(lambda: app.query_one(Composer).text == "asdf", pilot)
        await press(pilot, "n")  # the old key of reject
        assert not acts(engine, "approve", "reject")
        await press(pilot, "y")
        await until(lambda: bool(acts(engine, "reject", "approve")), pilot)
        assert acts(engine, "reject", "approve") == [("reject", "a1", "")]
        await press(pilot, "ctrl+e")
        view = app.query_one(DetailView)
        await until(lambda: view.display and "Ctrl+E" in view.words, pilot)
        assert "F11" in view.words
