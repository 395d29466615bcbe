"""What the config says of MCP servers: each error names its key; nothing is imported before it is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pepper_tui.command.cli import app
from pepper_tui.config import ConfigError, McpServer, Secrets, parse_config
from pepper_tui.connectors.mcp import greet
from tests.connectors.mcp.bench import unruly
from tests.connectors.mcp.unruly_tools import tool

GOOD = '[mcp.own]\ncommand = "x"\n'


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("[mcp.own]\n", ":1: mcp.own: needs either command"),
        (GOOD + 'url = "http://127.0.0.1/mcp"\n', ":1: mcp.own: needs either command"),
        (GOOD + "timeout = 0\n", ":3: mcp.own.timeout: "),
        (GOOD + 'effect = "local"\n', ":3: mcp.own.effect: "),
        (GOOD + '[mcp.own.effects]\nsave = "maybe"\n', ":4: mcp.own.effects.save: "),
        (GOOD + 'colour = "red"\n', ":3: mcp.own.colour: this Pepper does not know it"),
        (GOOD + 'headers = { A = "b" }\n', ":1: mcp.own: headers goes with url only"),
        (GOOD + 'env = { API_KEY = "sk-1" }\n', ":1: mcp.own: env.API_KEY looks like a secret"),
        ('[mcp.own]\nurl = "https://x/?api_key=1"\n', ":1: mcp.own: url must not contain a secret"),
        ('[mcp.own]\nurl = "ftp://x"\n', ":1: mcp.own: url must begin with http"),
        ('[mcp.own]\nurl = "https://me:pw@x/"\n', ":1: mcp.own: url must not contain a password"),
        (
            '[mcp.own]\nurl = "https://x/"\nheaders = { authorization = "Bearer 1" }\n',
            "headers.authorization looks like",
        ),
        ('[mcp.own]\nurl = "http://x/"\nheaders = { A = "env:B" }\n', ":1: mcp.own: a secret in headers would go"),
        ('[mcp.Own]\ncommand = "x"\n', ": mcp: 'Own' can't name a server"),
        ('[[mcp]]\nname = "own"\n', ": mcp: write [mcp.NAME]"),
    ],
)
def test_each_error_names_its_key_and_the_way_out(source: str, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_config(source, Path("/home/config.toml"))
    assert words in "\n".join(error.value.problems)


def test_paths_begin_at_the_home_and_names_do_not() -> None:
    source = '[mcp.a]\ncommand = "./server"\ncwd = "there"\n[mcp.b]\ncommand = "uvx"\n'
    servers = parse_config(source, Path("/home/config.toml")).mcp
    assert (servers["a"].command, servers["a"].cwd) == ("/home/server", Path("/home/there"))
    assert (servers["b"].command, servers["b"].cwd) == ("uvx", None)


def test_the_sdk_is_imported_by_nothing_that_the_program_starts_with() -> None:
    code = "import sys, pepper_tui.engine.engine, pepper_tui.command.launch, pepper_tui.connectors.mcp.check\n" \
           "print([m for m in ('mcp', 'mcp_types', 'httpx2', 'jsonschema') if m in sys.modules])"  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_doctor_greets_each_server_and_names_the_way_out(tmp_path: Path) -> None:
    home, own = tmp_path / "home", unruly(tmp_path / "outside")
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text(
        f"""
[mcp.own]
command = "{own["command"]}"
args = {own["args"]}
env = {{ UNRULY_FOLDER = "{tmp_path / "outside"}" }}
[mcp.dies]
command = "{own["command"]}"
args = {[*own["args"], "--die"]}
env = {{ UNRULY_FOLDER = "{tmp_path / "outside"}" }}
[mcp.absent]
command = "there-is-no-such-program"
[mcp.web]
url = "http://127.0.0.1:1/mcp"
headers = {{ Authorization = "Bearer env:NOT_SET_ANYWHERE" }}
""".replace("'", '"')
    )
    found = CliRunner().invoke(app, ["--home", str(home), "doctor"])
    assert found.exit_code == 1
    for words in (
        "unruly 1, 14 tools",
        "it said: I can't start: no key",
        "there is no program there-is-no-such-program; install it",
        "check command, args and env in [mcp.dies]",
        "env:NOT_SET_ANYWHERE: the environment does not have this variable",
    ):
        assert words in found.output, found.output
    assert "\x1b" not in found.output
    assert not (home / "mcp").exists()


async def test_the_doctor_names_what_it_left_out(tmp_path: Path) -> None:
    bad = [{"name": f"bad{number}"} for number in range(7)]
    strange = tool("strange")
    strange["inputSchema"]["properties"]["\u202e"] = {"type": "string"}
    config = McpServer.model_validate(unruly(tmp_path / "outside"))
    (tmp_path / "outside" / "tools.json").write_text(json.dumps([tool("echo"), *bad[:1], strange]))
    well, words, _ = await greet("own", config, Secrets(tmp_path), 30.0)
    assert well
    assert words.startswith("unruly 1, 1 tool, 2 left out (strange: an argument has a name that can't be used")
    assert "bad0: its definition is not of the protocol (inputSchema: Field required)" in words
    (tmp_path / "outside" / "tools.json").write_text(json.dumps([tool("echo"), *bad]))
    well, words, _ = await greet("own", config, Secrets(tmp_path), 30.0)
    assert "7 left out (" in words
    assert words.count("not of the protocol") == 5
    assert words.endswith("; …)")
