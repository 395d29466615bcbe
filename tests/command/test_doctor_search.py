"""What `pepper doctor` says of the search by meaning."""

from __future__ import annotations

from pathlib import Path

import pytest

from pepper_tui.config import Config, EmbeddingModel, Models, Search, Secrets
from pepper_tui.setup.doctor import Finding, Patient
from pepper_tui.setup.doctor.search import check

ENDPOINT = Models(embedding=EmbeddingModel(name="embed", base_url="http://127.0.0.1:1/v1"))
NOWHERE = Models(api_key="", embedding=EmbeddingModel(name="embed"))


@pytest.mark.parametrize(
    ("config", "missing", "state", "words"),
    [
        (Config(), (), "ok", "offline, on this machine"),
        (Config(search=Search(meaning=False)), (), "note", "off: search uses words only"),
        (Config(), ("wordllama",), "note", "off, not installed: wordllama"),
        (Config(models=ENDPOINT), (), "ok", "by embed"),
        (Config(models=NOWHERE), (), "note", "offline, on this machine: there is no endpoint for embed"),
        (Config(models=ENDPOINT), ("numpy",), "trouble", "off, not installed: numpy"),
    ],
)
async def test_search_by_meaning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: Config, missing: tuple[str, ...], state: str, words: str
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name in missing else object())
    [finding] = [found async for found in check(Patient(tmp_path, config, Secrets(tmp_path, {}), {}))]
    assert isinstance(finding, Finding)
    assert (finding.state, finding.detail) == (state, words)
    if missing:
        assert finding.remedy == "pip install 'pepper-tui[meaning]'"
