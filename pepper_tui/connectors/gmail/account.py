"""One account at Gmail."""

from __future__ import annotations

from pepper_tui.connectors.gmail.settings import Gmail
from pepper_tui.connectors.google_account.account import GoogleAccount

GmailAccount = GoogleAccount[Gmail]
