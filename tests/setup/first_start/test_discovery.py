"""What is found on a machine, and what is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from pepper_tui.setup.first_start import Found, discover
from pepper_tui.setup.first_start.questions import named_calendar, named_mail, questions
from tests.setup.first_start.homes import calendar, furnished, maildir


@pytest.fixture(autouse=True)
def no_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def none() -> list[object]:
        return []

    monkeypatch.setattr("pepper_tui.llm.endpoint.local_servers.find_local_models", none)


async def test_mail_calendars_keys_and_the_name_are_found(tmp_path: Path) -> None:
    home = furnished(tmp_path)
    found = await discover(home, {"OPENAI_API_KEY": "sk-secret", "MISTRAL_API_KEY": ""})
    assert {(m.path, m.count) for m in found.mails} == {
        (home / "Mail" / "work" / "INBOX", 3),
        (home / "fetched" / "INBOX", 1),
    }
    assert [(c.path, c.count) for c in found.calendars] == [(home / ".calendars", 2)]
    assert [key.variable for key in found.keys] == ["OPENAI_API_KEY"]
    assert (found.name, found.address) == ('Alex "R" Rivera', "alex@example.com")
    assert "sk-secret" not in repr(found)


async def test_the_mail_spool_and_a_plain_maildir(tmp_path: Path) -> None:
    maildir(tmp_path / "Maildir", 2)
    spool = tmp_path / "spool"
    spool.write_text("From alex Thu Jan  1 00:00:00 1970\n\n")
    found = await discover(tmp_path, {"MAIL": str(spool)})
    assert [(m.path.name, m.mbox) for m in found.mails] == [("Maildir", False)]
    (tmp_path / "Maildir").rename(tmp_path / "elsewhere")
    found = await discover(tmp_path, {"MAIL": str(spool)})
    assert [(m.path.name, m.mbox) for m in found.mails] == [("spool", True)]


async def test_a_bare_machine_and_broken_configs_give_nothing_and_no_error(tmp_path: Path) -> None:
    (tmp_path / ".offlineimaprc").write_bytes(b"\xff\xfe[[[\nlocalfolders = \n")
    (tmp_path / ".gitconfig").write_text("[user]\nemail = not an address\n")
    (tmp_path / "Mail").write_text("a file")
    assert await discover(tmp_path, {}) == Found()


async def test_offlineimap_and_khal_are_asked_for_their_folders(tmp_path: Path) -> None:
    maildir(tmp_path / "imap" / "INBOX")
    (tmp_path / ".offlineimaprc").write_text("[Repository L]\ntype = Maildir\nlocalfolders = ~/imap\n")
    calendar(tmp_path / "dates" / "home")
    (tmp_path / ".config" / "khal").mkdir(parents=True)
    (tmp_path / ".config" / "khal" / "config").write_text("[calendars]\n[[all]]\npath = ~/dates/*\n")
    found = await discover(tmp_path, {})
    assert [m.path for m in found.mails] == [tmp_path / "imap" / "INBOX"]
    assert [c.path for c in found.calendars] == [tmp_path / "dates"]


async def test_no_model_is_ever_chosen_by_itself(tmp_path: Path) -> None:
    found = await discover(tmp_path, {"OPENAI_API_KEY": "sk", "ANTHROPIC_API_KEY": "sk"})
    [model] = [each for each in questions(found) if each.topic == "model"]
    assert [option.chosen for option in model.options] == [True, False, False]
    assert model.options[0].value is None


def test_what_the_user_names_is_looked_at(tmp_path: Path) -> None:
    maildir(tmp_path / "m" / "INBOX", 2)
    assert named_mail(str(tmp_path / "m" / "INBOX")).count == 2
    with pytest.raises(ValueError, match="name the Maildir itself"):
        named_mail(str(tmp_path / "m"))
    with pytest.raises(ValueError, match="is not there"):
        named_mail(str(tmp_path / "none"))
    (tmp_path / "x.txt").write_text("no")
    with pytest.raises(ValueError, match="neither a Maildir nor"):
        named_mail(str(tmp_path / "x.txt"))
    with pytest.raises(ValueError, match=r"not an \.ics file"):
        named_calendar(str(tmp_path / "x.txt"))
