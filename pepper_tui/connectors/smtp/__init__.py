"""Sending mail by SMTP."""

from pepper_tui.connectors.smtp.outbox import SmtpOutbox

__all__ = ["SmtpOutbox"]
