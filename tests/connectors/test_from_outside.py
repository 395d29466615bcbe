"""A connector of another package: installed beside Pepper, named in the config, and nothing of Pepper is touched."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pepper_tui.config import ConfigError, parse_config
from pepper_tui.connectors import registry
from pepper_tui.connectors.registry import IN_SECTIONS, connector_of, named, own_kinds
from tests.terminal import Terminal

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "linelog"
PEPPER = [sys.executable, "-m", "pepper_tui"]
ACCOUNT = 'id = "a"\nkind = "linelog"\npath = "x"\n'
POINTS = "[pepper.connectors]\nlinelog = linelog:CONNECTOR\nbroken = nowhere:CONNECTOR\nother = json:dumps\n"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as an installer leaves it: the example's package, and its entry point."""
    site = tmp_path / "site"
    shutil.copytree(EXAMPLE / "linelog", site / "linelog", ignore=shutil.ignore_patterns("__pycache__"))
    about = site / "pepper_linelog-0.1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: pepper-linelog\nVersion: 0.1.0\n")
    (about / "entry_points.txt").write_text(POINTS)
    monkeypatch.syspath_prepend(str(site))
    for name in [name for name in sys.modules if name.partition(".")[0] == "linelog"]:
        monkeypatch.delitem(sys.modules, name)
    return site


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text(
        '[user]\nzone = "UTC"\n[[account]]\nid = "builds"\nkind = "linelog"\npath = "build.log"\nwords = ["ERROR"]\n'
    )
    (home / "build.log").write_text("all is well\nerror: the disk is full\n")
    return home


