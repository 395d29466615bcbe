"""`pepper config upgrade` writes the mail of [mail] as accounts: the same folders, addresses and ways to send."""

from __future__ import annotations

import itertools
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.config import Config, parse_config
from pepper_tui.config.upgrade import upgrade_of
from pepper_tui.connectors.registry import named
from pepper_tui.domains.mail.writing.accounts import MailAccounts
from pepper_tui.engine.building.mail_accounts import mail_accounts
from pepper_tui.tools import ToolError
from tests.command.commands import pepper
from tests.tools.bench import outbox

FULL = '''# my config
[user]
name = "Alex"
addresses = ["alex@example.com", "alex@old.example", "A@Work.example"]   # mine

# ---------- mail ----------
[mail]   # all of it
# filled by mbsync
maildir = ["~/Mail/INBOX", # the inbox
           "~/Mail/Lists"] # lists
mbox = "/var/mail/alex"  # cron
# who I am
address = "alex@example.com"
identities = [ # others
  "Al <al@example.com>", # short
]
signature = """
Alex
[mail]
"""
scan_interval = 30 # s
archive = "Archive"      # old
quote = "above"     # as I like it

# how it goes out
[mail.smtp]  # relay
host = "smtp.example.com"  # h
port = 465
security = "tls"
user = "alex"
password = "env:PW"

[mail.templates]
thanks = """
[draft]
"""

# the office
[[account]]
id = "work"
kind = "imap"
address = "a@work.example"
host = "h"
password = "env:W"
smtp = { host = "h" }
'''
UPGRADED = '''# my config
[user]
name = "Alex"
addresses = ["alex@example.com", "alex@old.example", "A@Work.example"]   # mine

# ---------- mail ----------
[mail]   # all of it
quote = "above"     # as I like it

[mail.templates]
thanks = """
[draft]
"""

[[account]]
id = "mail"
kind = "maildir"
# filled by mbsync
paths = ["~/Mail/INBOX", # the inbox
           "~/Mail/Lists"] # lists
# who I am
address = "alex@example.com"
identities = [ # others
  "Al <al@example.com>", # short
  "alex@old.example",
]
signature = """
Alex
[mail]
"""
scan_interval = 30 # s
archive = "Archive"      # old

# how it goes out
[account.smtp]  # relay
host = "smtp.example.com"  # h
port = 465
security = "tls"
user = "alex"
password = "env:PW"

[[account]]
id = "mbox"
kind = "mbox"
paths = "/var/mail/alex"  # cron
scan_interval = 30 # s

# the office
[[account]]
id = "work"
kind = "imap"
address = "a@work.example"
host = "h"
password = "env:W"
smtp = { host = "h" }
'''
CASES = {
    "all of it": (FULL, UPGRADED),
    "nothing is left, so the comments go along": (
        '[ui]\nbell = true\n\n# mail\n[mail] # m\n# fetched\nmaildir = ["~/Mail"]\n\n# [mail.smtp]\n# host = "x"\n\n'
        "# dates\n[calendar]\n",
        '[ui]\nbell = true\n\n# mail\n[[account]] # m\nid = "mail"\nkind = "maildir"\n# fetched\npaths = ["~/Mail"]\n\n'
        '# [mail.smtp]\n# host = "x"\n\n# dates\n[calendar]\n',
    ),
    "line ends of Windows, and no line end": (
        '[mail]\r\nmbox = "x" # c\r\nsmtp = { host = "localhost", security = "none" } # s\r\n'
        '[user]\r\naddresses = "a@b.org"',
        '[[account]]\r\nid = "mbox"\r\nkind = "mbox"\r\npaths = "x" # c\r\naddress = "a@b.org"\r\n'
        'smtp = { host = "localhost", security = "none" } # s\r\n\r\n[user]\r\naddresses = "a@b.org"\r\n',
    ),
    "what does not send keeps its addresses where they are": (
        '[mail]\nmaildir = "~/m"\naddress = "a@b.org"\nsignature = "A"\n[[follow]]\nname = "x"\nlook_for = "blockers"\n'
        'thread = "x"\n',
        '[mail]\naddress = "a@b.org"\nsignature = "A"\n\n[[account]]\nid = "mail"\nkind = "maildir"\npaths = "~/m"\n\n'
        '[[conversation]]\nname = "x"\nlook_for = "blockers"\nthread = "x"\n',
    ),
}


def upgraded(folder: Path, text: str) -> str:
    (folder / "config.toml").write_bytes(text.encode())
    upgrade = upgrade_of(folder / "config.toml")
    assert not upgrade.left
    return upgrade.after


