"""An account at an IMAP server, whose mail is read, and sent by its SMTP server. docs/accounts.md is for users.

| file | holds |
| --- | --- |
| ``settings.py`` | the keys of the ``[[account]]`` |
| ``credential.py`` | the password, or the token that a program of the user's prints |
| ``wire.py`` ``session.py`` | the bounded connection, and the requests over it; all of it blocks |
| ``link.py`` ``trouble.py`` | the same for the event loop, in threads; failures, in words |
| ``cursor.py`` ``folder.py`` ``feed.py`` | how far a folder was read, reading a folder, and the feed over all folders |
| ``changing.py`` ``filer.py`` | what changes mails at the server, and filing by it |
| ``marks.py`` | the words of servers for marks and uses of folders |
| ``changes.py`` | what became of mails that were read |
| ``outbox.py`` ``sent.py`` | sending, and the copy of what was sent |
| ``drafts.py`` | what is put among the drafts |
| ``original.py`` | the bytes of one mail |
| ``criteria.py`` ``search.py`` | a query in the server's words, and searching there |
| ``check.py`` | what the doctor says |
"""

from __future__ import annotations

from functools import partial

from pepper_tui.connectors.connector import Adding, Around, Built, Connector
from pepper_tui.connectors.imap.check import check
from pepper_tui.connectors.imap.credential import credential
from pepper_tui.connectors.imap.drafts import ImapDrafts
from pepper_tui.connectors.imap.filer import ImapFiler
from pepper_tui.connectors.imap.intake.feed import ImapFeed
from pepper_tui.connectors.imap.original import Originals
from pepper_tui.connectors.imap.outbox import ImapOutbox
from pepper_tui.connectors.imap.search import ImapSearcher
from pepper_tui.connectors.imap.sent import COPIES, SentCopies
from pepper_tui.connectors.imap.settings import Imap
from pepper_tui.connectors.smtp_outbox import SmtpOutbox
from pepper_tui.store.upkeep.retention_rules import Rule


def _build(settings: Imap, around: Around) -> Built:
    password = credential(settings, around.ident, around.home, around.secrets)
    if not settings.token_command:
        password()  # a secret that can't be read is reported at the start
    copies = SentCopies(around.ident, settings, around.home, around.store, around.clock)
    built = Built([ImapFeed(around.ident, settings, password, around.mail, copies)])
    built.filers = [ImapFiler(around.ident, settings, password, around.clock)]
    built.drafts = [ImapDrafts(around.ident, settings, password, around.clock)]
    built.originals = [Originals(around.ident, settings, password, around.clock)]
    built.searchers = [ImapSearcher(around.ident, settings, password, around.clock)]
    if smtp := settings.sending():
        around.secrets.value(smtp.password)
        ca = str(settings.ca or "")
        of_smtp = password if settings.sends_by_token else partial(around.secrets.value, smtp.password)
        section = f"smtp of account {around.ident}"
        sender = SmtpOutbox(settings.address, smtp, of_smtp, around.config.user.name, ca, section)
        built.outboxes = [ImapOutbox(sender, copies)]
    return built


CONNECTOR = Connector(
    _build,
    check,
    Imap,
    retention={COPIES: Rule(days=365, versions=1)},
    holds=("mail",),
    adding=Adding("Mail at a server, by its address (IMAP)"),
)
