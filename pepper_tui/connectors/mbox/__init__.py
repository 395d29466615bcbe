"""The mbox connector: mail from mbox files, and sent by the account's server."""

from __future__ import annotations

from pepper_tui.config import Mail
from pepper_tui.connectors.connector import Adding, Around, Built, Connector
from pepper_tui.connectors.local_mail import asks, outboxes
from pepper_tui.connectors.mbox.check import check
from pepper_tui.connectors.mbox.feed import MboxFeed
from pepper_tui.connectors.mbox.settings import MboxFiles, mbox_files_of


def _build(said: Mail | MboxFiles, around: Around) -> Built:
    settings, holder = mbox_files_of(said, around.ident)
    return Built([MboxFeed(settings, around.mail, holder)], outboxes=outboxes(settings, around))


CONNECTOR = Connector(
    _build,
    check,
    MboxFiles,
    places=lambda said: mbox_files_of(said)[0].paths,
    holds=("mail",),
    adding=Adding("Mail in mbox files on this machine", asks("The files, separated by commas")),
)
