"""Keys that have another name now: the old one works, is told of, and is rewritten with all else left as it is."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from pepper_tui.command.cli import app
from pepper_tui.config import Config, ConfigError, old_key_notes, parse_config, place_of
from pepper_tui.config.upgrade import upgrade_of
from pepper_tui.home.renamed import RENAMED, Rename, renewed

HERE = Path("/h/config.toml")
CONVERSATION = 'name = "x"\nlook_for = "blockers"\nthread = "x"\n'
OLD = f"# mine\n\n[[follow]]   # what I follow\n{CONVERSATION}# the end\n"


def pepper(home: Path, *words: str) -> Any:
    return CliRunner().invoke(app, [*words, "--home", str(home)])


def at_home(home: Path, text: str) -> Path:
    path = home / "config.toml"
    path.write_bytes(text.encode())
    return path


# Keys that have never been, for those that are: (old, new), a config before, and the same one after.
LEAF = Rename("user.nick", "user.name", "9.0")
IN_EACH = Rename("rule.from", "rule.sender", "9.0")
ANY_NAME = Rename("models.named.*.url", "models.named.*.base_url", "9.0")
TABLE = Rename("person", "user", "9.0")
INNER = Rename("mail.server", "mail.smtp", "9.0")
TO_ROOT = Rename("workers.slots", "worker_slots", "9.0")
TO_TABLE = Rename("undo", "tools.undo_seconds", "9.0")
BETWEEN = Rename("scheduler.undo", "tools.undo_seconds", "9.0")
OUT = Rename("server", "mail.smtp", "9.0")
ARRAY = Rename("order", "rule", "9.0")
CHAIN = (Rename("user.a", "user.b", "8.0"), Rename("user.b", "user.name", "9.0"))
SENDER = '[user]\naddresses = "a@b.org"\n'

CASES: dict[str, tuple[tuple[Rename, ...], str, str]] = {
    "a key": ((LEAF,), '[user]\n# n\nnick   =  "A" # c\n\nzone=""\n', '[user]\n# n\nname   =  "A" # c\n\nzone=""\n'),
    "a quoted key": ((LEAF,), '[user]\n"nick" = "A"\n', '[user]\nname = "A"\n'),
    "a dotted key": ((LEAF,), 'user.nick = "A"\nuser.zone = ""\n', 'user.name = "A"\nuser.zone = ""\n'),
    "a key of an inline table": (
        (LEAF,), 'user = { nick = "A", zone = "" } # u\n', 'user = { name = "A", zone = "" } # u\n'
    ),
    "line ends of Windows": ((LEAF,), '[user]\r\nnick = "A"\r\n# c\r\n', '[user]\r\nname = "A"\r\n# c\r\n'),
    "no line end": ((LEAF,), '[user]\nnick = "A"', '[user]\nname = "A"'),
    "a key of each entry": (
        (IN_EACH,),
        '[[rule]]\nname = "a"\nfrom = "x@y"\n\n# two\n[[rule]]\nname = "b"\nfrom = ["z"] # z\n',
        '[[rule]]\nname = "a"\nsender = "x@y"\n\n# two\n[[rule]]\nname = "b"\nsender = ["z"] # z\n',
    ),
    "a key of entries in one line": (
        (IN_EACH,),
        'rule = [{ name = "a", from = "x" },\n  { name = "b", from = "y" }, # b\n]\n',
        'rule = [{ name = "a", sender = "x" },\n  { name = "b", sender = "y" }, # b\n]\n',
    ),
    "under any name": (
        (ANY_NAME,),
        '[models.named.big]\nname = "b"\nurl = "u"\n[models.named.small]\nname = "s"\nurl = "v"\n',
        '[models.named.big]\nname = "b"\nbase_url = "u"\n[models.named.small]\nname = "s"\nbase_url = "v"\n',
    ),
    "a table": (
        (TABLE,),
        '# me\n[person] # p\nname = "A"\n\n[ui]\nbell = true\n',
        '# me\n[user] # p\nname = "A"\n\n[ui]\nbell = true\n',
    ),
    "a table of tables": (
        (Rename("modells", "models", "9.0"),),
        '[modells.scheduler]\nname = "a"\n\n[modells]\nname = "b"\n[modells.named.x]\nname = "x"\n',
        '[models.scheduler]\nname = "a"\n\n[models]\nname = "b"\n[models.named.x]\nname = "x"\n',
    ),
    "an inner table": (
        (INNER,),
        SENDER + '[mail.server]\nhost = "h" # h\n[mail]\nmax_bytes = 20000\n',
        SENDER + '[mail.smtp]\nhost = "h" # h\n[mail]\nmax_bytes = 20000\n',
    ),
    "a table to another place": (
        (OUT,),
        SENDER + '[mail]\nmax_bytes = 20000\n\n# s\n[server] # x\nhost = "h"\n[ui]\nbell = true\n',
        SENDER + '[mail]\nmax_bytes = 20000\n\n# s\n[mail.smtp] # x\nhost = "h"\n[ui]\nbell = true\n',
    ),
    "an array": (
        (ARRAY,),
        '[[order]] # 1\nname = "a"\nwords = "x"\n\n[[order]]\nname = "b"\nwords = "y"\n',
        '[[rule]] # 1\nname = "a"\nwords = "x"\n\n[[rule]]\nname = "b"\nwords = "y"\n',
    ),
    "a key to another table": (
        (BETWEEN,),
        "[scheduler]\nbatch_size = 5\n# time\nundo = 3 # s\nmax_rounds = 4\n\n"
        "[tools]\nconcurrency = 2\n\n# next\n[ui]\nbell = true\n",
        "[scheduler]\nbatch_size = 5\nmax_rounds = 4\n\n"
        "[tools]\nconcurrency = 2\n# time\nundo_seconds = 3 # s\n\n# next\n[ui]\nbell = true\n",
    ),
    "a dotted key to another table": (
        (BETWEEN,),
        "scheduler.undo = 3\n[tools]\nconcurrency = 2",
        "[tools]\nconcurrency = 2\nundo_seconds = 3\n",
    ),
    "a key to a table that is not there": (
        (TO_TABLE,),
        "# head\nundo = 3 # s\nworker_slots = 2\n",
        "# head\nworker_slots = 2\n\n[tools]\nundo_seconds = 3 # s\n",
    ),
    "two names later": (CHAIN, '[user]\na = "A"\n', '[user]\nname = "A"\n'),
    "one name later": (CHAIN, '[user]\nb = "A"\n', '[user]\nname = "A"\n'),
    "joined, the old first": (
        (ARRAY,),
        '[[order]]\nname = "a"\nwords = "x"\n[[rule]]\nname = "b"\nwords = "y"\n',
        '[[rule]]\nname = "a"\nwords = "x"\n[[rule]]\nname = "b"\nwords = "y"\n',
    ),
    "joined, the new first": (
        (ARRAY,),
        '[[rule]]\nname = "a"\nwords = "x"\n[[order]]\nname = "b"\nwords = "y"\n',
        '[[rule]]\nname = "a"\nwords = "x"\n[[rule]]\nname = "b"\nwords = "y"\n',
    ),
    "nothing old": ((LEAF,), '[user]\nname = "A"\n', '[user]\nname = "A"\n'),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_an_old_name_is_read_as_the_new_one_and_written_in_its_place(tmp_path: Path, case: str) -> None:
    renames, before, after = CASES[case]
    assert parse_config(before, HERE, renames) == parse_config(after, HERE, ())
    if before != after:
        assert old_key_notes(before, HERE, renames)
        with pytest.raises(ConfigError, match="does not know it"):  # so it is the renaming that does it
            parse_config(before, HERE, ())
    upgrade = upgrade_of(at_home(tmp_path, before), renames)
    assert upgrade.after == after
    assert upgrade.notes == old_key_notes(before, tmp_path / "config.toml", renames)
    assert upgrade_of(at_home(tmp_path, after), renames).notes == []


BY_HAND: dict[str, tuple[tuple[Rename, ...], str]] = {
    "arrays that stand apart": (
        (ARRAY,),
        '[[order]]\nname = "a"\nwords = "x"\n[ui]\nbell = true\n[[order]]\nname = "b"\nwords = "y"\n',
    ),
    "a key that becomes one of the root": ((TO_ROOT,), "[ui]\nbell = true\n[workers]\nslots = 2\n"),
    "an inline key to another table": ((BETWEEN,), "scheduler = { batch_size = 3, undo = 3 }\n"),
}  # fmt: skip


@pytest.mark.parametrize("case", BY_HAND)
def test_what_is_not_rewritten_works_and_is_named(tmp_path: Path, case: str) -> None:
    renames, before = BY_HAND[case]
    parse_config(before, HERE, renames)
    path = at_home(tmp_path, before)
    with pytest.raises(ConfigError) as caught:
        upgrade_of(path, renames)
    assert caught.value.problems[-1].endswith("can't be rewritten without loss; change these lines by hand")
    assert caught.value.problems[:-1] == old_key_notes(before, path, renames) != []
    assert path.read_text() == before


NAMES = ["nick", "name", "zone", "follow", "conversation", "user", "x"]
PLAIN = st.integers(0, 99)
TABLES = st.dictionaries(st.sampled_from(NAMES), PLAIN | st.lists(PLAIN, max_size=2), max_size=4)
TREES = PLAIN | TABLES | st.lists(TABLES, max_size=3) | st.dictionaries(st.sampled_from(NAMES), TABLES, max_size=3)


def within(one: str, other: str) -> bool:
    """Whether one path is the other, or lies inside it: no key moves into itself."""
    return all(a == b or "*" in (a, b) for a, b in zip(one.split("."), other.split("."), strict=False))


RENAMES = st.builds(
    Rename,
    st.lists(st.sampled_from([*NAMES, "*"]), min_size=1, max_size=3).map(".".join),
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(".".join),
    st.just("9"),
).filter(lambda rename: not within(rename.old, rename.new) and not within(rename.new, rename.old))


@given(st.dictionaries(st.sampled_from(NAMES), TREES, max_size=5), st.lists(RENAMES, max_size=4))
def test_whatever_the_config_is_every_value_is_found_where_it_is_written(
    tree: dict[str, Any], renames: list[Rename]
) -> None:
    before = repr(tree)
    done = renewed(tree, renames)
    assert repr(tree) == before
    for where, value in leaves(done.tree):
        found: Any = tree
        for part in done.as_written(where):
            found = found[part]
        assert found == value
    assert sorted(repr(value) for _, value in leaves(done.tree)) == sorted(repr(value) for _, value in leaves(tree))


def leaves(value: Any, where: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, dict):
        return [leaf for key, each in value.items() for leaf in leaves(each, (*where, key))]
    if isinstance(value, list):
        return [leaf for number, each in enumerate(value) for leaf in leaves(each, (*where, number))]
    return [(where, value)]


@pytest.mark.parametrize(
    ("renames", "text", "words"),
    [
        ((LEAF,), '[user]\nname = "A"\n\nnick = "B"\n', ":4: user.nick is an older name of user.name, and line 2 "),
        ((TABLE,), '[person]\nname = "A"\n[user]\nzone = ""\n', ":1: person is an older name of user, and line 3 "),
        ((IN_EACH,), '[[rule]]\nname = "a"\nsender = "x"\nfrom = "y"\n', ":4: rule[1].from is an older name of"),
        ((TO_TABLE,), "undo = 1\ntools = 3\n", ":1: undo is an older name of tools.undo_seconds, and line 2 sets that"),
        (CHAIN, '[user]\na = "A"\nb = "B"\n', ":2: user.a is an older name of user.b, and line 3 sets that"),
    ],
)  # fmt: skip
def test_both_names_at_once_name_both_lines(renames: tuple[Rename, ...], text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, HERE, renames)
    assert words in str(caught.value)


def test_a_fault_is_told_by_the_name_and_line_that_stand_there() -> None:
    with pytest.raises(ConfigError, match=r"config.toml:3: user.zoone: unknown time zone"):
        parse_config('[user]\n\nzoone = "Mars"\n', HERE, (Rename("user.zoone", "user.zone", "9"),))
    joined = '[[rule]]\nname = "a"\nwords = "x"\n[[order]]\nname = "b"\nwords = "x"\nbogus = 1\n'
    with pytest.raises(ConfigError, match=r"config.toml:7: order\[1\].bogus: "):
        parse_config(joined, HERE, (ARRAY,))
    assert place_of(HERE, OLD, "conversation[1].thread") == f"{HERE}:6: follow[1].thread"


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ('[user]\nnmae = "B"\n', ":2: user.nmae: ", "did you mean name?"),
        ("[userr]\n", ":1: userr: ", "did you mean user?"),
        ('[[rule]]\nname = "a"\nwrods = "x"\n', ":3: rule[1].wrods: ", "did you mean words?"),
        ('[mail.smtp]\nhost = "h"\nprot = 1\n', ":3: mail.smtp.prot: ", "did you mean port?"),
        ('[mcp.own]\ncomand = "x"\n', ":2: mcp.own.comand: ", "did you mean command?"),
        ('[models.named.big]\nname = "x"\nbase_ulr = "x"\n', ":3: models.named.big.base_ulr: ", "mean base_url?"),
        ('[store.retention."raw.*"]\nversion = 3\n', ":2: store.retention.raw.*.version: ", "did you mean versions?"),
        ("[telepathy]\nrange = 3\n", ":1: telepathy: ", "know it; a newer one may; remove it or update"),
        ("[user]\ntelepathy = true\n", ":2: user.telepathy: ", "know it; a newer one may; remove it or update"),
    ],
)  # fmt: skip
def test_an_unknown_key_may_be_misspelt_or_of_a_newer_pepper(tmp_path: Path, text: str, key: str, words: str) -> None:
    at_home(tmp_path, text)
    result = pepper(tmp_path, "config", "check")
    assert result.exit_code == 2
    assert f"{tmp_path / 'config.toml'}{key}this Pepper does not know it; " in result.stderr
    assert words in result.stderr


def test_every_rename_leads_to_a_key_that_there_is() -> None:
    for rename in RENAMED:
        section: Any = Config
        for part in rename.new.split("."):
            assert part in section.model_fields, rename
            section = section.model_fields[part].annotation
        with pytest.raises(ConfigError, match="does not know it"):
            parse_config(f"{rename.old} = {{}}\n", HERE, ())


# ------------------------------------------------------------------------------------------------------- the command


def test_it_is_told_shown_and_written(tmp_path: Path) -> None:
    path = at_home(tmp_path, OLD)
    note = f"{path}:3: follow is called conversation since 0.1.0"
    checked = pepper(tmp_path, "config", "check")
    assert (checked.exit_code, f"{note}; to write that into the file: pepper config upgrade" in checked.stdout) == (
        0,
        True,
    )
    examined = pepper(tmp_path, "doctor").stdout
    assert note in examined
    assert "→ pepper config upgrade" in examined
    shown = pepper(tmp_path, "config", "upgrade", "--dry-run")
    assert shown.exit_code == 0
    assert [line.strip() for line in shown.stdout.splitlines()] == [
        note, "3 - [[follow]]   # what I follow", "3 + [[conversation]]   # what I follow",
        f"{path}: nothing was written",
    ]  # fmt: skip
    assert [file.name for file in tmp_path.glob("config*")] == ["config.toml"]
    assert path.read_text() == OLD
    path.chmod(0o640)
    done = pepper(tmp_path, "config", "upgrade")
    assert done.exit_code == 0, done.output
    assert path.read_text() == OLD.replace("[[follow]]", "[[conversation]]")
    kept = tmp_path / "config.toml.before-upgrade"
    assert f"{path}: written; the one before is {kept}" in done.stdout
    assert kept.read_text() == OLD
    assert {stat.S_IMODE(file.stat().st_mode) for file in (path, kept)} == {0o640}
    assert "is called" not in pepper(tmp_path, "config", "check").stdout
    again = pepper(tmp_path, "config", "upgrade")
    assert (again.exit_code, "nothing to do" in again.stdout) == (0, True)
    assert kept.read_text() == OLD
    assert {file.name for file in tmp_path.glob("*config*")} == {"config.toml", kept.name}


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "dots").mkdir()
    real = at_home(tmp_path / "dots", OLD)
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").symlink_to(Path("..", "dots", "config.toml"))
    assert pepper(home, "config", "upgrade").exit_code == 0
    assert (home / "config.toml").readlink() == Path("..", "dots", "config.toml")
    assert "[[conversation]]" in real.read_text()
    assert (home / "config.toml.before-upgrade").read_text() == OLD
    assert [file.name for file in real.parent.iterdir()] == ["config.toml"]


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (None, 2, "pepper init"),
        ("[user\n", 2, "line 1"),
        (OLD + "[[rule]]\n", 2, ":8: rule[1].name"),
        ('follow = 3\n[[conversation]]\nname = "x"\nlook_for = "blockers"\nthread = "x"\n', 2, "is an older name of"),
    ],
)
def test_what_can_not_be_upgraded_says_why_and_stays(tmp_path: Path, text: str | None, code: int, words: str) -> None:
    if text is not None:
        at_home(tmp_path, text)
    result = pepper(tmp_path, "config", "upgrade")
    assert (result.exit_code, words in result.stderr) == (code, True), result.output
    assert {file.name for file in tmp_path.iterdir()} == ({"config.toml"} if text is not None else set())
    assert text is None or (tmp_path / "config.toml").read_text() == text


def test_a_folder_that_can_not_be_written_changes_nothing(tmp_path: Path) -> None:
    path = at_home(tmp_path, OLD)
    (tmp_path / "config.toml.before-upgrade").mkdir()  # so that the copy can't be kept
    result = pepper(tmp_path, "config", "upgrade")
    assert (result.exit_code, "nothing was changed" in result.stderr) == (1, True), result.output
    assert path.read_text() == OLD
    assert not list(tmp_path.glob(".config-*"))


def test_the_first_frame_reads_old_names_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pepper_tui.command.launch import first_look
    from pepper_tui.home import renamed as renamed_keys

    at_home(tmp_path, '[look]\ntheme = "pepper-light"\n')
    assert first_look(tmp_path).theme == "pepper"
    monkeypatch.setattr(renamed_keys.renewed, "__defaults__", ((Rename("look", "ui", "9.0"),),))
    assert first_look(tmp_path).theme == "pepper-light"
