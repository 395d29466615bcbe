"""All mail on screen: chosen, read, narrowed, filed, written; and it holds its place while mail comes in."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from textual.pilot import Pilot

from pepper_tui.domains.mail.writing.accounts import MailAccounts
from pepper_tui.model import CallState, Effect, Namespace, ToolCall
from pepper_tui.ui.screen.app import PepperApp
from pepper_tui.ui.screen.chat.composer import Composer
from pepper_tui.ui.screen.inbox.form import Form, Prompt
from pepper_tui.ui.screen.mail.mail_list import MailList
from pepper_tui.ui.screen.mail.mail_pane import MailPane
from pepper_tui.ui.screen.mail.mail_reader import MailReader
from pepper_tui.ui.screen.reading.detail import DetailView
from pepper_tui.ui.screen.status import StatusLine
from pepper_tui.ui.shared.keys import KEYS
from tests.ui.fake_engine import T0, FakeEngine, approval, outgoing
from tests.ui.fake_mail import mail, state
from tests.ui.mail_box import full_box
from tests.ui.seat import acts, press, seat, until

NARROW, BOTH = (80, 24), (120, 40)
HOSTILE = "\x1b]0;owned\x07\x9b2J[@click=app.quit]now[/] \u202etxt"


def many(engine: FakeEngine, count: int = 600) -> None:
    engine.mail.put(*(mail(f"m{n}", f"Subject {n}", at=T0 - n * 60) for n in range(count)))
    engine.mail.mark(*(state(f"m{n}", "seen") for n in range(count)))


def boxed(engine: FakeEngine) -> None:
    full_box(engine.mail)


def listed(app: PepperApp) -> MailList:
    return app.query_one(MailList)


def reader(app: PepperApp) -> MailReader:
    return app.query_one(MailReader)


def lines(app: PepperApp) -> list[str]:
    view = listed(app)
    return [view.render_line(y).text for y in range(view.scrollable_content_region.height)]


def words(app: PepperApp) -> str:
    return app.query_one(StatusLine).facts.words


async def opened(app: PepperApp, pilot: Pilot[str]) -> MailList:
    await press(pilot, "f11")
    await until(lambda: bool(app.query(MailList)) and bool(listed(app).selected) and listed(app).has_focus, pilot)
    return listed(app)


@pytest.mark.parametrize("way", ["f11", "m"])
async def test_a_key_opens_the_mail_and_takes_one_back(way: str) -> None:
    async with seat(boxed) as (app, pilot, _, _):
        if way == "m":
            await press(pilot, "ctrl+t")
        await press(pilot, way)
        await until(lambda: bool(app.query(MailList)) and listed(app).has_focus, pilot)
        assert not app.query_one("#right").display
        await press(pilot, way)
        await until(lambda: app.query_one(Composer).has_focus and not app.query(MailPane), pilot)
        assert app.query_one("#right").display


async def test_a_row_says_who_what_and_when_with_its_signs() -> None:
    async with seat(boxed, (160, 40)) as (app, pilot, _, _):
        app.query_one("#right").styles.max_width = 10
        await opened(app, pilot)
        said = [line.strip() for line in lines(app)]
        assert said[0].replace("▌ ", "").startswith("● you, Alice 3")
        assert said[1].lstrip("▌ ").startswith("+ Re: Rent  the landlord has answered")
        assert said[2].startswith("● x7@mail.example.net")  # a doubtful name is not shown
        assert said[3].startswith("⚠ Your parcel")
        assert said[5].startswith("⚑ 来週の会議について")
        assert listed(app).render_line(5).cell_length == listed(app).scrollable_content_region.width


async def test_mail_that_comes_or_goes_moves_neither_the_view_nor_the_cursor() -> None:
    async with seat(many) as (app, pilot, engine, _):
        view = await opened(app, pilot)
        await press(pilot, *["pagedown"] * 4)
        chosen, before = view.selected, lines(app)
        engine.mail.put(*(mail(f"new{n}", "New", at=T0 + n) for n in range(7)))
        engine.mail.mark(state("m0"), state("m1", folder="Trash", use="trash"))
        await until(lambda: view.drawn.total == 606, pilot)
        assert (view.selected, lines(app)) == (chosen, before)
        at = int(chosen.removeprefix("<m").partition("@")[0])
        await press(pilot, "j")
        assert view.selected == f"<m{at + 1}@example.com>"
        await press(pilot, "g")
        await until(lambda: "Subject 0" in lines(app)[1], pilot)  # the unread one leads


@pytest.mark.parametrize("size", [NARROW, BOTH])
async def test_every_thread_can_be_reached_whatever_is_held(size: tuple[int, int]) -> None:
    async with seat(many, size) as (app, pilot, _, _):
        view = await opened(app, pilot)
        await press(pilot, "G")
        await until(lambda: view.selected == "<m599@example.com>", pilot)
        await until(lambda: any("Subject 599" in line for line in lines(app)), pilot)
        await press(pilot, "pageup", "k")
        await until(lambda: view.chosen is not None and view.selected != "<m599@example.com>", pilot)
        await press(pilot, "g")
        await until(lambda: view.selected == "<m0@example.com>", pilot)
        await until(lambda: any("Subject 0 " in line for line in lines(app)), pilot)


async def test_a_thread_is_read_and_nothing_is_marked() -> None:
    async with seat(boxed, NARROW) as (app, pilot, engine, _):
        await opened(app, pilot)
        await press(pilot, "enter")
        await until(lambda: reader(app).has_focus and "heating included" in reader(app).words, pilot)
        said = reader(app).words
        assert not listed(app).display
        assert said.index("Tue 12 Jan") < said.index("Wed 13 Jan") < said.index("Hi Sam")
        assert "7 quoted lines" in said
        assert "did you hear" not in said
        assert "contract.pdf" in said
        assert "Message-ID" not in said
        await press(pilot, "t", "h")
        assert "│ did you hear" in reader(app).words
        assert "<r3@example.com>" in reader(app).words
        await press(pilot, "K", "K", "enter")
        assert "Did the landlord say" in reader(app).words
        await press(pilot, "q")
        await until(lambda: listed(app).has_focus and listed(app).display, pilot)
        assert acts(engine, "file") == []


async def test_beside_the_list_the_chosen_thread_is_shown_with_what_is_doubtful() -> None:
    async with seat(boxed, BOTH) as (app, pilot, _, _):
        await opened(app, pilot)
        await press(pilot, "j")
        await until(lambda: "Pay 2.99" in reader(app).words, pilot)
        assert "careful: its name is that of another sender" in reader(app).words
        assert listed(app).has_focus


async def test_text_from_outside_is_only_text() -> None:
    def hostile(engine: FakeEngine) -> None:
        bad = [{"name": HOSTILE, "address": f"{HOSTILE}@x"}]
        files = [{"name": HOSTILE, "type": HOSTILE, "size": 1}]
        engine.mail.put(
            mail("bad", HOSTILE, HOSTILE, name=HOSTILE, address=HOSTILE, to=bad, doubts=[HOSTILE], label=HOSTILE,
                 attachments=files, list_headers={"list-id": HOSTILE})
        )  # fmt: skip

    async with seat(hostile, BOTH) as (app, pilot, _, _):
        await opened(app, pilot)
        await press(pilot, "enter", "h")
        await until(lambda: "txt" in reader(app).words, pilot)
        shown = [*lines(app), reader(app).words, str(reader(app).border_title), str(listed(app).border_title)]
        assert not any(sign in line for line in shown for sign in "\x1b\x07\x9b\u202e")
        assert app.is_running


ACTS = {
    "a": "archive", "e": "archive", "number_sign": "trash", "D": "trash", "exclamation_mark": "junk", "s": "flag",
    "U": "read",
}  # fmt: skip


@pytest.mark.parametrize("where", ["list", "mail"])
async def test_each_key_files_the_thread_as_one_act(where: str) -> None:
    async with seat(boxed) as (app, pilot, engine, _):
        view = await opened(app, pilot)
        for key, act in ACTS.items():
            await press(pilot, "g", *(["enter"] if where == "mail" else []))
            await until(lambda: reader(app).has_focus if where == "mail" else bool(view.selected), pilot)
            await press(pilot, key)
            await until(lambda: bool(acts(engine, "file")), pilot)
            assert acts(engine, "file") == [("file", ("mail:r1", "mail:r3"), act, "")]  # not what the user sent
            assert words(app) == f"{act}: 2; u takes it back"
            if act in ("flag", "read") and where == "mail":
                await press(pilot, "q")
            await until(lambda: view.has_focus, pilot)
            goes_on = act not in ("flag", "read") or (act == "read" and where == "list")
            assert view.selected == ("<d1@example.com>" if goes_on else "<rent@x>")
            engine.calls.clear()


async def test_one_act_is_on_all_that_are_selected_and_u_takes_it_back() -> None:
    async with seat(boxed) as (app, pilot, engine, _):
        view = await opened(app, pilot)
        await press(pilot, "j", "x")
        await press(pilot, *"jjX")
        await until(lambda: len(view.selection) == 4, pilot)
        assert "4 selected" in str(view.border_title)
        await press(pilot, "s")
        await until(lambda: bool(acts(engine, "file")), pilot)
        assert acts(engine, "file") == [("file", ("mail:d1", "mail:j1", "mail:e1", "mail:l1"), "flag", "")]
        assert view.selection == {}
        await press(pilot, "u")
        await until(lambda: bool(acts(engine, "undo")), pilot)


async def test_moving_asks_for_the_folder() -> None:
    async with seat(boxed) as (app, pilot, engine, _):
        await opened(app, pilot)
        await press(pilot, "j", "v")
        await until(lambda: bool(app.query(Prompt)), pilot)
        await press(pilot, "down", "enter")
        await until(lambda: len(acts(engine, "file")) == 2, pilot)
        assert acts(engine, "file")[-1] == ("file", ("mail:d1",), "move", "Work")
        await until(lambda: listed(app).has_focus and listed(app).selected == "<j1@example.com>", pilot)


async def test_the_same_key_again_is_about_the_next_thread_and_a_refusal_leads_back() -> None:
    async with seat(boxed) as (app, pilot, engine, _):
        view = await opened(app, pilot)
        await press(pilot, "a", "a")
        await until(lambda: len(acts(engine, "file")) == 2, pilot)
        assert [each[1] for each in acts(engine, "file")] == [("mail:r1", "mail:r3"), ("mail:d1",)]
        chosen, engine.fails = view.selected, "this is being done already"
        await press(pilot, "a")
        await until(lambda: "being done" in words(app), pilot)
        assert view.selected == chosen


async def test_a_filter_asks_the_engine_and_says_what_it_does_not_know() -> None:
    async with seat(boxed) as (app, pilot, engine, _):
        view = await opened(app, pilot)
        await press(pilot, "slash", *"from:marta", "enter")
        await until(lambda: view.row_ids == ["<o1@example.com>"], pilot)
        await until(lambda: engine.mail.asked[-1] == "from:marta", pilot)
        await press(pilot, "j", "escape")
        await until(lambda: view.drawn.total == 46, pilot)
        await press(pilot, "slash", *"is:nice")
        await until(lambda: any("there is no is:nice (at character 4)" in line for line in lines(app)), pilot)
        await press(pilot, "escape", "o")
        await until(lambda: "newest first" in str(view.border_title), pilot)


@pytest.mark.parametrize(
    ("key", "kind", "fields"),
    [
        ("r", "reply", {"body": "Yes."}),
        ("R", "reply_all", {"body": "Yes."}),
        ("l", "reply_list", {"body": "Yes."}),
        ("f", "forward", {"to": "x@y.z", "body": "Yes."}),
        ("n", "new", {"to": "x@y.z", "subject": "Hi", "body": "Yes."}),
    ],
)
async def test_what_is_written_becomes_a_card_that_opens(key: str, kind: str, fields: dict[str, str]) -> None:
    async with seat(boxed) as (app, pilot, engine, clock):
        await opened(app, pilot)
        await press(pilot, key)
        await until(
            lambda: bool(app.query(Form)) and app.focused is not None and bool(app.query_one(Form).query("*")), pilot
        )
        for label in ("to", "cc", "subject", "body"):
            if key == "n" or label in fields:
                await press(pilot, *fields.get(label, ""), *([] if label == "body" else ["tab"]))
        await press(pilot, "ctrl+s")
        await until(lambda: bool(engine.mail.written), pilot)
        assert engine.mail.written == [(kind, "" if key == "n" else "r3", fields)]
        card = approval("a9", to="x@y.z", at=T0)
        card.call = "call_1"
        engine.put(Namespace.APPROVAL, card)
        await until(lambda: app.query_one(DetailView).has_focus, pilot)
        assert app.reading.card is not None
        assert acts(engine, "approve") == []
        await clock.advance(1.0)  # a key that comes with the card decides nothing
        await press(pilot, *(["D"] if key == "r" else ["escape"]))
        await until(lambda: listed(app).has_focus, pilot)
        assert acts(engine, "save_draft") == ([("save_draft", "a9")] if key == "r" else [])


async def test_why_nothing_came_of_what_was_written_is_said() -> None:
    async with seat(boxed) as (app, pilot, engine, _):
        await opened(app, pilot)
        await press(pilot, "r")
        await until(lambda: bool(app.query(Form)), pilot)
        await press(pilot, *"Yes", "ctrl+s")
        await until(lambda: bool(engine.mail.written), pilot)
        failed = ToolCall("call_1", "reply_mail", {}, Effect.SEND, T0, "user:mail:1", error="no way to send")
        failed.state = CallState.FAILED
        engine.put(Namespace.TOOL_CALL, failed)
        await until(lambda: "no way to send" in words(app), pilot)
        await until(lambda: bool(app.query(Form)), pilot)  # what was written is there again
        await until(lambda: app.query_one(Form).changed() == {"Body": "Yes"}, pilot)


async def test_a_file_is_saved_under_a_plain_name_and_over_no_other(tmp_path: Path) -> None:
    def filed(engine: FakeEngine) -> None:
        files = [{"name": "../../.\u202eevil/\x1b]0;x\x07.pdf", "size": 9}, {"name": "b.txt", "size": 3}]
        engine.mail.put(mail("m1", attachments=files))

    async with seat(filed, NARROW) as (app, pilot, _, _):
        await opened(app, pilot)
        for _ in range(2):
            await press(pilot, *([] if reader(app).has_focus else ["enter"]), "S")
            await until(lambda: bool(app.query(Prompt)), pilot)
            await press(pilot, "1")
            await until(lambda: any("folder" in str(each.border_title) for each in app.query(Prompt)), pilot)
            await press(pilot, "ctrl+u", *str(tmp_path), "enter")
            await until(lambda: "Saved" in words(app), pilot)
            app.say_words("")
            await until(lambda: reader(app).has_focus, pilot)
        [first, second] = sorted(
            await asyncio.to_thread(lambda: [*tmp_path.iterdir()]), key=lambda path: len(path.name)
        )
        assert second.stem == f"{first.stem} (2)"
        assert first.name.startswith("_.._")
        assert all(sign not in first.name for sign in "/\x1b\x07\u202e")
        assert first.read_bytes() == second.read_bytes() == b"bytes of 0"
        assert first.stat().st_mode & 0o777 == 0o600


async def test_a_file_is_read_here_as_text_that_does_nothing() -> None:
    def filed(engine: FakeEngine) -> None:
        engine.mail.put(mail("m1", attachments=[{"name": "con\x1b]0;x\x07tract.pdf", "size": 9}]))

    async with seat(filed) as (app, pilot, _, _):
        await opened(app, pilot)
        await press(pilot, "enter")
        await until(lambda: "p reads · o opens · S saves" in reader(app).words, pilot)
        await press(pilot, "p")
        await until(lambda: app.query_one(DetailView).has_focus, pilot)
        shown = app.query_one(DetailView).words
        assert "contract.pdf" in shown
        assert "only pages 1 to 40 of 900" in shown
        assert "[@click=app.quit]text[/]" in shown
        assert "\x1b" not in shown
        await press(pilot, "escape")
        await until(lambda: reader(app).has_focus or listed(app).has_focus, pilot)


@pytest.mark.parametrize("name", ["contract.pdf", "contract.pdf.desktop", "setup.EXE"])
async def test_a_file_is_opened_by_the_systems_program_unless_it_might_be_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted, program = tmp_path / "noted", tmp_path / "xdg-open"
    program.write_text(f'#!/bin/sh\ncp "$1" {noted}\n')
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    def filed(engine: FakeEngine) -> None:
        engine.mail.put(mail("m1", attachments=[{"name": name, "size": 9}]))

    async with seat(filed) as (app, pilot, _, _):
        await opened(app, pilot)
        await press(pilot, "enter", "o")
        if name == "contract.pdf":
            await until(lambda: noted.exists() and noted.read_bytes() == b"bytes of 0", pilot)
        else:
            await until(lambda: "might be run" in words(app), pilot)
            assert not noted.exists()


async def test_an_empty_list_teaches() -> None:
    async with seat() as (app, pilot, _, _):
        await press(pilot, "f11")
        await until(lambda: bool(app.query(MailList)) and "docs/accounts.md" in "".join(lines(app)), pilot)


async def test_the_keys_of_the_mail_are_listed_from_the_table() -> None:
    async with seat(boxed) as (app, pilot, _, _):
        await opened(app, pilot)
        await press(pilot, "question_mark")
        view = app.query_one(DetailView)
        await until(lambda: view.display and "Archive" in view.words, pilot)
        told = [key.description for key in KEYS if key.where in ("mail", "mail_list", "mail_reader")]
        assert [each for each in told if each not in view.words] == []


async def test_after_a_filter_the_first_thread_is_chosen_or_the_one_that_was_if_it_is_still_there() -> None:
    async with seat(boxed) as (app, pilot, engine, _):
        view = await opened(app, pilot)
        await press(pilot, "slash", *"notes", "enter")
        await until(lambda: view.drawn.total == 40 and view.selected == "<n0@example.com>", pilot)
        await until(lambda: reader(app).thread == "<n0@example.com>", pilot)  # not what was shown before
        await press(pilot, "e")
        await until(lambda: bool(acts(engine, "file")), pilot)
        assert acts(engine, "file") == [("file", ("mail:n0",), "archive", "")]
        await press(pilot, *["j"] * 4)
        chosen = view.selected
        await press(pilot, "slash", *" bob", "enter")
        await until(lambda: view.drawn.total == 10, pilot)
        await until(lambda: view.selected == "<n0@example.com>", pilot)
        await press(pilot, "j", "escape")
        await until(lambda: view.drawn.total == 46, pilot)
        assert view.selected == "<n4@example.com>" != chosen
        assert view.drawn.at(view.drawn.place(view.selected)) is not None
        await press(pilot, "slash", *"zzz", "enter")
        await until(lambda: view.drawn.total == 0 and not reader(app).mails, pilot)
        await press(pilot, "e")
        await until(lambda: words(app) == "Nothing here holds these words: Esc shows all", pilot)
        assert len(acts(engine, "file")) == 1


async def test_the_thread_that_was_chosen_is_kept_and_shown_where_many_come_back() -> None:
    async with seat(many) as (app, pilot, _, _):
        view = await opened(app, pilot)
        await press(pilot, "slash", *"580", "enter")
        await until(lambda: view.row_ids == ["<m580@example.com>"], pilot)
        await until(lambda: view.selected == "<m580@example.com>", pilot)
        await press(pilot, "escape")
        await until(lambda: view.drawn.total == 600 and view.chosen is not None, pilot)
        assert view.selected == "<m580@example.com>"
        await until(lambda: any("Subject 580" in line for line in lines(app)), pilot)


async def test_when_the_chosen_thread_goes_elsewhere_the_next_takes_its_place_and_what_is_read_stays() -> None:
    async with seat(boxed) as (app, pilot, engine, _):
        view = await opened(app, pilot)
        await press(pilot, "j")
        assert view.selected == "<d1@example.com>"
        engine.mail.mark(state("d1", "seen", folder="Archive", use="archive"))
        await until(lambda: view.selected == "<j1@example.com>", pilot)
        await press(pilot, "enter")
        await until(lambda: reader(app).has_focus, pilot)
        engine.mail.mark(state("j1", "seen", folder="Archive", use="archive"))
        await until(lambda: view.selected != "<j1@example.com>", pilot)
        assert reader(app).thread == "<j1@example.com>"
        await press(pilot, "#")
        await until(lambda: bool(acts(engine, "file")), pilot)
        assert acts(engine, "file") == [("file", ("mail:j1",), "trash", "")]


def long_thread(engine: FakeEngine) -> None:
    places = (
        ("a", "Alice Doe", "alice@example.com"),
        ("b", "Bob", "bob@example.com"),
        ("me", "Sam", "sam@example.com"),
    )
    for number, (key, who, address) in enumerate(places):
        engine.mail.put(mail(f"t{key}", "Rent", f"Words of {who}", at=T0 - 9000 + number, thread="<rent@x>", name=who,
                             address=address))  # fmt: skip
    engine.mail.mark(state("ta"), state("tb"), state("tme", "seen", folder="Sent", use="sent"))


@pytest.mark.parametrize(("keys", "answered"), [([], "tb"), (["j", "t"], "tb"), (["K"], "tb"), (["J", "K"], "ta")])
async def test_an_answer_is_to_the_newest_of_others_unless_the_user_went_to_another(
    keys: list[str], answered: str
) -> None:
    async with seat(long_thread) as (app, pilot, engine, _):
        await opened(app, pilot)
        await press(pilot, "enter", *keys, "r")
        await until(lambda: bool(app.query(Form)) and bool(app.query_one(Form).query("*")), pilot)
        said = "\n".join(str(each.render()) for each in app.query_one(Form).query("Static"))
        assert "Sam <sam@example.com>" in said
        assert "Re: Rent" in said
        assert f"Words of {'Bob' if answered == 'tb' else 'Alice'}" in said
        await press(pilot, *"Yes", "ctrl+s")
        await until(lambda: bool(engine.mail.written), pilot)
        assert engine.mail.written == [("reply", answered, {"body": "Yes"})]


async def test_who_would_write_is_said_where_nobody_can() -> None:
    def prepare(engine: FakeEngine) -> None:
        boxed(engine)
        engine.mail.accounts = MailAccounts()

    async with seat(prepare) as (app, pilot, _, _):
        await opened(app, pilot)
        await press(pilot, "n")
        await until(lambda: bool(app.query(Form)) and bool(app.query_one(Form).query("*")), pilot)
        said = "\n".join(str(each.render()) for each in app.query_one(Form).query("Static"))
        assert "no way to send is configured" in said


def under_way(engine: FakeEngine) -> None:
    boxed(engine)
    engine.window = 10.0
    engine.put(Namespace.TOOL_CALL, outgoing("a9"))
    card = approval("a9", untrusted=False)
    card.call = "call_a9"
    engine.put(Namespace.APPROVAL, card)


@pytest.mark.parametrize(
    ("state_", "said"),
    [
        (CallState.SUCCEEDED, "Sent to alice: Re: lunch on Thursday"),
        (CallState.FAILED, "Not sent to alice: Re: lunch on Thursday: it refused. The inbox has its card"),
        (CallState.UNKNOWN, "It is not known whether this was sent to alice: Re: lunch on Thursday. The inbox asks"),
    ],
)
async def test_what_becomes_of_a_mail_is_said_over_the_mail_list(state_: CallState, said: str) -> None:
    async with seat(under_way) as (app, pilot, engine, clock):
        await opened(app, pilot)
        await engine.approve("a9")
        await until(lambda: "sends in 5 s · F7 takes it back" in app.query_one(StatusLine).facts.under_way, pilot)
        line = app.query_one(StatusLine).line(120).plain
        assert "sends in 5 s" in line
        await clock.advance(11)
        engine.put(Namespace.TOOL_CALL, outgoing("a9", state_, error="it refused", ended_at=T0 + 16))
        await until(lambda: words(app) == said, pilot)
        assert not app.query_one(StatusLine).facts.under_way


async def test_what_was_taken_back_is_not_told_as_sent() -> None:
    async with seat(under_way) as (app, pilot, engine, _):
        await opened(app, pilot)
        await engine.approve("a9")
        await until(lambda: bool(app.query_one(StatusLine).facts.under_way), pilot)
        await press(pilot, "u")
        await until(lambda: not app.query_one(StatusLine).facts.under_way, pilot)
        assert "ent to" not in words(app)


async def test_what_a_filter_could_not_look_at_is_told_with_and_without_rows() -> None:
    async with seat(boxed) as (app, pilot, engine, _):
        view = await opened(app, pilot)
        engine.mail.told = "work: of its folders only INBOX is taken in"
        await press(pilot, "slash", *"in:sent", "enter")
        await until(lambda: "only INBOX is taken in" in str(view.border_subtitle), pilot)
        assert view.row_ids == ["<rent@x>"]
        await press(pilot, "slash", *" zzz", "enter")
        await until(lambda: any("only INBOX is taken in" in line for line in lines(app)), pilot)
        assert not view.row_ids
        await press(pilot, "escape")
        await until(lambda: view.drawn.total == 46 and not view.border_subtitle, pilot)


async def test_a_filter_outlives_what_is_written_from_it() -> None:
    async with seat(boxed) as (app, pilot, engine, _):
        view = await opened(app, pilot)
        await press(pilot, "slash", *"notes", "enter")
        await until(lambda: view.drawn.total == 40, pilot)
        await press(pilot, "r")
        await until(lambda: bool(app.query(Form)), pilot)
        await press(pilot, *"Yes", "ctrl+s")
        await until(lambda: bool(engine.mail.written) and view.has_focus and not app.query(Form), pilot)
        await pilot.pause()
        assert view.needle == "notes"
        app.query_one(Composer).focus()
        await until(lambda: not view.needle, pilot)  # the keys went elsewhere
