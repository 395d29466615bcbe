"""The Maildir connector: mail from Maildirs, read and filed there."""

from __future__ import annotations

from functools import partial

from pepper_tui.clock import Looks
from pepper_tui.config import Mail
from pepper_tui.connectors.connector import Around, Built, Connector
from pepper_tui.connectors.maildir.check import check
from pepper_tui.connectors.maildir.drafts import MaildirDrafts
from pepper_tui.connectors.maildir.feed import MaildirFeed
from pepper_tui.connectors.maildir.filer import MaildirFiler
from pepper_tui.connectors.maildir.original import original
from pepper_tui.domains.mail.intake.raw_mail import NAME


def _build(settings: Mail, around: Around) -> Built:
    filer = MaildirFiler(NAME, settings, around.clock)
    feed = MaildirFeed(settings, around.mail)
    drafts = MaildirDrafts(NAME, settings, around.clock)
    return Built([feed], filers=[filer], originals=[partial(original, Looks(around.clock))], drafts=[drafts])


CONNECTOR = Connector(_build, check)
