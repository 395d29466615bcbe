"""Accounts and identities, as they are read from the config."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pepper_tui.config import Config, ConfigError, parse_config
from pepper_tui.connectors.imap.settings import Imap
from pepper_tui.domains.mail.writing.accounts import MailAccounts
from pepper_tui.engine.building.mail_accounts import mail_accounts
from pepper_tui.tools import ToolError
from tests.tools.bench import outbox

CONFIG = """
[user]
name = "Alex Rivera"
addresses = ["alex@example.com", "alex@old.example", "Alex@Work.example"]
[mail]
identities = ["Al <al@example.com>"]
signature = "Home"
[mail.smtp]
host = "smtp.example.com"
[[account]]
id = "work"
kind = "imap"
address = "alex@work.example"
host = "imap.work.example"
password = "env:WORK"
signature = "Work"
identities = ["Sales <sales@work.example>", { address = "press@work.example", signature = "Press" }]
"""


def accounts(text: str = CONFIG, *senders: str) -> tuple[Config, MailAccounts]:
    config = parse_config(text, Path("/h/config.toml"))
    return config, mail_accounts(config, {ident: outbox(1) for ident in senders})


@pytest.mark.parametrize(
    ("address", "ident", "name", "signature"),
    [
        ("alex@example.com", "", "Alex Rivera", "Home"),
        ("al@example.com", "", "Al", "Home"),
        ("alex@old.example", "", "Alex Rivera", "Home"),
        ("alex@work.example", "work", "Alex Rivera", "Work"),
        ("ALEX@WORK.EXAMPLE", "work", "Alex Rivera", "Work"),
        ("sales@work.example", "work", "Sales", "Work"),
        ("press@work.example", "work", "Alex Rivera", "Press"),
    ],
)
def test_each_identity_is_of_one_account(address: str, ident: str, name: str, signature: str) -> None:
    config, held = accounts(CONFIG, "", "work")
    writer = held.named(address)
    assert (writer.account.ident, writer.identity.name, writer.identity.signature) == (ident, name, signature)
    assert held.is_own(address)
    assert address.lower() in {each.lower() for each in config.own_addresses}


def test_an_address_that_only_a_calendar_signs_in_with_is_still_one_that_mail_is_written_from() -> None:
    text = f'{CONFIG}[[account]]\nid = "dates"\nkind = "google_calendar"\naddress = "alex@old.example"\n'
    config = parse_config(text, Path("/h/config.toml"))
    held = mail_accounts(config, {"": outbox(1)}, ["dates"])
    assert held.named("alex@old.example").account.ident == ""
    assert "alex@old.example" in config.own_addresses


def test_new_mail_comes_from_the_address_of_mail_else_from_the_first_that_can_send() -> None:
    assert accounts(CONFIG, "", "work")[1].default().identity.address == "alex@example.com"
    assert accounts(CONFIG, "work")[1].default().identity.address == "alex@work.example"
    chosen = CONFIG.replace("[mail]", '[mail]\naddress = "sales@work.example"', 1)
    writer = accounts(chosen, "work")[1].default()
    assert (writer.account.ident, writer.identity.address) == ("work", "sales@work.example")
    assert accounts(chosen, "", "work")[1].default().account.ident == ""  # it is the From of mail.smtp, as ever
    with pytest.raises(ToolError, match="account work, which can't send; give account work a server"):
        accounts(chosen)[1].default()
    with pytest.raises(ToolError, match="no way to send is configured"):
        accounts(CONFIG)[1].default()


@pytest.mark.parametrize(
    "identity", ["Sales", "a@b@c", {"name": "x"}, {"address": "a@b.c", "mail": 1}, "Al\nBcc: e@x.org <a@b.c>"]
)
def test_what_is_no_identity_is_refused_where_it_stands(identity: Any) -> None:
    with pytest.raises(ValueError, match="identities"):
        Imap.model_validate({"address": "a@b.c", "host": "h", "password": "env:P", "identities": [identity]})
    text = '[mail]\nidentities = ["Sales"]\n'
    with pytest.raises(ConfigError, match="identities"):
        parse_config(text, Path("/h/config.toml"))
