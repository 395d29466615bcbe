"""An account at Gmail, by its API. docs/accounts.md is for users.

| file | holds |
| --- | --- |
| ``settings.py`` | the keys of the ``[[account]]`` |
| ``service.py`` ``account.py`` | its commands and their prices, and what the user may allow; the account |
| ``labels.py`` | what Gmail's labels say of a mail |
| ``intake/`` | how its mail comes in: what is there, what changes, the feed |
| ``outbox.py`` ``drafts.py`` | sending by a draft, and what becomes of drafts |
| ``filer.py`` | filing by labels |
| ``kept_drafts.py`` | drafts that stay, for the user to go on with |
| ``query.py`` ``search.py`` | a query in Google's words, and searching there |
| ``check.py`` | what the doctor says |

Signing in, and each call, are of ``google_account/``.
"""

from __future__ import annotations

from pepper_tui.connectors.connector import Adding, Around, Asked, Built, Connector
from pepper_tui.connectors.gmail.account import GmailAccount
from pepper_tui.connectors.gmail.check import check
from pepper_tui.connectors.gmail.drafts import DRAFTS, Drafts
from pepper_tui.connectors.gmail.filer import GmailFiler
from pepper_tui.connectors.gmail.intake.feed import GmailFeed
from pepper_tui.connectors.gmail.intake.original import GmailOriginals
from pepper_tui.connectors.gmail.kept_drafts import GmailDrafts
from pepper_tui.connectors.gmail.outbox import GmailOutbox
from pepper_tui.connectors.gmail.search import GmailSearcher
from pepper_tui.connectors.gmail.settings import Gmail
from pepper_tui.connectors.google_account.signing import sign_in, sign_out
from pepper_tui.store.upkeep.retention_rules import Rule


def _build(settings: Gmail, around: Around) -> Built:
    around.secrets.value(settings.client_secret)  # a secret that can't be read is reported at the start
    account = GmailAccount(around.ident, settings, around.home, around.secrets, around.clock)
    drafts = Drafts(account, around.store)
    return Built(
        [GmailFeed(account, drafts, around.mail)],
        outboxes=[GmailOutbox(account, drafts, around.config.user.name)],
        filers=[GmailFiler(account)],
        drafts=[GmailDrafts(account)],
        originals=[GmailOriginals(account)],
        searchers=[GmailSearcher(account, around.clock)],
    )


CONNECTOR = Connector(
    _build,
    check,
    Gmail,
    sign_in=sign_in,
    sign_out=sign_out,
    retention={DRAFTS: Rule(days=365, versions=1)},
    holds=("mail",),
    adding=Adding(
        "Mail at Gmail, by its API; you sign in in your browser",
        (
            Asked("address", "Your address there"),
            Asked("client_file", "File of your client, as Google's console gave it", unless="client_id"),
        ),
        hint="It needs a client of your own at Google: docs/accounts.md says how to get one.",
    ),
)
