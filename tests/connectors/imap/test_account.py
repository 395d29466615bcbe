"""An account in the config: what it may say, and what the doctor says of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pepper_tui.config import Config, ConfigError, parse_config
from pepper_tui.config.report import summary
from pepper_tui.connectors.finding import Finding, Patient
from pepper_tui.connectors.imap.check import check
from pepper_tui.connectors.imap.connection.session import RefusedError
from pepper_tui.connectors.imap.connection.trouble import LostError, SignInError, trouble
from pepper_tui.connectors.imap.intake.cursor import SKEW, Cursor
from pepper_tui.connectors.imap.settings import Imap
from tests.connectors.imap.account import Account
from tests.connectors.imap.conftest import Make
from tests.connectors.imap.servers import DOVECOT, Server
from tests.tools.sink import Sink

LEAST: dict[str, Any] = {"address": "me@example.org", "host": "imap.example.org", "password": "env:P"}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"security": "none"}, "the password would go unencrypted to imap.example.org; set security to"),
        ({"smtp": {"host": "h.org", "security": "none"}}, "unencrypted to h.org; set smtp.security to tls"),
        ({"smtp": {"host": "h.org", "security": "none", "user": "u"}}, "would go unencrypted to h.org"),
        ({"folders": []}, "folders"),
        ({"address": "me"}, "address"),
        ({"password": ""}, "password"),
        ({"password": "hunter2 hunter2"}, "the config itself contains a secret; write env:NAME"),
        ({"smtp": {"host": "h.org", "password": "hunter2"}}, "the config itself contains a secret; write env:NAME"),
        ({"colour": 1}, "colour"),
    ],
)
def test_what_can_not_be_meant_is_refused(more: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        Imap.model_validate({**LEAST, **more})


@pytest.mark.parametrize(
    ("smtp", "user", "password"),
    [
        ({}, "me@example.org", "env:P"),
        ({"user": "u"}, "u", "env:P"),
        ({"password": "env:Q"}, "me@example.org", "env:Q"),
        ({"login": False}, "", ""),
    ],
)
def test_the_server_that_sends_takes_the_accounts_sign_in(smtp: dict[str, Any], user: str, password: str) -> None:
    sending = Imap.model_validate({**LEAST, "smtp": {"host": "h", **smtp}}).sending()
    assert sending is not None
    assert (sending.user, sending.password) == (user, password)


@pytest.mark.parametrize(("security", "port"), [("tls", 993), ("starttls", 143)])
def test_the_port_goes_by_security(security: str, port: int) -> None:
    assert Imap.model_validate({**LEAST, "security": security}).at == port


def test_the_addresses_of_accounts_are_ones_own(tmp_path: Path) -> None:
    text = (
        '[user]\naddresses = ["a@x.org"]\n[[account]]\nid = "b"\nkind = "imap"\naddress = "b@x.org"\n'
        'identities = ["c@x.org", "d@x.org"]\n[account.smtp]\nhost = "h.org"\n'
        '[[account]]\nid = "e"\nkind = "linelog"\n[[account]]\nid = "f"\nkind = "imap"\nidentities = "f@x.org"\n'
    )
    config = parse_config(text, tmp_path / "config.toml")
    assert config.own_addresses == ["a@x.org", "a@x.org", "b@x.org", "c@x.org", "d@x.org", "f@x.org"]
    assert any("sending by account b" in line for line in summary(config))


@pytest.mark.parametrize("code", ["UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG", "AUTHENTICATIONFAILED", "EXPIRED", ""])
def test_a_refusal_that_passes_is_none_of_the_password(code: str) -> None:
    told = trouble(RefusedError(code), Imap.model_validate(LEAST), "work")
    passing = code in ("UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG")
    assert isinstance(told, LostError if passing else SignInError)
    assert code.lower() in str(told)


@pytest.mark.parametrize(
    ("uid", "arrived", "renumbered", "old"),
    [
        (5, 2000.0, False, True),
        (6, 0.0, False, False),
        (5, 1000.0 - SKEW, True, True),
        (5, 1001.0 - SKEW, True, False),
        (6, 0.0, True, False),
    ],
)
def test_what_lay_there_before(uid: int, arrived: float, renumbered: bool, old: bool) -> None:
    assert Cursor("a/INBOX", "a@h", 1, 5, 1, 1000.0, renumbered).is_old(uid, arrived) is old


async def findings(work: Account, home: Path) -> list[Finding]:
    return [each async for each in check(work.settings, Patient(home, Config(), work.secrets, {}))]


async def test_the_doctor_says_what_it_finds(server: Server, account: Make, tmp_path: Path) -> None:
    [found] = await findings(account(server.port), tmp_path)
    assert (found.state, found.detail) == ("ok", f"alex at 127.0.0.1:{server.port}, 0 mails in INBOX")
    [found] = await findings(account(server.port, folders=["INBOX", "Nowhere"]), tmp_path)
    assert (found.state, found.remedy) == ("trouble", "fix folders in its account")
    assert found.detail == "no folder Nowhere; there are: INBOX"
    wrong = account(server.port)
    wrong.environment["PASSWORD"] = "wrong"
    [found] = await findings(wrong, tmp_path)
    assert found.state == "trouble"
    assert "app password" in found.remedy
    wrong.environment["PASSWORD"] = ""
    [found] = await findings(wrong, tmp_path)
    assert (found.state, found.detail) == ("trouble", "env:PASSWORD has no value")
    async with Sink() as sink:
        smtp = {"host": "127.0.0.1", "port": sink.port, "security": "none", "login": False}
        found, sending = await findings(account(server.port, smtp=smtp), tmp_path)
        assert (found.state, sending.state) == ("note", "ok")
        assert "no folder that is marked for what is sent" in found.detail
        with server.other() as other:
            other.client.create_folder("Sent Messages" if server.kind == DOVECOT else "Sent")
        found, _ = await findings(account(server.port, smtp=smtp), tmp_path)
        assert found.state == "ok"


def test_a_secret_that_can_not_be_read_is_told_at_the_start(account: Make) -> None:
    with pytest.raises(ConfigError, match=r"secrets\.toml"):
        account(1, password="secret:NONE")
    with pytest.raises(ValidationError, match="the config itself contains a secret"):
        account(1, password="hunter2")
