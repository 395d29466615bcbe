"""How a run is named: after the delegate call that it answers, so a call that runs again finds its run."""

from __future__ import annotations


def run_id(call_id: str) -> str:
    """The id of the run that answers a delegate call."""
    return f"run_{call_id}"
