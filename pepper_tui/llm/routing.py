"""Resolves a role's primary and fallback model from the config."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pepper_tui import config
from pepper_tui.llm.attempts import DEFAULT_RETRY_POLICY, RetryPolicy


@dataclass(frozen=True, slots=True)
class Place:
    """A model at an endpoint.

    ``key`` names the secret, as in the config; empty for none. ``section`` is the config table whose options override
    those of ``[models]`` for it.
    """

    name: str
    base_url: str
    key: str
    section: str = field(default="models", compare=False)


def first_of(models: config.Models, role: str) -> Place:
    """Return the model of ``role``: its own fields, else those of ``[models]``."""
    own: config.RoleModel = getattr(models, role)
    return _place(models, own.name or models.name, own.base_url, own.api_key, f"models.{role}")


def fallback_of(models: config.Models, role: str) -> Place | None:
    """Return the fallback for ``role`` if its model is unavailable.

    It is a model of ``[models.named]``, that of another role, or another one at the endpoint where the fallback is
    named.
    """
    own: config.RoleModel = getattr(models, role)
    wanted = own.fallback or models.fallback
    if not wanted:
        return None
    if wanted in models.named:
        named = models.named[wanted]
        found = _place(models, named.name, named.base_url, named.api_key, f"models.named.{wanted}")
    elif wanted in config.MODEL_ROLES:
        found = first_of(models, wanted)
    elif own.fallback:
        found = _place(models, wanted, own.base_url, own.api_key, f"models.{role}")
    else:
        found = _place(models, wanted, "", "")
    return found if found != first_of(models, role) else None


def embedding_of(models: config.Models) -> Place | None:
    """Return the endpoint that embeds, ``None`` if the config names none."""
    own = models.embedding
    return _place(models, own.name, own.base_url, own.api_key) if own.name else None


def retry_policy_of(models: config.Models, role: str) -> RetryPolicy:
    """Return the retry policy of ``role``. With a fallback it retries once unless the config says more."""
    own: config.RoleModel = getattr(models, role)
    retries = own.retries if own.retries is not None else models.retries
    if retries is None:
        retries = DEFAULT_RETRY_POLICY.retries if fallback_of(models, role) is None else 1
    return RetryPolicy(retries, own.retry_base or models.retry_base, own.retry_cap or models.retry_cap)


@dataclass(frozen=True, slots=True)
class Options:
    """The config's options for calls at a place.

    ``limit_key`` names the key that sets ``max_tokens``; ``own_limit``: that key is the place's own.
    """

    max_tokens: int
    limit_key: str
    own_limit: bool
    idle_timeout: float | None
    first_byte_timeout: float | None
    reasoning_effort: str
    temperature: float | None
    extra_body: dict[str, Any]
    headers: dict[str, str]


def options_of(models: config.Models, place: Place) -> Options:
    """Return the options of the place's own table, each defaulting to that of ``[models]``.

    Headers and body of ``[models]`` are for its endpoint only: another one gets its own.
    """
    own: config.ModelOptions = models
    if named := _after(place.section, "models.named."):
        own = models.named[named]
    elif role := _after(place.section, "models."):
        own = getattr(models, role)
    same = place.base_url == models.base_url
    own_limit = own is not models and own.max_tokens is not None
    return Options(
        max_tokens=own.max_tokens or models.max_tokens,
        limit_key=f"{place.section if own_limit else 'models'}.max_tokens",
        own_limit=own_limit,
        idle_timeout=own.idle_timeout or models.idle_timeout,
        first_byte_timeout=own.first_byte_timeout or models.first_byte_timeout,
        reasoning_effort=own.reasoning_effort or (models.reasoning_effort if same else ""),
        temperature=own.temperature if own.temperature is not None else models.temperature,
        extra_body={**(models.extra_body if same else {}), **own.extra_body},
        headers={**(models.headers if same else {}), **own.headers},
    )


def _after(text: str, prefix: str) -> str:
    return text.removeprefix(prefix) if text.startswith(prefix) else ""


def _place(models: config.Models, name: str, base_url: str, key: str, section: str = "models") -> Place:
    place = base_url or models.base_url
    # the main key is for the main endpoint; another one gets it only if the config names it there
    return Place(name, place, key or (models.api_key if place == models.base_url else ""), section)
