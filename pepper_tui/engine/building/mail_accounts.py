"""The accounts that mail is written from, as the config names them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pepper_tui.config import Config
from pepper_tui.config.identities import Identity
from pepper_tui.domains.mail.outbox import Outbox
from pepper_tui.domains.mail.writing.accounts import MailAccount, MailAccounts


def mail_accounts(config: Config, senders: Mapping[str, Outbox], others: Collection[str] = ()) -> MailAccounts:
    """Return the accounts with their identities; ``senders`` are the outboxes by account.

    ``others`` are the ids of accounts that are none of mail: their addresses are the user's, and no more.
    ``[mail.smtp]`` also writes as those of ``user.addresses`` that no account holds.
    """
    mail, found, held = config.mail, [], set[str]()
    for account in config.account:
        if account.id in others:
            continue
        signature = account.own.get("signature")
        identities = _full(config, account.identities, signature if isinstance(signature, str) else "")
        held |= {each.address.lower() for each in identities}
        if identities:
            found.append(MailAccount(account.id, identities, senders.get(account.id)))
    if "" in senders:
        own = [each for each in config.user.addresses if each.lower() not in held]
        said = [Identity(address=config.sender_address), *mail.identities, *(Identity(address=each) for each in own)]
        found.insert(0, MailAccount("", _full(config, said, mail.signature), senders[""]))
    return MailAccounts(found, mail.address, config.own_addresses)


def _full(config: Config, said: Sequence[Identity], signature: str) -> list[Identity]:
    """Return the identities once each, with the name and signature of those that have none of their own."""
    found: dict[str, Identity] = {}
    for each in said:
        first = found.get(each.address.lower(), each)
        name, below = first.name or each.name, first.signature or each.signature
        found[each.address.lower()] = Identity(address=first.address, name=name, signature=below)
    return [
        Identity(address=each.address, name=each.name or config.user.name, signature=each.signature or signature)
        for each in found.values()
    ]
