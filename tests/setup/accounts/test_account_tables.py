"""An account is added, changed and removed in the user's own file, whose comments stay."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from pepper_tui.config import ConfigError
from pepper_tui.setup.accounts.tables import account_id, change_config, with_account, with_key, without_account

HEAD = '# mine\n[user]\nname = "A"  # me\n'
WORK = '\n# the work account\n[[account]]\nid = "work"  # its id\nkind = "imap"\naddress = "a@x.org"\n'
SMTP = '\n# sending\n[account.smtp]\nhost = "s.x.org"\n'
TWO = '\n# the second\n[[account]]\nid = "two"\nkind = "imap"\n'
STORE = "\n# the store\n[store]\ncache_seconds = 1.0\n"
NEW = {"id": "new", "kind": "imap", "address": 'a"\\@x.org', "smtp": {"host": "h", "port": 465}}
FILES = {
    "one": HEAD + WORK,
    "with sending": HEAD + WORK + SMTP,
    "beside": HEAD + WORK + SMTP + TWO + STORE,
    "scattered": TWO + STORE + WORK + SMTP,
    "no line end": HEAD + WORK.rstrip("\n"),
    "windows": (HEAD + WORK + SMTP + STORE).replace("\n", "\r\n"),
    "a header in a text": '[user]\nname = """\n[[account]]\n"""\n' + WORK + TWO,
    "dotted": HEAD + '\n[[ account ]]  # spaced\nid = "work"\nkind = "imap"\nsmtp.host = "h"\n',
}


def _comments(text: str) -> list[str]:
    return [line.partition("#")[2].strip() for line in text.splitlines() if "#" in line]


@pytest.mark.parametrize("source", [*FILES.values(), ""], ids=[*FILES, "empty"])
def test_an_account_is_added_and_everything_else_stays(source: str) -> None:
    added = with_account(source, NEW)
    assert added.startswith(source)
    tree = tomllib.loads(added)
    assert tree.pop("account")[-1] == NEW
    assert without_account(added, "new").rstrip() == source.rstrip()


@pytest.mark.parametrize("source", FILES.values(), ids=FILES)
def test_a_key_is_set_changed_and_taken_away(source: str) -> None:
    paused = with_key(source, "work", "paused", value=True)
    [work] = [each for each in tomllib.loads(paused)["account"] if each["id"] == "work"]
    assert work["paused"] is True
    assert with_key(paused, "work", "paused", value=True) == paused
    assert with_key(paused, "work", "paused", value=False).rstrip() == source.rstrip()
    assert with_key(source, "work", "paused", value=False) == source
    assert _comments(paused) == _comments(source)


@pytest.mark.parametrize("source", FILES.values(), ids=FILES)
def test_removing_keeps_the_comments_of_others(source: str) -> None:
    removed = without_account(source, "work")
    before, after = tomllib.loads(source), tomllib.loads(removed)
    before["account"] = [each for each in before["account"] if each["id"] != "work"]
    assert {**after, "account": after.get("account", [])} == before
    assert {*_comments(removed)} >= {*_comments(source)} - {"its id", "sending", "spaced"}


def test_what_can_not_be_changed_without_loss_is_left_alone() -> None:
    source = 'account = [{ id = "work", kind = "imap" }]\n'
    with pytest.raises(ConfigError, match="by hand"):
        without_account(source, "work")
    with pytest.raises(ConfigError, match="by hand"):
        with_key(source, "work", "paused", value=True)


@pytest.mark.parametrize("change", [lambda s: without_account(s, "no"), lambda s: with_key(s, "no", "paused", True)])
def test_an_unknown_id_is_told_with_those_that_there_are(change: object) -> None:
    with pytest.raises(ConfigError, match="there are: work, two"):
        change(FILES["beside"])  # type: ignore[operator]


def test_a_text_that_could_not_be_used_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(HEAD + WORK)
    path.chmod(0o640)
    with pytest.raises(ConfigError):
        change_config(tmp_path, lambda source: source + TWO.replace("two", "work"))  # the id is taken
    assert path.read_text() == HEAD + WORK
    change_config(tmp_path, lambda source: source + TWO)
    assert path.read_text() == HEAD + WORK + TWO
    assert path.stat().st_mode & 0o777 == 0o640
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize(
    ("address", "taken", "ident"),
    [
        ("a@Example.org", (), "example"),
        ("a@example.org", ("example", "example_2"), "example_3"),
        ("a@1und1.de", (), "mail_1und1"),
        ("a@my-firm.co.uk", (), "my_firm"),
        ("a@" + "x" * 80 + ".org", (), "x" * 38),
        ("a@ü.de", (), "mail"),
        ("a@mail.org", ("mail",), "mail_2"),
    ],
)
def test_the_id_comes_from_the_domain(address: str, taken: tuple[str, ...], ident: str) -> None:
    assert account_id(address, frozenset(taken)) == ident
