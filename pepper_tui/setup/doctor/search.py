"""Checks search by meaning: whether it is on, and has what it needs. An endpoint is checked with the models."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pepper_tui.config import ConfigError
from pepper_tui.connectors.finding import Finding, Patient, State


async def check(patient: Patient) -> AsyncIterator[Finding]:
    from pepper_tui.llm.embedding.local import GET_THEM, missing_packages
    from pepper_tui.llm.routing import embedding_of
    from pepper_tui.store.search.meaning import PART

    search, place = patient.config.search, embedding_of(patient.config.models)
    if PART in patient.health:  # the running engine has reported it
        return
    if not search.meaning:
        yield Finding(PART, "note", "off: search uses words only", "to turn it on: search.meaning = true")
        return
    try:
        named = place is not None and bool(place.base_url or patient.secrets.value(place.key))
    except ConfigError:  # reported with the models
        named = True
    missing = missing_packages(["numpy"]) if named else missing_packages()
    if missing:
        state: State = "trouble" if named else "note"
        yield Finding(PART, state, f"off, not installed: {', '.join(missing)}", GET_THEM)
        return
    if place is not None and not named:
        remedy = "give models.embedding a base_url or an api_key, or remove its name"
        yield Finding(PART, "note", f"offline, on this machine: there is no endpoint for {place.name}", remedy)
        return
    yield Finding(PART, "ok", f"by {place.name}" if place is not None else "offline, on this machine")
