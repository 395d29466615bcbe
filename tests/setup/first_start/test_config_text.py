"""The config that is written: one that can be read, with exactly what was chosen, whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pepper_tui.config import Config, parse_config
from pepper_tui.model import Facts
from pepper_tui.rules import as_toml, rules_of_config, sentence
from pepper_tui.rules.condition import holds
from pepper_tui.setup.first_start import (
    STARTER_RULES,
    Calendars,
    Choices,
    ConfigExistsError,
    Mails,
    ModelChoice,
    config_text,
    write_config,
)
from pepper_tui.text import one_line

WORDS = st.text(max_size=40)
HOME = Path("/home/alex")


@given(WORDS, st.lists(WORDS, max_size=3), WORDS, WORDS)
def test_whatever_the_words_are_they_are_values(name: str, addresses: list[str], model: str, url: str) -> None:
    text = config_text(Choices(name, addresses, model=ModelChoice(model, url, "A_KEY")), HOME)
    config = parse_config(text, HOME / "config.toml")
    assert config.user.name == one_line(name, 500).replace("\x7f", "")
    assert len(config.user.addresses) == len(addresses)
    assert config.models.name == one_line(model, 500)
    assert config.models.api_key == "env:A_KEY"


def test_what_was_chosen_is_there_and_nothing_else() -> None:
    mails = [Mails(HOME / "Mail" / "INBOX", 3), Mails(Path("/var/mail/alex"), 0, mbox=True)]
    text = config_text(Choices("Alex", ["a@example.com"], mails, [Calendars(Path("/cal"), 1)]), HOME)
    config = parse_config(text, HOME / "config.toml")
    assert [(each.id, each.kind, each.own) for each in config.account] == [
        ("mail", "maildir", {"paths": ["~/Mail/INBOX"]}),
        ("mbox", "mbox", {"paths": ["/var/mail/alex"]}),
    ]
    assert config.calendar.paths == [Path("/cal")]
    assert config.models.api_key == config.models.base_url == ""
    assert config.mail == Config().mail


def test_a_local_server_gets_no_key_of_another() -> None:
    text = config_text(Choices(model=ModelChoice("qwen3", "http://127.0.0.1:11434/v1")), HOME)
    assert parse_config(text, HOME / "c").models.api_key == ""


def test_it_is_private_and_never_over_another_one_unasked(tmp_path: Path) -> None:
    home, text = tmp_path / "new" / "home", config_text(Choices("Alex"), HOME)
    path = write_config(home, text)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    path.write_text("# mine\n")
    with pytest.raises(ConfigExistsError):
        write_config(home, text)
    assert path.read_text() == "# mine\n"
    write_config(home, text, replace=True)
    assert path.read_text() == text
    assert (home / "config.toml.old").read_text() == "# mine\n"
    assert {file.name for file in home.iterdir()} == {"config.toml", "config.toml.old"}


def test_a_text_that_is_no_config_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="bogus"):
        write_config(tmp_path / "h", "bogus = 1\n")
    assert not (tmp_path / "h").exists()


def test_the_starter_rules_are_rules_as_pepper_writes_them() -> None:
    text = config_text(Choices(rules=list(STARTER_RULES)), HOME)
    rules = rules_of_config(parse_config(text, HOME / "c"))
    assert [as_toml(rule).splitlines() for rule in rules] == [list(starter.lines) for starter in STARTER_RULES]
    assert [sentence(rule) for rule in rules] == [
        "When mail from somebody you know says 'urgent', 'urgently', 'asap', 'as soon as possible', 'deadline', 'due "
        "today' or 'end of day', tell me.",
        "When mail, by a person and to you alone, asks you something, tell me.",
    ]
    urgent, question = rules
    assert holds(urgent, Facts("mail", subject="ASAP please", known=True))
    assert not holds(urgent, Facts("mail", subject="ASAP please"))
    assert holds(question, Facts("mail", question=True, direct=True))
    assert not holds(question, Facts("mail", question=True))
    for machine in ("noreply@shop.example", "shop-no-reply@x.example", "do.not.reply@x.example",
                    "notifications@x.example", "newsletter+12@x.example"):  # fmt: skip
        assert not holds(question, Facts("mail", sender=machine, question=True, direct=True))
    for human in ("norely@x.example", "newsom@x.example", "bob@noreply.example", "botha@x.example"):
        assert holds(question, Facts("mail", sender=human, question=True, direct=True))
