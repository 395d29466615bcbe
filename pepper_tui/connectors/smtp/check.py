"""Checks that the sending server answers, and accepts user and password."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

from pepper_tui.config import Mail
from pepper_tui.connectors.finding import Finding, Patient
from pepper_tui.connectors.smtp_check import smtp_finding


async def check(settings: Mail, patient: Patient) -> AsyncIterator[Finding]:
    if settings.smtp is not None:
        yield await smtp_finding(
            "sending", settings.smtp, partial(patient.secrets.value, settings.smtp.password), "[mail.smtp]"
        )
