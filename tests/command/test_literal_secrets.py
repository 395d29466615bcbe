"""``config check`` names a secret of a server or a program that stands in the config itself, and shows none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.config.secret.literals import in_arguments, is_secret
from pepper_tui.config.secret.names import holds_secret, may_hold_secret, parameter_holds_secret
from tests.command.test_keys_in_clear import run

RANDOM = "0a1b2c3d4e5f6a7b8c9d0e1f"


@pytest.mark.parametrize(
    ("arguments", "which"),
    [
        (["--token", "hunter2"], [2]),
        (["--api-key=hunter2"], [1]),
        (["--accessToken", "hunter2"], [2]),
        (["-y", "mcp-remote", "https://x.org/mcp", "--header", "Authorization: Bearer hunter2"], [5]),
        (["--header", "X-Api-Key:hunter2"], [2]),
        (["run", "-i", "-e", "GITHUB_TOKEN=hunter2", "image"], [4]),
        (["postgresql://me:hunter2@db.example.org/x"], [1]),
        (["https://x.org/mcp?access_token=hunter2"], [1]),
        ([f"https://x.org/s/{RANDOM}/mcp"], [1]),
        (["ghp_0123456789abcdefghij", "sk-proj-abcdefghijklmnop", "xoxb-1234567890-abc"], [1, 2, 3]),
        ([RANDOM], [1]),
        (["--token", "hunter2", "--password", "hunter3"], [2, 4]),
        # what refers to one, or is none
        (["--token", "secret:TOKEN"], []),
        (["--token=env:TOKEN"], []),
        (["--header", "Authorization: Bearer secret:TOKEN"], []),
        (["-e", "GITHUB_TOKEN=secret:TOKEN", "-e", "GITHUB_TOKEN"], []),
        (["https://x.org/s/secret:TOKEN/mcp?key=secret:KEY"], []),
        (["-y", "@modelcontextprotocol/server-filesystem", "/home/alex/Documents"], []),
        (
            ["--max-tokens", "100", "--token-limit=5", "--auth-type", "none", "--key-file=x", "--tokenizer", "cl100k"],
            [],
        ),
        (["--key", "/etc/tls/key.pem", "--secret", "./secret", "--password", "--verbose", "--token", ""], []),
        (["postgresql://me@db.example.org/x", "http://127.0.0.1:8080/mcp"], []),
        (["--from", f"git+https://example.org/a/b@{RANDOM}", f"image@sha256:{RANDOM}"], []),
        (["--model", "some-model-3-5-large-20261022", "123e4567-e89b-12d3-a456-426614174000"], []),
        (["--password", "${PASSWORD}", "--token", "<your token>"], []),
    ],
)
def test_which_arguments_hold_one(arguments: list[str], which: list[int]) -> None:
    assert list(in_arguments(arguments)) == which


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("GITHUB_PAT", "hunter2", True),
        ("SENTRY", "sk-planted-7f3a9c51e2", True),
        ("DATABASE_URL", "mysql://me:hunter2@h/db", True),
        ("apiKey", "hunter2", True),
        ("X-Key", "hunter2", True),
        ("X-Auth", "Bearer hunter2", True),
        ("X-Tenant", f"Bearer {RANDOM}", True),
        ("X-Auth", "Bearer secret:KEY", False),
        ("LOG_LEVEL", "error", False),
        ("KEYCLOAK_HOST", "auth.example.org", False),
        ("MONKEY", "island", False),
        ("AUTH_TYPE", "token", False),
        ("TOKEN_LIMIT", "4000", False),
        ("SSH_KEY", "~/.ssh/id", False),
        ("USE_TOKEN", "true", False),
        ("API_KEY", "", False),
        ("PATH", "/usr/bin:/bin", False),
    ],
)
def test_which_variables_and_headers_are_one(name: str, value: str, found: bool) -> None:
    assert is_secret(value, name) is found


KEY = "sk-planted-7f3a9c51e2"
PLACES = {
    "exec[1].env.SENTRY": ("env", {"SENTRY": "{key}"}, "looks like a secret"),
    "models.headers.X-Team": ("headers", {"X-Team": "{key}"}, "looks like a secret"),
    "models.worker.headers.X-Team": ("headers", {"X-Team": "{key}"}, "looks like a secret"),
    "models.named.own.headers.X-Team": ("headers", {"X-Team": "{key}"}, "looks like a secret"),
    "mcp.own.args": ("args", ["-y", "server", "--key={key}"], "the 3rd argument looks like a secret"),
    "mcp.own.env.SENTRY": ("env", {"SENTRY": "{key}"}, "looks like a secret"),
    "mcp.own.headers.X-Tenant": ("headers", {"X-Tenant": "{key}"}, "looks like a secret"),
    "mcp.own.url": ("url", "https://x.org/s/{key}/mcp", "a part of it looks like a secret"),
}
BASES: dict[str, Any] = {
    "exec[1]": {"name": "own", "command": "true"},
    "models": {"api_key": ""},
    "models.worker": {"name": "m"},
    "models.named.own": {"name": "m"},
    "mcp.own": ({"url": "https://x.org/mcp"}, {"command": "true"}),
}


@pytest.mark.parametrize("literal", [True, False])
@pytest.mark.parametrize("place", PLACES)
def test_the_check_names_the_place_and_the_way_out_and_not_the_secret(
    tmp_path: Path, place: str, literal: bool
) -> None:
    key, value, words = PLACES[place]
    table = place.partition(f".{key}")[0]
    base = BASES[table]
    if table == "mcp.own":
        base = base[key in ("args", "env")]
    said = json.loads(json.dumps({**base, key: value}).replace("{key}", KEY if literal else "secret:key"))
    lines = [
        f"{name} = " + (json.dumps(each) if not isinstance(each, dict) else
                        "{ " + ", ".join(f"{a} = {json.dumps(b)}" for a, b in each.items()) + " }")
        for name, each in said.items()
    ]  # fmt: skip
    done = run(
        tmp_path / "home", "\n".join([f"[{table}]".replace("[exec[1]]", "[[exec]]"), *lines]) + "\n", "config", "check"
    )
    assert KEY not in done.output
    if literal:
        assert done.exit_code == 2
        line = [*said].index(key) + 2
        assert f"config.toml:{line}: {place}: {words}" in done.output
        assert "secrets.toml, and write secret:NAME in its place" in done.output
    else:
        assert done.exit_code == 0, done.output


def test_the_example_and_the_docs_hold_none(tmp_path: Path) -> None:
    from pepper_tui.config import parse_config
    from pepper_tui.config.report import example_text, literal_secrets

    assert list(literal_secrets(parse_config(example_text(), tmp_path / "config.toml"))) == []


@pytest.mark.parametrize(
    ("name", "refused", "refused_in_an_address", "guessed"),
    [
        ("Authorization", True, True, True),
        ("Cookie", True, True, True),
        ("GITHUB_TOKEN", True, True, True),
        ("CLIENT_SECRET", True, True, True),
        ("password", True, True, True),
        ("API_KEY", True, True, True),
        ("api-key", True, True, True),
        ("APIKEY", True, True, True),
        ("passwd", False, True, True),
        ("GOOGLE_APPLICATION_CREDENTIALS", False, True, True),  # names a file
        ("GITHUB_PAT", False, False, True),
        ("X-Auth", False, False, True),
        ("SECRET_NAME", True, True, False),
        ("LOG_LEVEL", False, False, False),
    ],
)
def test_a_name_is_looked_at_for_each_use(name: str, refused: bool, refused_in_an_address: bool, guessed: bool) -> None:
    found = holds_secret(name), parameter_holds_secret(name), may_hold_secret(name)
    assert found == (refused, refused_in_an_address, guessed)
