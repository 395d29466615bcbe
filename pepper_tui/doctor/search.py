"""Search by meaning: whether it is on, and has what it needs. An endpoint is asked with the other models."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pepper_tui.doctor.finding import Finding, Patient, State


async def check(patient: Patient) -> AsyncIterator[Finding]:
    from pepper_tui.llm.offline_embedder import GET_THEM, missing_packages
    from pepper_tui.store.meaning import PART

    search, model = patient.config.search, patient.config.models.embedding
    if PART in patient.health:  # the running engine has said it
        return
    if not search.meaning:
        yield Finding(PART, "note", "off: search goes by words alone", "to turn it on: search.meaning = true")
        return
    missing = missing_packages(["numpy"]) if model.name else missing_packages()
    if missing:
        state: State = "trouble" if model.name else "note"
        yield Finding(PART, state, f"off, not installed: {', '.join(missing)}", GET_THEM)
        return
    yield Finding(PART, "ok", f"by {model.name}" if model.name else "offline, on this machine")
