"""Accounts of every kind that a connector offers: added by what it declares, and told of in words that fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomlkit

from pepper_tui.command.accounts import work
from pepper_tui.config import load_config
from pepper_tui.connectors.connector import Asked, Connector
from pepper_tui.connectors.registry import connector_of, offered
from pepper_tui.setup.accounts.book import AccountBook
from pepper_tui.setup.accounts.desk import AccountDesk
from pepper_tui.setup.accounts.trying import account_of, trial_words
from pepper_tui.setup.doctor.examination import examine
from tests.command.commands import PEPPER, pepper
from tests.connectors.caldav.conftest import one_server, server
from tests.connectors.caldav.servers import PASSWORD, USER, Server, event
from tests.terminal import Terminal

__all__ = ["one_server", "server"]
KINDS = [kind for kind, _ in offered()]
ANSWERS = {
    "address": "me@example.org", "host": "127.0.0.1", "url": "http://127.0.0.1:9/", "user": "me", "client_id": "x",
}  # fmt: skip


def answer(one: Asked, home: Path) -> Any:
    if one.several:
        return [str(home / "there")]
    if one.key.endswith("file"):
        (home / "client.json").write_text('{"installed": {"client_id": "x", "client_secret": "y"}}')
        return str(home / "client.json")
    return "secret:it" if one.secret == "always" else ANSWERS[one.key]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "config.toml").write_text("")
    (tmp_path / "secrets.toml").write_text('it = "x"\n')
    (tmp_path / "secrets.toml").chmod(0o600)
    return tmp_path


def account(kind: str, home: Path) -> Connector:
    """Put an account of ``kind`` into the config, as its connector asks for one."""
    connector = connector_of(kind)
    assert connector.adding is not None
    table: dict[str, Any] = {"id": "it", "kind": kind}
    table |= {one.key: answer(one, home) for one in connector.adding.asks if one.needed}
    if kind == "imap":  # it is asked for by its address, and finds the rest
        table |= {"address": "me@example.org", "host": "127.0.0.1", "password": "secret:it"}
    (home / "config.toml").write_text(tomlkit.dumps({"account": [table]}))
    return connector


@pytest.mark.parametrize("kind", KINDS)
async def test_words_about_an_account_fit_its_kind(home: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    connector = account(kind, home)
    config = load_config(home)
    words = trial_words(account_of(home, "it"))
    signs_in = connector.sign_in is not None or "password" in config.account[0].own
    assert words == ("Trying the sign-in …" if signs_in else "Looking there …")
    assert await work.pause(home, "it", paused=True) == 0
    assert await work.listed(home) == 0
    said = [finding.detail async for finding in examine(home) if finding.part == "account it"]
    said.append(await AccountDesk(home).pause("it", False))
    row = AccountBook(home).row("it")
    said += [row.rests, row.stays]
    assert await work.remove(home, "it", yes=True, stored="") == 0
    told = "\n".join([*said, capsys.readouterr().out.replace(str(home), "")]).replace("Maildir", "").lower()
    assert ("mail" in told, "sent" in told) == ("mail" in connector.holds, "mail" in connector.holds), told
    assert ("calendar" in told) is ("calendars" in connector.holds), told


@pytest.mark.parametrize("kind", KINDS)
def test_signing_in_again_names_keys_that_the_kind_has(home: Path, kind: str) -> None:
    connector = account(kind, home)
    if connector.sign_in is not None:
        return
    said = pepper(home, "accounts signin it").stderr
    assert connector.settings is not None
    keys = {"password", "token_command", "url"} & set(connector.settings.model_fields)
    assert all(each in keys for each in ("token_command", "url") if each in said), said
    if kind == "ics":
        assert "see password or url of its table" in said
    if "password" not in keys:
        assert "nothing to sign in to" in said


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_missing_is_named_with_its_option(home: Path, kind: str) -> None:
    asks = connector_of(kind).adding.asks  # type: ignore[union-attr]
    first = next((one.key for one in asks if one.needed), "")
    said = pepper(home, f"accounts add --kind {kind} --yes").stderr
    assert (f"needs {first}: say --" if first else "say which address") in said


def test_calendars_are_added_by_options_and_their_copies_can_be_removed(home: Path, server: Server) -> None:
    server.make("work", "Work")
    server.put("work", "a", event("a", "Standup"))
    add = f"accounts add --kind caldav --url {server.url} --user {USER} --password-stdin"
    refused = pepper(home, add, "wrong\n")
    assert (refused.returncode, "did not accept the user" in refused.stdout) == (1, True)
    assert load_config(home).account == []
    added = pepper(home, add, f"{PASSWORD}\n")
    assert added.returncode == 0, added.stderr
    assert "1 calendar: Work" in added.stdout
    [one] = load_config(home).account
    assert (one.id, one.own["password"]) == ("caldav", "secret:caldav")
    removed = pepper(home, "accounts remove caldav --yes --stored keep")
    assert "The copy of its calendars stays in Pepper's store." in removed.stdout


def test_a_provider_in_the_table_needs_no_address_of_its_server(home: Path) -> None:
    add = "accounts add me@fastmail.com --kind caldav --password-env NO_SUCH --no-test"
    assert pepper(home, add).returncode == 0
    [one] = load_config(home).account
    assert (one.own["url"], one.own["user"]) == ("https://caldav.fastmail.com/", "me@fastmail.com")
    assert pepper(home, add.replace("--kind caldav", "")).returncode == 0, "its mail is another account"


def test_a_secret_address_is_in_no_config_and_can_be_renewed(home: Path) -> None:
    place = "https://calendar.example/private-c0ffee/basic.ics"
    added = pepper(home, "accounts add --kind ics --url - --id club --no-test", f"{place}\n")
    assert added.returncode == 0, added.stderr
    assert "its address is in a file in the home" in added.stdout
    again = pepper(home, "accounts signin club --password-stdin --no-test", f"{place}?2\n")
    assert "The address of club is now in" in again.stdout
    assert "c0ffee" not in (home / "config.toml").read_text() + added.stdout + again.stdout
    assert "a secret address" in pepper(home, "accounts list").stdout
    assert [file.read_text() for file in (home / "secrets").iterdir()] == [f"{place}?2"]


def test_the_kind_is_chosen_from_a_list(home: Path, server: Server) -> None:
    server.make("work", "Work")
    asked = {
        "Which [1]": "caldav",
        "Address of the server": server.url,
        "User there": USER,
        "Password (it is not shown)": PASSWORD,
        "1 calendar: Work": "",
    }
    with Terminal([*PEPPER, "--home", str(home), "accounts", "add"]) as screen:
        for words, said in asked.items():
            screen.wait_for(words)
            if said == PASSWORD:
                screen.wait_until_unseen("(it is not shown)")
            screen.type(f"{said}\r")
        screen.wait_dead()
        assert all(connector.adding.name[:60] in screen.text for _, connector in offered() if connector.adding)
        assert PASSWORD.encode() not in screen.raw
    assert load_config(home).account[0].kind == "caldav"
