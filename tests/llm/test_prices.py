"""The built-in prices: dated, with their pages, for a provider's own address only; the config goes first."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pepper_tui import config
from pepper_tui.clock import ManualClock
from pepper_tui.llm import build_models
from pepper_tui.llm.budget import cost_of
from pepper_tui.llm.client import Measure
from pepper_tui.llm.prices import AS_OF, PRICES, SOURCES, price_of
from pepper_tui.model import Completed, ModelRequest, Usage
from pepper_tui.store import ContextStore
from tests.llm.server import ModelServer

GOOGLE = "https://generativelanguage.googleapis.com/v1beta/openai/"


def test_the_table_is_dated_and_each_provider_names_its_page() -> None:
    assert date.fromisoformat(AS_OF)
    assert SOURCES.keys() == PRICES.keys()
    assert all(url.startswith("https://") for url in SOURCES.values())
    for table in PRICES.values():
        for fresh, cached, answer in table.values():
            assert 0 <= cached <= fresh <= answer


@pytest.mark.parametrize(
    ("model", "base_url", "known"),
    [
        ("gpt-5-mini", "", True),
        ("gpt-5-mini-2025-08-07", "https://api.openai.com/v1", True),
        ("gpt-5-mini", "https://openrouter.ai/api/v1", False),
        ("gpt-5-mini", "http://127.0.0.1:11434/v1", False),
        ("claude-sonnet-4-5-20250929", "https://api.anthropic.com/v1/", True),
        ("models/gemini-2.5-flash", GOOGLE, True),
        ("mistral-small-latest", "https://api.mistral.ai/v1", True),
        ("qwen3:8b", "", False),
        ("gpt-5-mini", "http://[", False),
    ],
)
def test_a_price_holds_at_the_providers_own_address(model: str, base_url: str, known: bool) -> None:
    found = price_of(model, base_url, {})
    assert (found is not None) is known
    own = config.Price(input=7.0, output=9.0)
    assert price_of(model, base_url, {model: own}) is own


def test_the_default_model_has_a_price_and_cached_tokens_have_theirs() -> None:
    price = price_of(config.Models().name, config.Models().base_url, {})
    assert price is not None
    assert cost_of(Usage("m", "scheduler", 1_000_000, 1_000_000, 0, 0.0, 0.0), price) == pytest.approx(price.cached)
    assert price.cached < price.input


def test_a_prompt_is_reserved_as_what_it_is_likely_to_be() -> None:
    measure = Measure()
    assert measure.of(4400) < 2000  # a byte is no token
    for _ in range(3):
        measure.learn(4400, 1000)
    assert 1000 <= measure.of(4400) <= 1300
    measure.learn(4400, 4000)  # dense text: at once
    assert measure.of(4400) >= 4000
    measure.learn(0, 0)
    assert measure.of(100) <= 100


async def test_cached_tokens_count_at_a_share_of_the_token_cap(store: ContextStore, clock: ManualClock) -> None:
    told = {"prompt_tokens": 1000, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 900}}
    with ModelServer(default={"text": "ok", "usage": {**told, "total_tokens": 1010}}) as server:
        settings = config.Config.model_validate(
            {
                "models": {"name": "m", "base_url": server.url, "api_key": "", "max_tokens": 100},
                "budget": {"daily_tokens": 1500, "chat_reserve": 0.0},
            }
        )
        models = build_models(settings, store, clock, config.Secrets(Path("/nonexistent"), {}))
        request = ModelRequest("scheduler", [{"role": "user", "content": "x" * 400}])
        for _ in range(4):  # each is 200: 100 fresh, 90 for 900 cached, 10 of the answer
            events = [event async for event in models.stream(request)]
            assert isinstance(events[-1], Completed)
        assert models.today().tokens == 4 * 1010  # what is told is what was used
        await models.close()
