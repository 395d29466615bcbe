"""The models: whether each endpoint that a role uses answers, and knows the model that it is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from pepper_tui.config import MODEL_ROLES, ConfigError, Secrets
from pepper_tui.doctor.finding import PATIENCE, Finding, Patient, without


async def check(patient: Patient) -> AsyncIterator[Finding]:
    """One finding an endpoint; the roles that use it with the same key are asked about together."""
    models = patient.config.models
    asked: dict[tuple[str, str], dict[str, str]] = {}
    for role in MODEL_ROLES:
        own = getattr(models, role)
        place = own.base_url or models.base_url
        name = own.api_key or ("" if own.base_url else models.api_key)
        asked.setdefault((place, name), {})[role] = own.name or models.name
    if models.embedding.name and patient.config.search.meaning:
        own = models.embedding
        place, name = own.base_url or models.base_url, own.api_key
        name = name or (models.api_key if place == models.base_url else "")
        asked.setdefault((place, name), {})["embedding"] = own.name
    for found in await asyncio.gather(*(_endpoint(*key, roles, patient.secrets) for key, roles in asked.items())):
        yield found


async def _endpoint(url: str, key_name: str, roles: dict[str, str], secrets: Secrets) -> Finding:
    part = "model " + ", ".join(roles) if len(roles) < len(MODEL_ROLES) else "model"
    try:
        key = secrets.value(key_name)
    except ConfigError as error:
        return Finding(part, "trouble", error.problems[0], "see models.api_key in config.example.toml")
    if not url and not key:
        return Finding(part, "note", "offline: works by your rules", "for a language model: a key, or models.base_url")
    openai = await asyncio.to_thread(__import__, "openai")
    client = openai.AsyncOpenAI(api_key=key or "none", base_url=url or None, timeout=PATIENCE, max_retries=0)
    place = url or "api.openai.com"
    try:
        listed = await client.models.list()
    except openai.OpenAIError as error:
        mend = "check that it runs, models.base_url, and the key"
        return Finding(part, "trouble", without(f"{place}: {error}", key), mend)
    finally:
        await client.close()
    known = {str(model.id) for model in listed.data}
    unknown = sorted(name for name in set(roles.values()) if not _knows(known, name))
    words = f"{place}, {len(known)} models"
    if unknown and known:
        mend = f"set models.name to one of: {', '.join(sorted(known)[:8])}{' …' if len(known) > 8 else ''}"
        return Finding(part, "trouble", f"{words}, but not {', '.join(unknown)}", mend)
    return Finding(part, "ok", f"{words}; {', '.join(sorted(set(roles.values())))}")


def _knows(known: set[str], name: str) -> bool:
    """Whether a server that lists ``known`` answers to ``name``: Ollama leaves out a tag, Google puts a word before."""
    return bool(known & {name, f"{name}:latest", f"models/{name}"})
