"""The SMTP connector: sending mail by SMTP."""

from __future__ import annotations

from functools import partial

from pepper_tui.config import Mail
from pepper_tui.connectors.connector import Around, Built, Connector
from pepper_tui.connectors.smtp.check import check
from pepper_tui.connectors.smtp_outbox import SmtpOutbox


def _build(settings: Mail, around: Around) -> Built:
    assert settings.smtp is not None
    around.secrets.value(settings.smtp.password)  # so that an unreadable secret is reported at the start
    password, config = partial(around.secrets.value, settings.smtp.password), around.config
    return Built(outboxes=[SmtpOutbox(config.sender_address, settings.smtp, password, config.user.name)])


CONNECTOR = Connector(_build, check)

__all__ = ["CONNECTOR", "SmtpOutbox"]
