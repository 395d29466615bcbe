"""Run ids: derived from the delegate call that the run answers, so a call that runs again finds its run."""

from __future__ import annotations


def run_id(call_id: str) -> str:
    """Return the id of the run that answers a delegate call."""
    return f"run_{call_id}"