@pytest.mark.parametrize("case", CASES)
def test_the_mail_of_the_section_is_written_as_accounts_with_every_comment(tmp_path: Path, case: str) -> None:
    before, after = CASES[case]
    assert upgraded(tmp_path, before) == after
    assert sorted(re.findall(r"#.*", before)) == sorted(
        set(re.findall(r"#.*", after)) & set(re.findall(r"#.*", before))
    )
    again = (tmp_path / "config.toml").write_bytes(after.encode()) and upgrade_of(tmp_path / "config.toml")
    assert again
    assert (again.notes, again.left, again.after) == ([], [], after)


@pytest.mark.parametrize(
    "text",
    [
        'mail = { maildir = "~/m" }\n',
        'mail.maildir = "~/m"\n',
        '[mail]\nmbox = "m"\nsmtp.host = "x"\naddress = "a@b.c"\n',
    ],
)
def test_what_can_not_be_rewritten_goes_on_as_it_is(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.toml").write_text(text)
    done = pepper(tmp_path, "config upgrade")
    assert done.returncode == 0, done.stderr
    assert "can't be rewritten as accounts without loss; it works as it is" in done.stdout
    assert "nothing to do" in done.stdout
    assert (tmp_path / "config.toml").read_text() == text


WRITING = {
    "user": ['[user]\naddresses = ["me@a.example", "other@a.example"]\n', '[user]\naddresses = "me@a.example"\n'],
    "mail": [
        "", 'address = "me@b.example"\n', 'address = "boss@w.example"\n', 'identities = ["Me <other@a.example>"]\n',
    ],
    "paths": ['maildir = "/m"\n', 'mbox = "/m"\n', 'maildir = "/m"\nmbox = "/b"\n'],
    "smtp": ["", '[mail.smtp]\nhost = "localhost"\n'],
    "account": [
        "",
        '[[account]]\nid = "w"\nkind = "imap"\naddress = "boss@w.example"\nhost = "h"\npassword = "env:W"\n'
        'identities = ["other@a.example"]\nsmtp = { host = "h" }\n',
    ],
}  # fmt: skip


@pytest.mark.parametrize("parts", itertools.product(*WRITING.values()))
def test_the_user_writes_from_the_same_addresses_as_before(tmp_path: Path, parts: tuple[str, ...]) -> None:
    user, mail, paths, smtp, account = parts
    before = f"{user}[mail]\n{paths}{mail}{smtp}{account}"
    after = upgraded(tmp_path, before)
    old, new = parse_config(before, tmp_path / "c"), parse_config(after, tmp_path / "c")
    list(named(new, tmp_path))
    assert {each.lower() for each in old.own_addresses} == {each.lower() for each in new.own_addresses}
    assert told(old, ("", "w")) == told(new, ("mail", "mbox", "w"))


def told(config: Config, able: tuple[str, ...]) -> list[str]:
    """Who writes a new mail, and who answers which, for mails that came before the upgrade."""
    sends = {each.id for each in config.account if each.own.get("smtp")} | ({""} if config.mail.smtp else set())
    accounts = mail_accounts(config, {ident: outbox(1) for ident in able if ident in sends})
    mails: list[dict[str, Any]] = [
        {"account": came_by, "to": [{"address": to}]}
        for came_by in ("", "w")
        for to in ("me@a.example", "me@b.example", "other@a.example", "boss@w.example", "list@x.example")
    ]
    return [who(accounts, None), *(who(accounts, each) for each in mails)]


def who(accounts: MailAccounts, mail: dict[str, Any] | None) -> str:
    try:
        writer = accounts.default() if mail is None else accounts.answering(mail)
    except ToolError:
        return "nobody"
    ident = writer.account.ident if writer.account.ident == "w" else "[mail]"
    before = accounts.through("" if ident == "[mail]" else ident, writer.identity.address)
    assert before is not None  # a card from before the upgrade goes out by it
    assert before.account is writer.account
    return f"{ident} {writer.identity.name} {writer.identity.address} {writer.warning}"


def test_the_same_folders_are_checked_as_before(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(f'[mail]\nmaildir = "gone"\nmbox = "{tmp_path}/not/here/box"\n')
    pepper(tmp_path, "config upgrade")
    assert "maildir" not in tomllib.loads((tmp_path / "config.toml").read_text()).get("mail", {})
    said = pepper(tmp_path, "config check")
    assert said.returncode == 2
    assert f"account[1].paths: {tmp_path}/gone is not there" in said.stderr
    assert f"account[2].paths: {tmp_path}/not/here is not there" in said.stderr
