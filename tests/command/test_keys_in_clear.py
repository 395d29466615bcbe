"""A secret goes to no other machine unencrypted, and stands in nothing that is printed of a config."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pepper_tui.clock import ManualClock
from pepper_tui.command.cli import app
from pepper_tui.config import ConfigError, Secrets, parse_config
from pepper_tui.config.secret.in_clear import in_clear, is_this_machine, told_command, told_url
from pepper_tui.llm.embedding.endpoint import EndpointEmbedder
from pepper_tui.llm.models import Models, build_models
from pepper_tui.model import ModelError, ModelRequest
from pepper_tui.store import ContextStore
from tests.llm.server import ModelServer

KEY = "sk-planted-7f3a9c51e2"
ROLES = ["scheduler", "worker", "triage", "summary"]


def run(home: Path, config: str, *arguments: str) -> Any:
    home.mkdir(mode=0o700, exist_ok=True)
    (home / "config.toml").write_text(config, encoding="utf-8")
    secrets = home / "secrets.toml"
    secrets.touch(mode=0o600)
    secrets.write_text(f'key = "{KEY}"\n')
    return CliRunner().invoke(app, ["--home", str(home), *arguments])


def smtp(security: str, host: str, secret: bool) -> str:
    user = 'user = "me"\npassword = "secret:key"\n' if secret else ""
    return f'[mail]\naddress = "me@x.org"\n[mail.smtp]\nhost = "{host}"\nsecurity = "{security}"\n{user}'


def models(section: str, url: str, secret: bool) -> str:
    key = f'api_key = "{"secret:key" if secret else ""}"\n'
    head = '[models]\napi_key = ""\n' if section != "models" else ""
    name = 'name = "m"\n' if section != "models" else ""
    return f'{head}[{section}]\n{name}base_url = "{url}"\n{key}'


def mcp_header(url: str, secret: bool) -> str:
    return f'[mcp.own]\nurl = "{url}"\nheaders = {{ A = "{"secret:key" if secret else "b"}" }}\n'


def mcp_url(url: str, secret: bool) -> str:
    return f'[mcp.own]\nurl = "{url}{"?a=secret:key" if secret else ""}"\n'


PLACES = {
    "smtp": lambda scheme, host, secret: smtp("tls" if scheme == "https" else "none", host, secret),
    **{
        section: lambda scheme, host, secret, section=section: models(section, f"{scheme}://{host}/v1", secret)
        for section in ["models", *(f"models.{role}" for role in ROLES), "models.embedding", "models.named.other"]
    },
    "models.headers": lambda scheme, host, secret: (
        f'[models]\napi_key = ""\nbase_url = "{scheme}://{host}/v1"\n'
        + ('headers = { X-Team = "secret:key" }\n' if secret else "")
    ),
    "mcp.headers": lambda scheme, host, secret: mcp_header(f"{scheme}://{host}/mcp", secret),
    "mcp.url": lambda scheme, host, secret: mcp_url(f"{scheme}://{host}/mcp", secret),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("scheme", "host", "secret", "good"),
    [
        ("http", "llm.example.net", True, False),
        ("http", "192.168.1.20", True, False),
        ("http", "127.0.0.1.example.net", True, False),
        ("http", "llm.example.net", False, True),
        ("http", "127.0.0.1", True, True),
        ("http", "localhost", True, True),
        ("https", "llm.example.net", True, True),
    ],
)
def test_a_secret_goes_to_no_other_machine_unencrypted(
    tmp_path: Path, place: str, scheme: str, host: str, secret: bool, good: bool
) -> None:
    done = run(tmp_path / "home", PLACES[place](scheme, host, secret), "config", "check")
    assert (done.exit_code == 0) is good, done.output
    assert KEY not in done.output
    if not good:
        assert f"unencrypted to {host}" in done.output or "unencrypted; use https" in done.output
        assert "https://" in done.output or "tls" in done.output, "the way out is not said"


@pytest.mark.parametrize("role", ["", *ROLES])
async def test_such_a_key_is_refused_at_use_too(tmp_path: Path, role: str) -> None:
    section = f"models.{role}" if role else "models"
    source = models(section, "http://llm.example.net/v1", secret=True)
    run(tmp_path, source, "config", "path")
    config = parse_config(source, tmp_path / "config.toml")
    store = await ContextStore.open(tmp_path / "p.db", ManualClock())
    with pytest.raises(ConfigError, match="unencrypted"):
        build_models(config, store, ManualClock(), Secrets(tmp_path))
    await store.close()


@pytest.mark.parametrize(
    "source",
    [
        '[models.named.x]\nname = "m"\napi_key = "{key}"\n',
        '[models.embedding]\nname = "m"\napi_key = "{key}"\n',
        '[models.worker]\napi_key = "{key}"\n',
        '[models]\napi_key = "{key}"\n',
        '[models]\nbase_url = "https://me:{key}@x.org/v1"\n',
        '[models]\nbase_url = "https://x.org/v1?api_key={key}"\n',
        '[models.named.x]\nname = "m"\nbase_url = "https://x.org/v1?token={key}"\n',
        '[mail]\naddress = "a@b.c"\n[mail.smtp]\nhost = "x"\nuser = "me"\npassword = "{key}"\n',
        '[mcp.own]\nurl = "https://x.org/?access_token={key}"\n',
    ],
)
def test_the_check_tells_a_literal_key_and_does_not_show_it(tmp_path: Path, source: str) -> None:
    done = run(tmp_path / "home", source.replace("{key}", KEY), "config", "check")
    assert done.exit_code == 2, done.output
    assert KEY not in done.output


WHEREVER = {
    "mcp args": '[mcp.own]\ncommand = "true"\nargs = ["--token", "{key}", "--key={key}", "-p{key}", "{key}"]\n',
    "mcp env": '[mcp.own]\ncommand = "true"\nenv = {{ SENTRY = "{key}" }}\n',
    "mcp headers": '[mcp.own]\nurl = "https://x.org/"\nheaders = {{ X-Tenant = "{key}" }}\n',
    "mcp path": '[mcp.own]\nurl = "https://x.org/{key}/mcp"\n',
    "mcp query": '[mcp.own]\nurl = "https://x.org/mcp?tenant={key}"\n',
    "mcp fragment": '[mcp.own]\nurl = "https://x.org/mcp#{key}"\n',
    "base_url": '[models]\nbase_url = "https://x.org/{key}/v1"\n',
    "role's base_url": '[models.worker]\nbase_url = "https://x.org/{key}/v1"\n',
    "named base_url": '[models.named.x]\nname = "m"\nbase_url = "https://x.org/v1?deployment={key}"\n',
    "embedding base_url": '[models.embedding]\nname = "m"\nbase_url = "https://x.org/{key}"\n',
    "api_key": '[models]\napi_key = "{key}"\n',
    "named api_key": '[models.named.x]\nname = "m"\napi_key = "{key}"\n',
    "smtp": '[mail]\naddress = "a@b.c"\n[mail.smtp]\nhost = "127.0.0.1"\nport = 1\npassword = "{key}"\n',
    "model headers": '[models]\nheaders = {{ X-Team = "{key}" }}\n',
    "role's headers": '[models.triage]\nheaders = {{ X-Team = "{key}" }}\n',
    "named headers": '[models.named.x]\nname = "m"\nheaders = {{ X-Team = "{key}" }}\n',
    "extra_body": '[models]\nextra_body = {{ user = "{key}", deep = {{ a = ["{key}"] }} }}\n',
    "named extra_body": '[models.named.x]\nname = "m"\nextra_body = {{ user = "{key}" }}\n',
    "exec command": '[[exec]]\nname = "own"\ncommand = ["true", "{key}", "--t={key}"]\n',
    "exec env": '[[exec]]\nname = "own"\ncommand = "true"\nenv = {{ OTHER = "{key}" }}\n',
    "feed settings": '[[feed]]\nname = "o"\nfile = "own.py"\nsettings = {{ a = "{key}", deep = {{ a = "{key}" }} }}\n',
}


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["uvx", "a-server", "hunter"], "uvx a-server …"),
        (["uvx", "hunter2", "hunter"], "uvx … …"),
        (["true", "--password", "hunter"], "true --password …"),
        (["npx", "-y", "server", "--key=secret:key", "env:TOKEN"], "npx -y … --key=secret:key env:TOKEN"),
        (["python", "/opt/my/server.py", "hunter"], "python …/server.py …"),
    ],
)
def test_of_a_command_only_names_and_flags_are_told(command: list[str], told: str) -> None:
    assert told_command(command) == told


@pytest.mark.parametrize("where", WHEREVER)
@pytest.mark.parametrize("command", [("config", "show"), ("config", "check"), ("doctor",)])
def test_no_secret_is_printed_wherever_it_stands(tmp_path: Path, where: str, command: tuple[str, ...]) -> None:
    source = WHEREVER[where].replace("{{", "{").replace("}}", "}").replace("{key}", KEY)
    source = source.replace("https://x.org", "http://127.0.0.1:1")  # the doctor asks it, and nobody answers there
    done = run(tmp_path / "home", source, *command)
    assert done.output
    assert KEY not in done.output


async def test_a_model_that_does_not_answer_is_told_without_what_may_be_a_secret(tmp_path: Path) -> None:
    store = await ContextStore.open(tmp_path / "p.db", ManualClock())
    url = f"http://127.0.0.1:1/{KEY}/v1?k={KEY}"
    source = f'[models]\nname = "m"\nbase_url = "{url}"\napi_key = ""\nretries = 0\n'
    made = build_models(parse_config(source, tmp_path / "config.toml"), store, ManualClock(), Secrets(tmp_path))
    try:
        with pytest.raises(ModelError) as refused:
            await asked(made)
        assert "127.0.0.1:1" in refused.value.words
        assert KEY not in refused.value.words
    finally:
        await made.close()
        await store.close()


def test_where_vectors_are_from_is_stored_without_what_may_be_a_secret(tmp_path: Path) -> None:
    config = parse_config('[models.embedding]\nname = "m"\n', tmp_path / "config.toml")
    assert config.models.embedding is not None
    url = f"http://127.0.0.1:1/{KEY}/v1?k={KEY}"
    budget: Any = None
    embedder = EndpointEmbedder(
        ManualClock(), config.models.embedding, budget, base_url=url, api_key="", price=None, limits=config.budget
    )
    assert embedder.id.startswith("m at http://127.0.0.1:1/")
    assert KEY not in embedder.id


def test_what_is_no_secret_is_still_shown(tmp_path: Path) -> None:
    source = (
        '[models]\nbase_url = "http://127.0.0.1:8080/api/v1"\napi_key = "env:NONE"\n'
        '[mcp.own]\ncommand = "uvx"\nargs = ["--quiet", "a-server"]\nenv = { A = "secret:key" }\n'
        '[mcp.web]\nurl = "https://x.org/mcp?token=secret:key"\n'
    )
    shown = run(tmp_path / "home", source, "config", "show").output
    for line in (
        'models.base_url = "http://127.0.0.1:8080/api/v1"',
        'models.api_key = "env:NONE"',
        'mcp.own.args = "--quiet …"',
        'mcp.own.env = {"A": "secret:key"}',
        'mcp.web.url = "https://x.org/mcp?token=secret:key"',
    ):
        assert line in shown


def test_a_reference_in_a_url_is_filled_and_quoted(tmp_path: Path) -> None:
    run(tmp_path / "home", "", "config", "path")
    (tmp_path / "home" / "secrets.toml").write_text('key = "a/b&c"\n')
    secrets = Secrets(tmp_path / "home", {"WHO": "me"})
    url = secrets.in_url("https://x.org/secret:key/mcp?who=env:WHO")
    assert url == "https://x.org/a%2Fb%26c/mcp?who=me"
    assert "a%2Fb%26c" in Secrets.given, "no log may hold it"


@pytest.mark.parametrize(
    ("host", "here"),
    [("localhost", True), ("127.8.9.1", True), ("::1", True), ("[::1]", True), ("LOCALHOST.", True),
     ("10.0.0.1", False), ("localhost.example.net", False), ("127.0.0.1.nip.io", False), ("", False),
     ("0x7f.1", False)],
)  # fmt: skip
def test_what_is_this_machine(host: str, here: bool) -> None:
    assert is_this_machine(host) is here


def test_a_url_without_a_scheme_is_not_taken_for_encrypted() -> None:
    assert in_clear("llm.example.net/v1")
    assert in_clear("HTTP://llm.example.net/v1")
    assert not in_clear("HTTPS://llm.example.net/v1")
    assert KEY not in told_url(f"https://x.org:notaport/{KEY}")


async def test_a_key_changed_in_the_file_is_used_without_a_restart(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.toml"
    secrets.touch(mode=0o600)
    secrets.write_text('key = "first-key"\n')
    reply = {"text": "hello"}
    store = await ContextStore.open(tmp_path / "p.db", ManualClock())
    with ModelServer([reply, reply, reply]) as server:
        source = f'[models]\nname = "m"\nbase_url = "{server.url}"\napi_key = "secret:key"\n'
        config = parse_config(source, tmp_path / "config.toml")
        made = build_models(config, store, ManualClock(), Secrets(tmp_path))
        try:
            for key in ("first-key", "other-key"):
                secrets.write_text(f'key = "{key}"\n')
                await asked(made)
                assert server.headers[-1]["authorization"] == f"Bearer {key}"
            secrets.chmod(0o644)
            with pytest.raises(ModelError, match="chmod 600"):
                await asked(made)
        finally:
            await made.close()
            await store.close()


async def asked(made: Models) -> None:
    async for _ in made.stream(ModelRequest("scheduler", [{"role": "user", "content": "hello"}])):
        pass
