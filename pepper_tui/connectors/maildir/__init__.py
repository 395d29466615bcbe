"""The Maildir connector: mail from Maildirs, read and filed there."""

from __future__ import annotations

from pepper_tui.config import Mail
from pepper_tui.connectors.connector import Around, Built, Connector
from pepper_tui.connectors.maildir.check import check
from pepper_tui.connectors.maildir.feed import MaildirFeed
from pepper_tui.connectors.maildir.filer import MaildirFiler
from pepper_tui.domains.mail.intake import NAME


def _build(settings: Mail, around: Around) -> Built:
    return Built([MaildirFeed(settings, around.mail)], filers=[MaildirFiler(NAME, settings, around.clock)])


CONNECTOR = Connector(_build, check)
