"""Prices of common models at their own provider, for models that the config sets no price for.

In US dollars per million tokens: input, cached input (0: as input), output. Prices change; ``AS_OF`` gives their date,
and ``models.prices`` of the config takes precedence. They come from the tables of genai-prices 0.2.3, which names the
pages below; they hold only for a provider's own address, not for resellers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from pepper_tui.config import Price

AS_OF: Final = "2026-11-29"
_OPENAI: Final = "api.openai.com"
_DRESS: Final = re.compile(r"^models/|-(?:\d{4}-\d{2}-\d{2}|\d{8}|latest)$")

SOURCES: Final[dict[str, str]] = {
    "api.openai.com": "https://developers.openai.com/api/docs/pricing",
    "api.anthropic.com": "https://www.anthropic.com/pricing#api",
    "generativelanguage.googleapis.com": "https://ai.google.dev/gemini-api/docs/pricing",
    "api.mistral.ai": "https://mistral.ai/pricing/api",
    "api.deepseek.com": "https://api-docs.deepseek.com/quick_start/pricing",
}
"""The page of each provider's prices, by the host of its API."""

PRICES: Final[dict[str, dict[str, tuple[float, float, float]]]] = {
    "api.openai.com": {  # OpenAI
        "gpt-4.1": (2.0, 0.5, 8.0),
        "gpt-4.1-mini": (0.4, 0.1, 1.6),
        "gpt-4.1-nano": (0.1, 0.025, 0.4),
        "gpt-4o": (2.5, 1.25, 10.0),
        "gpt-4o-2024-05-13": (5.0, 0.0, 15.0),
        "gpt-4o-mini": (0.15, 0.075, 0.6),
        "gpt-5": (1.25, 0.125, 10.0),
        "gpt-5-mini": (0.25, 0.025, 2.0),
        "gpt-5-nano": (0.05, 0.005, 0.4),
        "gpt-5-pro": (15.0, 0.0, 120.0),
        "gpt-5.1": (1.25, 0.125, 10.0),
        "gpt-5.2": (1.75, 0.175, 14.0),
        "gpt-5.2-pro": (21.0, 0.0, 168.0),
        "gpt-5.3": (1.75, 0.175, 14.0),
        "gpt-5.4": (2.5, 0.25, 15.0),
        "gpt-5.4-mini": (0.75, 0.075, 4.5),
        "gpt-5.4-nano": (0.2, 0.02, 1.25),
        "gpt-5.4-pro": (30.0, 0.0, 180.0),
        "gpt-5.5": (5.0, 0.5, 30.0),
        "gpt-5.5-pro": (30.0, 0.0, 180.0),
        "gpt-5.6-luna": (0.2, 0.02, 1.2),
        "gpt-5.6-sol": (4.0, 0.4, 20.0),
        "gpt-5.6-terra": (2.0, 0.2, 12.0),
        "gpt-6-astra": (10.0, 1.0, 50.0),
        "gpt-6-luna": (0.1, 0.01, 0.5),
        "gpt-6-sol": (2.0, 0.2, 10.0),
        "gpt-6.1-sol": (2.0, 0.1, 10.0),
        "gpt-6.1-terra": (1.0, 0.05, 5.0),
        "gpt-chat-latest": (5.0, 0.5, 30.0),
        "o1": (15.0, 7.5, 60.0),
        "o3": (2.0, 0.5, 8.0),
        "o3-mini": (1.1, 0.55, 4.4),
        "o3-pro": (20.0, 0.0, 80.0),
        "o4-mini": (1.1, 0.275, 4.4),
    },
    "api.anthropic.com": {  # Anthropic
        "claude-3-5-haiku-latest": (0.8, 0.08, 4.0),
        "claude-3-5-sonnet": (3.0, 0.3, 15.0),
        "claude-3-7-sonnet-latest": (3.0, 0.3, 15.0),
        "claude-3-haiku": (0.25, 0.03, 1.25),
        "claude-3-opus-latest": (15.0, 1.5, 75.0),
        "claude-3-sonnet": (3.0, 0.3, 15.0),
        "claude-fable-5": (10.0, 1.0, 50.0),
        "claude-fable-5-1": (10.0, 0.25, 50.0),
        "claude-fable-5-2": (8.0, 0.2, 40.0),
        "claude-haiku-4-5": (1.0, 0.1, 5.0),
        "claude-haiku-5-5": (0.1, 0.01, 0.5),
        "claude-mythos-5-2": (8.0, 0.2, 40.0),
        "claude-opus-4-0": (15.0, 1.5, 75.0),
        "claude-opus-4-1": (15.0, 1.5, 75.0),
        "claude-opus-4-5": (5.0, 0.5, 25.0),
        "claude-opus-4-6": (5.0, 0.5, 25.0),
        "claude-opus-4-7": (5.0, 0.5, 25.0),
        "claude-opus-4-8": (5.0, 0.5, 25.0),
        "claude-opus-5": (5.0, 0.5, 25.0),
        "claude-opus-5-5": (4.0, 0.2, 20.0),
        "claude-sonnet-4-0": (3.0, 0.3, 15.0),
        "claude-sonnet-4-5": (3.0, 0.3, 15.0),
        "claude-sonnet-4-6": (3.0, 0.3, 15.0),
        "claude-sonnet-5": (2.0, 0.2, 10.0),
        "claude-sonnet-5-5": (2.0, 0.1, 10.0),
    },
    "generativelanguage.googleapis.com": {  # Google; prompts of up to 200,000 tokens
        "gemini-2.0-flash": (0.1, 0.025, 0.4),
        "gemini-2.0-flash-lite": (0.075, 0.0, 0.3),
        "gemini-2.5-flash": (0.3, 0.03, 2.5),
        "gemini-2.5-flash-lite": (0.1, 0.01, 0.4),
        "gemini-2.5-pro": (1.25, 0.125, 10.0),
        "gemini-3-flash-preview": (0.5, 0.05, 3.0),
        "gemini-3.1-flash-lite": (0.25, 0.025, 1.5),
        "gemini-3.1-pro-preview": (2.0, 0.2, 12.0),
        "gemini-3.6-flash": (1.5, 0.15, 7.5),
        "gemini-3.7-flash": (1.5, 0.15, 7.5),
        "gemini-3.8-flash": (1.5, 0.15, 7.5),
        "gemini-4-argon": (4.0, 0.2, 20.0),
    },
    "api.mistral.ai": {  # Mistral
        "codestral": (0.3, 0.0, 0.9),
        "codestral-2508": (0.3, 0.03, 0.9),
        "devstral-2512": (0.4, 0.04, 2.0),
        "devstral-small": (0.1, 0.0, 0.3),
        "magistral-medium": (2.0, 0.0, 5.0),
        "magistral-small": (0.5, 0.0, 1.5),
        "ministral-14b-2512": (0.2, 0.02, 0.2),
        "ministral-3b-2512": (0.1, 0.01, 0.1),
        "ministral-8b": (0.1, 0.0, 0.1),
        "ministral-8b-2512": (0.15, 0.015, 0.15),
        "ministral-8b-latest": (0.15, 0.015, 0.15),
        "mistral-large-2512": (0.5, 0.05, 1.5),
        "mistral-large-4": (0.7, 0.07, 2.1),
        "mistral-medium-3-1": (0.4, 0.04, 2.0),
        "mistral-medium-3-5": (1.5, 0.15, 7.5),
        "mistral-medium-latest": (1.5, 0.15, 7.5),
        "mistral-small-2603": (0.15, 0.015, 0.6),
        "mistral-small-latest": (0.15, 0.015, 0.6),
        "voxtral-small-24b-2507": (0.1, 0.01, 0.4),
        "zai-glm-5-3": (1.4, 0.14, 4.4),
        "zai-glm-5-3-flash": (0.15, 0.03, 0.5),
    },
    "api.deepseek.com": {  # DeepSeek; at its peak hours
        "deepseek-flash": (0.3, 0.006, 1.2),
        "deepseek-v4-flash": (0.3, 0.006, 1.2),
        "deepseek-v4-pro": (1.32, 0.044, 3.96),
    },
}


def price_of(model: str, base_url: str, own: Mapping[str, Price]) -> Price | None:
    """Return the price of ``model`` at ``base_url`` (empty: OpenAI's): the config's ``own``, else that of the table."""
    if model in own:
        return own[model]
    try:
        host = urlsplit(base_url).hostname if base_url else _OPENAI
    except ValueError:
        return None
    table = PRICES.get(host or "", {})
    bare = _DRESS.sub("", _DRESS.sub("", model))
    found = table.get(model) or table.get(bare) or table.get(f"{bare}-latest")
    return Price(input=found[0], cached=found[1], output=found[2]) if found else None
