"""The Maildir connector: mail from Maildirs, read and filed there, and sent by the account's server."""

from __future__ import annotations

from functools import partial

from pepper_tui.clock import Looks
from pepper_tui.config import Mail
from pepper_tui.connectors.connector import Adding, Around, Built, Connector
from pepper_tui.connectors.local_mail import asks, outboxes
from pepper_tui.connectors.maildir.check import check
from pepper_tui.connectors.maildir.drafts import MaildirDrafts
from pepper_tui.connectors.maildir.feed import MaildirFeed
from pepper_tui.connectors.maildir.filer import MaildirFiler
from pepper_tui.connectors.maildir.original import original
from pepper_tui.connectors.maildir.settings import Maildirs, maildirs_of


def _build(said: Mail | Maildirs, around: Around) -> Built:
    settings, holder = maildirs_of(said, around.ident)
    return Built(
        [MaildirFeed(settings, around.mail, holder)],
        filers=[MaildirFiler(settings, around.clock, holder)],
        drafts=[MaildirDrafts(settings, around.clock, holder)],
        originals=[partial(original, Looks(around.clock), holder)],
        outboxes=outboxes(settings, around),
    )


CONNECTOR = Connector(
    _build,
    check,
    Maildirs,
    places=lambda said: maildirs_of(said)[0].paths,
    holds=("mail",),
    adding=Adding("Mail in Maildirs on this machine", asks("The Maildirs, separated by commas")),
)