def pepper(home: Path, site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    ours = {**os.environ, "PYTHONPATH": str(site), "OPENAI_API_KEY": ""}
    return subprocess.run(
        [*PEPPER, "--home", str(home), *words], capture_output=True, text=True, check=False, timeout=60, env=ours
    )


def test_it_senses_is_checked_and_goes_on_after_a_kill(installed: Path, home: Path) -> None:
    ours = {"PYTHONPATH": str(installed), "OPENAI_API_KEY": ""}
    for turn, line in enumerate(("error: the disk is full", "error: out of memory")):
        with Terminal([*PEPPER, "--home", str(home), "run", "--headless"], ours) as engine:
            engine.wait_for("Pepper runs")
            deadline = time.monotonic() + 30
            while line not in (told := pepper(home, installed, "log").stdout):
                assert time.monotonic() < deadline, told
            assert told.count("error: the disk is full") == 1
            assert "out of memory" in told or turn == 0
            os.kill(engine.pid, signal.SIGKILL)
            engine.wait_dead(10)
        with (home / "build.log").open("a") as log:
            log.write("error: out of memory\nnothing\n")
    said = pepper(home, installed, "doctor").stdout
    assert "linelog          Lines of a log file" in pepper(home, installed, "accounts", "kinds").stdout
    assert re.search(r"ok +log build\.log +.*build\.log, \d+ bytes", said), said


@pytest.mark.parametrize(
    ("account", "words"),
    [
        (ACCOUNT, "config.toml:1: account a: words: has to be set"),
        (f'{ACCOUNT}words = ["a"]\ncolour = 1\n', ":6: account a: colour: linelog has no such key"),
        (f"{ACCOUNT}words = []\n", ":5: account a: words: needs at least one entry"),
        ('id = "a"\nkind = "gopher"\n', ":3: account a: kind: there is no connector 'gopher'; there are: broken"),
        ('id = "a"\nkind = "broken"\n', ":3: account a: kind: the connector 'broken' can't be used: ModuleNotFound"),
        ('id = "a"\nkind = "other"\n', ":3: account a: kind: the connector 'other' is not one"),
        ('id = "a"\nkind = "clock"\n', ":3: account a: kind: 'clock' has a section of its own"),
        ('id = "a"\nkind = "maildir"\npaths = "/m/b"\n[mail]\nmaildir = "/m"\n', "/m/b is read by [mail] already"),
        (
            'id = "a"\nkind = "mbox"\npaths = "m"\n[[account]]\nid = "b"\nkind = "mbox"\npaths = ["x", "m"]\n',
            ":5: account b: ",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_account_is_told_with_its_line(
    installed: Path, home: Path, account: str, words: str
) -> None:
    (home / "config.toml").write_text(f"[[account]]\n{account}")
    with pytest.raises(ConfigError) as refused:
        list(named(parse_config((home / "config.toml").read_text(), home / "config.toml"), home))
    assert words in " ".join(refused.value.problems)


def test_what_is_wrong_with_an_account_is_told_by_each_command(installed: Path, home: Path) -> None:
    words = "the connector 'broken' can't be used"
    (home / "config.toml").write_text('[[account]]\nid = "a"\nkind = "broken"\n')
    for command in (("config", "check"), ("doctor",), ("run", "--headless")):
        done = pepper(home, installed, *command)
        assert done.returncode != 0
        assert words in re.sub(r"\s+", " ", done.stdout + done.stderr), done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('[[account]]\nid = "a"\nkind = "x"\n[[account]]\nid = "a"\nkind = "y"\n', "two accounts are called 'a'"),
        ('[[account]]\nid = "mail"\nkind = "x"\n', "a feed has that name"),
        (
            '[mail]\nmaildir = "m"\n[[account]]\nid = "mail"\nkind = "maildir"\npaths = "n"\n',
            "in place of mail.maildir",
        ),
        ('[[account]]\nid = "A b"\nkind = "x"\n', "account A b: id: has to begin with a small letter"),
        ('[[account]]\nid = "a"\n', "account a: kind: has to be set"),
    ],
)
def test_accounts_have_names_of_their_own(tmp_path: Path, more: str, words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        parse_config(more, tmp_path / "config.toml")


@pytest.mark.parametrize("kind", sorted(own_kinds()))
def test_each_folder_is_a_connector(kind: str) -> None:
    found = connector_of(kind)
    assert found.settings is not None or kind in IN_SECTIONS


def test_nothing_is_imported_that_the_config_does_not_name() -> None:
    code = (
        "import sys; from pathlib import Path; from pepper_tui.config import parse_config;"
        "from pepper_tui.connectors.registry import named;"
        "print([one.kind for one in named(parse_config('', Path('/x/config.toml')), Path('/x'))]);"
        "print(sorted(name for name in sys.modules if name.startswith('pepper_tui.connectors.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    there, loaded = done.stdout.splitlines()
    assert there == "['clock']"
    assert {name.split(".")[2] for name in eval(loaded)} == {"clock", "connector", "finding", "registry"}


def test_a_connectors_retention_holds(installed: Path) -> None:
    from pepper_tui.store.upkeep.retention_rules import Rules

    connector = registry.connector_of("linelog")
    rules = Rules(None, connector.retention, {"raw.linelog_kept": "somebody wants it"})
    assert rules.of("raw.linelog_builds").days == 30
    assert rules.of("raw.linelog_kept").days is None
    assert rules.of("raw.mail").days == 730


def test_a_purge_leaves_what_a_connector_needs(installed: Path, home: Path) -> None:
    source = installed / "linelog" / "__init__.py"
    source.write_text(
        source.read_text().replace("retention=", 'kept={"raw.linelog_*": "it would begin anew"}, retention=')
    )
    with Terminal([*PEPPER, "--home", str(home), "run", "--headless"], {"PYTHONPATH": str(installed)}) as engine:
        engine.wait_for("Pepper runs")
        deadline = time.monotonic() + 30
        while "the disk is full" not in (told := pepper(home, installed, "log").stdout):
            assert time.monotonic() < deadline, told
    purged = pepper(home, installed, "store", "purge", "--namespace", "raw.*", "--yes")
    assert "stay: of raw.linelog_builds: it would begin anew" in purged.stdout, purged
    (home / "config.toml").write_text('[[account]]\nid = "builds"\nkind = "gone"\n')
    purged = pepper(home, installed, "store", "purge", "--namespace", "raw.*", "--yes")
    assert purged.returncode == 2
    assert "there is no connector 'gone'" in purged.stderr, purged
