"""All scenarios: importing this puts each into the table."""

from __future__ import annotations

from tests.evaluation.scenario import TABLE
from tests.evaluation.scenarios import calendar, conversation, mail, memory, times, trust, work

__all__ = ["TABLE", "calendar", "conversation", "mail", "memory", "times", "trust", "work"]
