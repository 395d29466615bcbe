"""What the doctor says of models: each endpoint, fallbacks among them, and the servers of this machine."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pepper_tui.command.cli import app
from pepper_tui.llm.endpoint.local_servers import find_local_models
from pepper_tui.setup.doctor import models as doctor
from tests.llm.server import ModelServer
from tests.llm.test_local_servers import OLLAMA, nowhere, serving


def examined(home: Path, config: str) -> str:
    home.mkdir(mode=0o700, exist_ok=True)
    (home / "config.toml").write_text(config)
    found: Any = CliRunner().invoke(app, ["--home", str(home), "doctor"])
    return str(found.output)


def test_a_fallback_is_asked_too(tmp_path: Path) -> None:
    with ModelServer() as first, ModelServer() as second:
        said = examined(
            tmp_path / "home",
            f"""
[models]
name = "test"
base_url = "{first.url}"
api_key = ""
fallback = "spare"
[models.named.spare]
name = "missing"
base_url = "{second.url}"
""",
        )
    assert f"{first.url}, 1 models; test" in said
    assert "model fallback" in said
    assert f"{second.url}, 1 models, but not missing" in said


def test_without_a_model_those_of_this_machine_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with serving(OLLAMA) as server:
        ports = {**nowhere(), "Ollama": server.port}
        monkeypatch.setattr(doctor, "find_local_models", partial(find_local_models, ports, limit=10.0))
        said = examined(tmp_path / "home", '[[follow]]\nname = "x"\nlook_for = "blockers"\nthread = "x"\n')
    assert f"Ollama at http://127.0.0.1:{server.port}/v1: gemma3:4b" in said
    assert f'base_url = "http://127.0.0.1:{server.port}/v1", name = "gemma3:4b", api_key = ""' in said
    assert "needs a model, and does nothing without one" in said
    assert {path for path, _ in server.seen} == {"/api/tags", "/api/version"}  # greeted, never given work
