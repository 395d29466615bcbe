"""Checks the models: whether each endpoint of a role or a fallback answers, and knows the requested model.

If there is none, the model servers on this machine are listed. They are offered, never used unasked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from pepper_tui.boundary.bounded_http import UNPACKED, TooLargeError, http_client, too_large
from pepper_tui.config import MODEL_ROLES, ConfigError, Secrets
from pepper_tui.config.secret.in_clear import told_url
from pepper_tui.connectors.finding import PATIENCE, Finding, Patient, without
from pepper_tui.llm.endpoint.local_servers import find_local_models
from pepper_tui.llm.routing import Place, embedding_of, fallback_of, first_of

Asked = list[tuple[str, str]]
"""Who uses an endpoint (a role, ``fallback``, ``embedding``), and for which model."""


async def check(patient: Patient) -> AsyncIterator[Finding]:
    """Yield one finding per endpoint; roles that share it with the same key are checked together."""
    models = patient.config.models
    asked: dict[tuple[str, str], Asked] = {}

    def ask(who: str, place: Place | None) -> None:
        if place is not None:
            told = asked.setdefault((place.base_url, place.key), [])
            told += [(who, place.name)] if (who, place.name) not in told else []

    for role in MODEL_ROLES:
        ask(role, first_of(models, role))
        ask("fallback", fallback_of(models, role))
    if patient.config.search.meaning:
        ask("embedding", embedding_of(models))
    findings = await asyncio.gather(*(_endpoint(*key, told, patient.secrets) for key, told in asked.items()))
    for found in findings:
        yield found
    offline = _offline(patient)
    if offline:
        async for found in _local():
            yield found
        for follow in patient.config.conversation:
            yield Finding(
                f"follow {follow.name}", "note", "needs a model, and does nothing without one", "see docs/models.md"
            )


def _offline(patient: Patient) -> bool:
    models = patient.config.models
    places = (first_of(models, "scheduler"), fallback_of(models, "scheduler"))
    try:
        return not any(place and (place.base_url or patient.secrets.value(place.key)) for place in places)
    except ConfigError:
        return False


async def _local() -> AsyncIterator[Finding]:
    for server in await find_local_models():
        names = ", ".join(server.models[:5]) or "it has no model yet"
        name = server.models[0] if server.models else "…"
        remedy = f'to use it, under [models]: base_url = "{server.base_url}", name = "{name}", api_key = ""'
        yield Finding("local models", "note", f"{server.kind} at {server.base_url}: {names}", remedy)


async def _endpoint(url: str, key_name: str, asked: Asked, secrets: Secrets) -> Finding:
    who, names = list(dict.fromkeys(who for who, _ in asked)), {name for _, name in asked}
    if set(MODEL_ROLES) <= set(who):
        who = [each for each in who if each not in MODEL_ROLES]
    part = " ".join(["model", ", ".join(who)]).strip()
    try:
        key = secrets.key_for(key_name, url)
    except ConfigError as error:
        return Finding(part, "trouble", error.problems[0], "see models.api_key in config.example.toml")
    if not url and not key:
        said = f"offline: works by your rules ({key_name} has no value)" if key_name else "offline: works by your rules"
        return Finding(part, "note", said, "for a language model: a key, or models.base_url")
    openai = await asyncio.to_thread(__import__, "openai")
    client = openai.AsyncOpenAI(
        api_key=key or "none", base_url=url or None, timeout=PATIENCE, max_retries=0,
        default_headers=UNPACKED, http_client=http_client(openai, timeout=PATIENCE),
    )  # fmt: skip
    place = told_url(url) if url else "api.openai.com"
    try:
        listed = await client.models.list()
    except (openai.OpenAIError, TooLargeError) as error:
        remedy = "check that it runs, models.base_url, and the key"
        return Finding(part, "trouble", without(f"{place}: {too_large(error) or error}", url, key), remedy)
    finally:
        await client.close()
    known = {str(model.id) for model in listed.data}
    unknown = sorted(name for name in names if not _knows(known, name))
    words = f"{place}, {len(known)} models"
    if unknown and known:
        remedy = f"set models.name to one of: {', '.join(sorted(known)[:8])}{' …' if len(known) > 8 else ''}"
        return Finding(part, "trouble", f"{words}, but not {', '.join(unknown)}", remedy)
    return Finding(part, "ok", f"{words}; {', '.join(sorted(names))}")


def _knows(known: set[str], name: str) -> bool:
    """Check whether a server that lists ``known`` accepts ``name``: Ollama omits a tag, Google adds a prefix."""
    return bool(known & {name, f"{name}:latest", f"models/{name}"})
