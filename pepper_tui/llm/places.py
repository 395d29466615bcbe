"""Which model a role asks, and where, as the config says: the first, and the one that stands in for it."""

from __future__ import annotations

from dataclasses import dataclass

from pepper_tui import config
from pepper_tui.llm.attempts import DEFAULT_PATIENCE, Patience


@dataclass(frozen=True, slots=True)
class Place:
    """A model at an endpoint. ``key`` names the secret, as in the config; empty for none."""

    name: str
    base_url: str
    key: str


def first_of(models: config.Models, role: str) -> Place:
    """The model of ``role``: its own fields, else those of ``[models]``."""
    own: config.RoleModel = getattr(models, role)
    return _place(models, own.name or models.name, own.base_url, own.api_key)


def fallback_of(models: config.Models, role: str) -> Place | None:
    """What answers for ``role`` when its model can't be had: a model of ``[models.named]``, that of another role, or
    another one at the endpoint where the fallback is named."""
    own: config.RoleModel = getattr(models, role)
    wanted = own.fallback or models.fallback
    if not wanted:
        return None
    if wanted in models.named:
        named = models.named[wanted]
        found = _place(models, named.name, named.base_url, named.api_key)
    elif wanted in config.MODEL_ROLES:
        found = first_of(models, wanted)
    elif own.fallback:
        found = _place(models, wanted, own.base_url, own.api_key)
    else:
        found = _place(models, wanted, "", "")
    return found if found != first_of(models, role) else None


def embedding_of(models: config.Models) -> Place | None:
    """The endpoint that embeds, ``None`` where the config names none."""
    own = models.embedding
    return _place(models, own.name, own.base_url, own.api_key) if own.name else None


def patience_of(models: config.Models, role: str) -> Patience:
    """How ``role`` waits for its model. With a fallback to go to, it tries again once unless the config says more."""
    own: config.RoleModel = getattr(models, role)
    retries = own.retries if own.retries is not None else models.retries
    if retries is None:
        retries = DEFAULT_PATIENCE.retries if fallback_of(models, role) is None else 1
    return Patience(retries, own.retry_base or models.retry_base, own.retry_cap or models.retry_cap)


def _place(models: config.Models, name: str, base_url: str, key: str) -> Place:
    place = base_url or models.base_url
    # the main key belongs to the main endpoint; another one gets it only where the config names it there
    return Place(name, place, key or (models.api_key if place == models.base_url else ""))
