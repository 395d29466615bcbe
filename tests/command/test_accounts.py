"""`pepper accounts …` as a user without a terminal runs it, against a real IMAP server."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import Smtp, parse_config
from pepper_tui.config.report import summary
from pepper_tui.connectors.smtp_check import smtp_finding
from pepper_tui.connectors.smtp_outbox import no_starttls
from pepper_tui.domains.mail.tools.sources import not_looked_at
from pepper_tui.model import Namespace
from pepper_tui.store import ContextStore
from tests.command.commands import PEPPER, pepper
from tests.connectors.imap.conftest import Certificate, certificate, one_server, server
from tests.connectors.imap.servers import PASSWORD, USER, Server
from tests.domains.mail.mails import make_maildir
from tests.terminal import Terminal
from tests.tools.sink import Sink

__all__ = ["certificate", "one_server", "server"]
HEAD = '# mine\n[user]\nname = "A"  # me\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    made.mkdir(mode=0o700)
    (made / "config.toml").write_text(HEAD)
    return made


def _accounts(home: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads((home / "config.toml").read_text()).get("account", [])
    return found


def _add(server: Server, more: str = "") -> str:
    place = f"--host 127.0.0.1 --port {server.port} --security none"
    return f"accounts add me@example.org --id work {place} --user {USER} {more}"


def test_an_account_lives_from_adding_to_removing(home: Path, server: Server) -> None:
    added = pepper(home, _add(server, "--password-stdin"), PASSWORD + "\n")
    assert added.returncode == 0, added.stderr
    assert "reading   127.0.0.1:" in added.stdout
    assert "mails in INBOX" in added.stdout
    [account] = _accounts(home)
    assert (account["id"], account["password"]) == ("work", "secret:work")
    assert (home / "config.toml").read_text().startswith(HEAD)
    assert stat.S_IMODE((home / "secrets" / "work").stat().st_mode) == 0o600
    assert pepper(home, "config check").returncode == 0
    assert pepper(home, "accounts test work").returncode == 0
    assert "work             imap · me@example.org · 127.0.0.1" in pepper(home, "accounts list").stdout

    assert pepper(home, "accounts pause work").returncode == 0
    assert _accounts(home)[0]["paused"] is True
    assert "paused" in pepper(home, "accounts").stdout
    assert "paused: nothing is read or sent there" in pepper(home, "doctor").stdout
    assert "nothing to change" in pepper(home, "accounts pause work").stdout
    assert pepper(home, "accounts resume work").returncode == 0
    assert "paused" not in _accounts(home)[0]

    assert "say --yes" in pepper(home, "accounts remove work").stderr
    assert pepper(home, "accounts remove work --yes").returncode == 0
    assert _accounts(home) == []
    assert not (home / "secrets" / "work").exists()
    assert (home / "config.toml").read_text().rstrip() == HEAD.rstrip()


def test_a_password_is_nowhere_but_in_its_file(home: Path, server: Server) -> None:
    said = [pepper(home, _add(server, "--password-stdin"), PASSWORD + "\n")]
    said += [pepper(home, each) for each in ("config show", "accounts list", "accounts secrets work", "doctor")]
    said += [pepper(home, "ask hello"), pepper(home, f"store export {home}/out.jsonl")]
    assert said[3].stdout.split(maxsplit=1) == ["work", "a file in the home that only you can read\n"]
    assert not [each for each in said if PASSWORD in each.stdout + each.stderr]
    holding = [file for file in home.rglob("*") if file.is_file() and PASSWORD.encode() in file.read_bytes()]
    assert holding == [home / "secrets" / "work"]


@pytest.mark.parametrize(
    ("more", "said", "words"),
    [
        ("--password-stdin", "wrong\n", "did not accept the user alex and the password"),
        ("--password-stdin", "", "standard input holds no password"),
        ("", "", "nobody can type a password here: --password-stdin or --password-env NAME"),
        ("--password-env NO_SUCH", "", "env:NO_SUCH has no value"),
        ("--password-stdin --id Work", PASSWORD, "account Work: id: has to begin with a small letter"),
        ("--password-stdin --id mail", PASSWORD, "a feed has that name"),
        (
            "--password-stdin --smtp-host relay.example.org --smtp-security none",
            PASSWORD,
            "would go unencrypted to relay",
        ),
        ("--password-stdin --security ssl", PASSWORD, "'ssl' is not one of tls, starttls, none"),
        ("--password-stdin --password-env A", PASSWORD, "contradict each other"),
        ("--password-stdin --no-smtp --smtp-host s.example.org", PASSWORD, "--smtp-host and --no-smtp contradict"),
        ("--password-stdin --smtp-user me", PASSWORD, "say --smtp-host, too"),
        ("--password-stdin --discover", PASSWORD, "leave one out"),
        ("--password-stdin --set host=other", PASSWORD, "--set host: say --host"),
        ("--password-stdin --set folders", PASSWORD, "folders: write it as KEY=VALUE"),
        ("--password-stdin --set no_such_key=1", PASSWORD, "no_such_key"),
        ("--password-stdin --set max_bytes=some", PASSWORD, "max_bytes"),
        (
            "--password-stdin --kind gmail",
            PASSWORD,
            "--user, --password-stdin: not for an account of kind gmail",
        ),
    ],
)
def test_what_does_not_work_writes_nothing(home: Path, server: Server, more: str, said: str, words: str) -> None:
    done = pepper(home, _add(server, more), said)
    assert done.returncode in (1, 2)
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert (home / "config.toml").read_text() == HEAD
    assert not [*home.rglob("secrets/*")]


def test_further_keys_go_with_all_other_options(home: Path, server: Server) -> None:
    more = """--password-stdin --set folders=["INBOX"] --set keep_copy=false --set signature=Alex"""
    added = pepper(home, _add(server, more), PASSWORD + "\n")
    assert added.returncode == 0, added.stderr
    assert "mails in INBOX" in added.stdout
    [account] = _accounts(home)
    assert (account["host"], account["port"], account["password"]) == ("127.0.0.1", server.port, "secret:work")
    assert (account["folders"], account["keep_copy"], account["signature"]) == (["INBOX"], False, "Alex")


def test_keys_of_the_sending_server_go_with_its_options(home: Path, server: Server) -> None:
    with_smtp = "--password-stdin --no-test --smtp-host localhost --smtp-port 2525 --smtp-security none"
    added = pepper(home, _add(server, f"{with_smtp} --set smtp.login=false"), PASSWORD + "\n")
    assert added.returncode == 0, added.stderr
    assert _accounts(home)[0]["smtp"] == {"host": "localhost", "port": 2525, "security": "none", "login": False}


async def test_a_server_that_takes_no_sign_in_is_not_told_as_one_without_starttls() -> None:
    async with Sink() as sink:
        smtp = Smtp(host="127.0.0.1", port=sink.port, security="none", user="me", password="secret:x")
        found = await smtp_finding("sending", smtp, lambda: "hunter22", "smtp of account work")
    assert "takes no user and password; set login = false in smtp of account work" in found.detail


@pytest.mark.parametrize("words", ["accounts add", "accounts signin work"])
def test_ctrl_c_leaves_a_question_and_nothing_waits_on(home: Path, words: str) -> None:
    table = 'kind = "imap"\naddress = "me@example.org"\nhost = "127.0.0.1"\npassword = "secret:work"'
    (home / "config.toml").write_text(f'[[account]]\nid = "work"\n{table}\n')
    with Terminal([*PEPPER, "--home", str(home), *words.split()]) as screen:
        screen.wait_for("Which" if words == "accounts add" else "password of work")
        screen.press("ctrl+c")
        assert os.waitstatus_to_exitcode(screen.wait_dead()) == 1
        assert "Nothing was written." in screen.text


@pytest.mark.parametrize("option", ["--discover", "--no-smtp", "--smtp-host s.example.org"])
def test_an_option_that_an_account_of_that_kind_does_not_take_is_refused(home: Path, option: str) -> None:
    refused = pepper(home, f"accounts add me@gmail.com --kind gmail {option}")
    name = option.split(maxsplit=1)[0]
    assert f"{name}: not for an account of kind gmail, which takes --set KEY=VALUE" in refused.stderr
    assert _accounts(home) == []


def test_a_port_alone_keeps_what_is_known_of_the_server(home: Path) -> None:
    env = "--password-env NO_SUCH --no-test"
    assert pepper(home, f"accounts add me@gmx.de --id one --smtp-port 587 {env}").returncode == 0
    assert pepper(home, f"accounts add me@x.example --id two --host imap.x.example --port 143 {env}").returncode == 0
    one, two = _accounts(home)
    assert one["host"] == "imap.gmx.net"
    assert one["smtp"] == {"host": "mail.gmx.net", "port": 587, "security": "starttls"}
    assert (two["security"], two.get("port", 143)) == ("starttls", 143)


def test_signing_in_again_tries_the_password_first(home: Path, server: Server) -> None:
    assert pepper(home, _add(server, "--password-stdin --no-test"), "old\n").returncode == 0
    assert pepper(home, "accounts test").returncode == 1
    refused = pepper(home, "accounts signin work --password-stdin", "also wrong\n")
    assert (refused.returncode, "was not kept" in refused.stderr) == (1, True)
    assert (home / "secrets" / "work").read_text() == "old"
    assert pepper(home, "accounts signin work --password-stdin", PASSWORD + "\n").returncode == 0
    assert pepper(home, "accounts test").returncode == 0


def test_a_second_account_stands_beside_the_first_and_one_is_found_by_its_own_ca(
    home: Path, server: Server, certificate: Certificate
) -> None:
    assert pepper(home, _add(server, "--password-stdin"), PASSWORD + "\n").returncode == 0
    other = f"accounts add you@example.org --host localhost --port {server.port} --security starttls --user {USER}"
    assert "certificate" in pepper(home, f"{other} --password-stdin", PASSWORD + "\n").stdout
    safe = pepper(home, f"{other} --ca {certificate.file} --password-stdin", PASSWORD + "\n")
    assert safe.returncode == 0, safe.stdout
    assert [each["id"] for each in _accounts(home)] == ["work", "example"]
    again = pepper(home, _add(server, "--password-stdin").replace("--id work", ""), PASSWORD)
    assert "account work has this address already" in again.stderr
    assert pepper(home, "accounts remove work --yes").returncode == 0
    assert [each["id"] for each in _accounts(home)] == ["example"]


@pytest.mark.parametrize("words", ["test", "pause", "resume", "signin", "remove", "secrets"])
def test_an_unknown_account_is_told_with_those_that_there_are(home: Path, words: str) -> None:
    said = pepper(home, f"accounts {words} nobody --yes" if words == "remove" else f"accounts {words} nobody")
    assert said.returncode == 2
    assert "there is no account 'nobody'; there is none yet" in said.stderr


def test_the_first_account_makes_the_config_and_a_refused_one_leaves_none(tmp_path: Path, server: Server) -> None:
    home = tmp_path / "no"
    assert pepper(home, "accounts list").returncode == 2
    assert pepper(home, _add(server, "--password-stdin"), "wrong\n").returncode != 0
    assert not (home / "config.toml").exists()
    said = pepper(home, _add(server, "--password-stdin"), PASSWORD + "\n")
    assert said.returncode == 0, said.stderr
    assert [each["id"] for each in _accounts(home)] == ["work"]
    assert (home / "config.toml").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("me@gmail.com", "imap.gmail.com:993 (TLS)"),
        ("me@TUTA.com", "it offers no IMAP"),
        ("me@no-such.example", "the servers of no-such.example are not known: say --host"),
        ("me", "'me' is not a mail address"),
        ("a@b@", "is not a mail address"),
    ],
)
def test_without_being_asked_nothing_leaves_the_machine(home: Path, address: str, words: str) -> None:
    said = pepper(home, f"accounts add {address} --yes")
    assert words in said.stdout + said.stderr
    assert said.returncode in (1, 2)
    assert _accounts(home) == []


CONFIG = (
    HEAD
    + '[[account]]\nid = "work"\nkind = "imap"\naddress = "a@x.org"\nhost = "127.0.0.1"\nport = 1\n'
    + 'security = "none"\npassword = "secret:work"\n'
)
HEALTH = {
    "part": "feed.work",
    "state": "trouble",
    "detail": "the mail server is gone",
    "remedy": "check host",
    "at": 1.0,
}


@pytest.mark.parametrize(
    ("health", "words"),
    [
        ({}, "account work was not read yet"),
        (HEALTH, "account work could not be read: the mail server is gone; check host"),
        ({**HEALTH, "state": "stopped"}, "account work could not be read"),
        ({**HEALTH, "state": "starting", "detail": "200 of 900"}, "account work is not read to its end: 200 of 900"),
        ({**HEALTH, "state": "paused"}, "account work is paused"),
        ({**HEALTH, "state": "ok"}, ""),
    ],
)
async def test_an_answer_about_mail_says_whose_mail_was_not_looked_at(
    home: Path, clock: ManualClock, health: dict[str, Any], words: str
) -> None:
    store = await ContextStore.open(home / "pepper.db", clock)
    if health:
        await store.store(health, namespace=Namespace.HEALTH, context_id="feed.work", type="health")
    told = " ".join(await not_looked_at(store, ["work"]))
    await store.close()
    assert told.startswith(words) if words else not told


def test_asking_for_mail_of_an_account_that_was_never_read_says_so(home: Path) -> None:
    (home / "config.toml").write_text(CONFIG)
    (home / "secrets.toml").write_text('work = "x"\n')
    (home / "secrets.toml").chmod(0o600)
    said = pepper(home, "ask -", "search mail lunch")
    assert "account work was not read yet" in said.stdout, said.stdout


def test_a_file_of_secrets_that_others_may_read_is_one_thing_to_fix(home: Path) -> None:
    (home / "config.toml").write_text(CONFIG + '[account.smtp]\nhost = "127.0.0.1"\nport = 1\n')
    (home / "secrets.toml").write_text('work = "x"\n')
    (home / "secrets.toml").chmod(0o644)
    said = pepper(home, "doctor").stdout
    assert said.count("TROUBLE") == 1
    assert "TROUBLE  secrets" in said
    assert "note     mail work (a@x.org)    not tried: see secrets above" in said


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (CONFIG, "mail       1 account; sending off (smtp in an account turns it on)"),
        (HEAD, "mail       none; sending off (pepper accounts add, or [mail.smtp] turns it on)"),
        (CONFIG + "paused = true\n", "mail       1 account (1 paused); sending off"),
        (CONFIG + '[account.smtp]\nhost = "h"\n', "mail       1 account; sending by account work"),
    ],
)
def test_the_summary_of_a_config_says_what_there_is(tmp_path: Path, config: str, words: str) -> None:
    assert summary(parse_config(config, tmp_path / "config.toml"))[0].startswith(words)
    of_calendars = summary(parse_config(config, tmp_path / "config.toml"), ["work"])
    assert of_calendars[0].startswith("mail       none")
    assert of_calendars[1].startswith("calendar   none" if config == HEAD else "calendar   1 account")


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("127.0.0.1", "it is this machine"),
        ("localhost", "it is this machine"),
        ("smtp.example.org", 'set smtp.security to "tls", often with port 465'),
    ],
)
async def test_a_server_without_starttls_is_told_with_what_to_do(host: str, words: str) -> None:
    async with Sink() as sink:
        place = Smtp(host="127.0.0.1", port=sink.port, security="starttls")
        said = await smtp_finding("sending", place, str, "smtp")
        assert "offers no STARTTLS on port" in said.detail
    assert words in no_starttls(Smtp(host=host), "smtp")
    said = await smtp_finding("sending", place, str, "smtp")
    assert f"takes no connections on port {place.port}" in said.detail


def test_an_account_is_added_from_the_screen_and_read_at_once(home: Path, server: Server) -> None:
    """By a wrong password and a right one, both unseen; the engine starts anew with it."""
    with server.other() as other:
        other.deliver(b"From: Ann <ann@example.org>\nSubject: Lunch\nMessage-ID: <a@x>\n\nAt noon?\n")
    asked = {
        "Which [1]": "1",
        "Your mail address": "me@no-such.example",
        "Ask no-such.example?": "n",
        "Server for reading": "127.0.0.1",
        "tls, starttls or none": "none",
        "port [143]": str(server.port),
        "Server for sending": "",
        "User [": USER,
        "servers of your mail?": "y",
        "Password (it is not shown): ": "the wrong one",
        "p another password": "p",
        "wrote nothing yet": PASSWORD,
        "Enter goes back": "",
    }
    with Terminal([*PEPPER, "--home", str(home)]) as screen:
        screen.wait_for("silent 0")
        screen.press("\x0e")
        screen.wait_for("No account yet")
        screen.press("a")
        for words, answer in asked.items():
            if words == "wrote nothing yet":
                screen.wait_for(lambda: screen.text.count("Password (it is not shown)") == 2)
            else:
                screen.wait_for(words)
            if answer in ("the wrong one", PASSWORD):
                screen.wait_until_unseen("(it is not shown)")
            screen.type(f"{answer}\r")
        screen.wait_for("watching INBOX of alex", 30.0)
        assert PASSWORD.encode() not in screen.raw
        assert b"the wrong one" not in screen.raw
        screen.press("\x11")
        screen.wait_dead()
    assert _accounts(home)[0]["port"] == server.port


def test_mail_on_this_machine_is_an_account_like_others(home: Path, tmp_path: Path) -> None:
    root = make_maildir(tmp_path / "m")
    add = f"accounts add me@example.org --kind maildir --id local --set paths={root}"
    done = pepper(home, f"{add} --set smtp.host=127.0.0.1 --set smtp.port=9 --set smtp.security=none")
    assert (done.returncode, "takes no connections on port 9" in done.stdout) == (1, True), done.stdout
    assert _accounts(home) == []
    done = pepper(home, add)
    assert done.returncode == 0, done.stderr
    assert f"mail local m           {root}, 0 mails" in done.stdout
    refused = pepper(home, f"accounts add --kind maildir --id b --set paths={root}/sub --no-test")
    assert (refused.returncode, "is read by account local already" in refused.stderr) == (2, True), refused.stderr
    assert pepper(home, f"accounts add --kind mbox --id cron --set paths={root}/a --set paths={root}/b").returncode == 0
    assert [each["id"] for each in _accounts(home)] == ["local", "cron"]
    listed = pepper(home, "accounts list").stdout
    assert f"local            maildir · me@example.org · {root} · does not send" in listed
    assert f"cron             mbox · {root}/a" in listed
    assert pepper(home, "accounts pause local").returncode == 0
    assert "account local          paused" in pepper(home, "doctor").stdout
    assert pepper(home, "accounts resume local").returncode == 0
    assert pepper(home, "accounts remove local --yes").returncode == 0
    assert [each["id"] for each in _accounts(home)] == ["cron"]


def test_an_account_that_signs_in_by_a_token_has_no_password(home: Path) -> None:
    place = "--host 127.0.0.1 --port 9 --security none --smtp-host 127.0.0.1 --smtp-port 9 --smtp-security none"
    done = pepper(home, f"accounts add me@example.org --id work {place} --no-test --token-command /no/such")
    assert done.returncode == 0, done.stderr
    [account] = _accounts(home)
    assert (account["token_command"], "password" in account) == (["/no/such"], False)
    assert not [*home.rglob("secrets/*")]
    assert pepper(home, "config check").returncode == 0
    tested = pepper(home, "accounts test")
    assert tested.stdout.count("token_command of account work: /no/such can't be started") == 2, tested.stdout
    assert "see password or token_command" in pepper(home, "accounts signin work").stderr
