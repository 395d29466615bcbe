"""From which of the user's identities a mail is written, and which account sends it.

An answer comes from the identity that was written to. An account that can't send is never replaced by another in
silence: it is an error that says what to do, or, for an address that no account holds, a warning on the card.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pepper_tui.config import SECTION_IDS
from pepper_tui.config.identities import Identity
from pepper_tui.domains.mail.content.mailboxes import parse_address
from pepper_tui.domains.mail.outbox import Outbox
from pepper_tui.text import one_line
from pepper_tui.text.addresses import canonical, compared
from pepper_tui.tools.errors import ToolError

NOT_SET_UP: Final = "no way to send is configured; give an account a server to send by (smtp)"


_LOCAL: Final = ("", *SECTION_IDS)
"""The ids under which the account of ``[mail]`` may be known, the first one first."""


@dataclass(frozen=True, slots=True)
class MailAccount:
    """An account and the identities that it holds, its own first.

    ``ident`` is its id, as in the ``account`` of ``raw.mail``: empty for ``[mail]``; ``mail`` or ``mbox``
    stands in its place once the config was upgraded. Without ``outbox`` it can't send.
    """

    ident: str
    identities: Sequence[Identity]
    outbox: Outbox | None = None

    @property
    def words(self) -> str:
        return f"account {self.ident}" if self.ident else "[mail]"

    @property
    def remedy(self) -> str:
        return f"give account {self.ident} a server to send by" if self.ident else "set mail.smtp"


@dataclass(frozen=True, slots=True)
class Writer:
    """An identity of the user's and the account that sends for it. ``warning``: why it isn't the one expected."""

    account: MailAccount
    identity: Identity
    warning: str = ""

    @property
    def words(self) -> str:
        """Name and address, in one line."""
        name, address = self.identity.name, self.identity.address
        return f"{one_line(name, 80)} <{address}>" if name else address

    @property
    def outbox(self) -> Outbox:
        assert self.account.outbox is not None
        return self.account.outbox


class MailAccounts:
    """All accounts. ``default`` is the address that new mail is written from; empty: that of the first that can send.

    ``own``: all addresses of the user's, also those that no account holds.
    """

    def __init__(self, accounts: Sequence[MailAccount] = (), default: str = "", own: Sequence[str] = ()) -> None:
        self._accounts, self._default = accounts, default
        self._local = next((each for each in _LOCAL if any(account.ident == each for account in accounts)), "")
        held = [identity.address for account in accounts for identity in account.identities]
        self._own = frozenset(map(compared, [*own, *held]))

    @classmethod
    def of(cls, outbox: Outbox) -> MailAccounts:
        """Return the accounts of a user with one, whose only identity is that of ``outbox``."""
        return cls([MailAccount("", [Identity(address=outbox.address, name=outbox.name)], outbox)])

    @property
    def choices(self) -> list[str]:
        """The addresses that can be written from."""
        return list(dict.fromkeys(identity.address for account, identity in self._held() if account.outbox))

    def is_own(self, address: str) -> bool:
        """Check whether ``address`` is the user's, also with a tag (``alex+shop@example.com``)."""
        return compared(address) in self._own or _untagged(address) in self._own

    def default(self) -> Writer:
        """Return who writes a new mail. Raises ``ToolError``."""
        if self._default:
            return self.named(self._default)
        first = next((Writer(each, each.identities[0]) for each in self._accounts if each.outbox), None)
        if first is None:
            raise ToolError(NOT_SET_UP)
        return first

    def named(self, said: str, prefer: str = "") -> Writer:
        """Return who writes as ``said``, one of the user's addresses. Raises ``ToolError`` for any other."""
        one = parse_address(said)
        plain = canonical(one.address) if one else None
        if plain is None:
            raise ToolError(f"'sender': {one_line(said, 80)!r} is not an address; {self._offer()}")
        found = self._holder(compared(plain), self._now(prefer))
        if isinstance(found, Writer):
            return found
        if found is not None:
            raise ToolError(f"{plain} is of {found.words}, which can't send; {found.remedy}; {self._offer()}")
        raise ToolError(f"{plain} is no address that you write from; {self._offer()}")

    def answering(self, mail: Mapping[str, Any]) -> Writer:
        """Return who answers ``mail``: the identity that it was sent to, or that sent it, else its account's own.

        Raises ``ToolError`` if that can't send.
        """
        came_by = self._now(str(mail.get("account") or ""))
        unheld, silent = "", None
        for address in self._own_of(mail):
            found = self._holder(compared(address), came_by) or self._holder(_untagged(address), came_by)
            if isinstance(found, Writer):
                return found
            silent, unheld = silent or found, unheld or address
        if silent is None and came_by:
            its = next((each for each in self._accounts if each.ident == came_by and each.identities), None)
            if its is not None and its.outbox is not None:
                return Writer(its, its.identities[0], _elsewhere(unheld))
            silent = its
        if silent is not None:
            what = f"the mail is of {silent.words}, which can't send"
            raise ToolError(f"{what}; {silent.remedy}, or name a 'sender'; {self._offer()}")
        writer = self.default()
        return Writer(writer.account, writer.identity, _elsewhere(unheld))

    def through(self, ident: str | None, address: str) -> Writer | None:
        """Return who writes as ``address`` by the account ``ident``, if that is still possible.

        Without ``ident`` (a card of an older version), by whichever account holds it.
        """
        if ident is None:
            found = self._holder(compared(address), "")
            return found if isinstance(found, Writer) else None
        for account, identity in self._held():
            if account.ident == self._now(ident) and account.outbox and compared(identity.address) == compared(address):
                return Writer(account, identity)
        return None

    def _now(self, ident: str) -> str:
        """Return the id that an account has now: ``[mail]`` has another once the config was upgraded, or put back."""
        if ident not in _LOCAL or any(account.ident == ident for account in self._accounts):
            return ident
        return self._local

    def _held(self) -> Iterator[tuple[MailAccount, Identity]]:
        for account in self._accounts:
            for identity in account.identities:
                yield account, identity

    def _holder(self, address: str, prefer: str) -> Writer | MailAccount | None:
        """Return who writes as ``address``, by the account ``prefer`` if it can; else an account that can't send."""
        found = [(account, each) for account, each in self._held() if compared(each.address) == address]
        able = [Writer(account, each) for account, each in found if account.outbox]
        able.sort(key=lambda writer: writer.account.ident != prefer)
        if able:
            return able[0]
        return found[0][0] if found else None

    def _own_of(self, mail: Mapping[str, Any]) -> list[str]:
        """Return which of the user's addresses sent ``mail``, or got it: those named first, then where it was put."""
        sender = str((mail.get("sender") or {}).get("address") or "")
        if self.is_own(sender):
            return [sender]
        named = [str(one.get("address") or "") for key in ("to", "cc") for one in mail.get(key) or ()]
        return [each for each in [*named, *map(str, mail.get("delivered_to") or ())] if self.is_own(each)]

    def _offer(self) -> str:
        return f"you can write from: {', '.join(self.choices)}" if self.choices else NOT_SET_UP


def _elsewhere(address: str) -> str:
    return f"it came to {one_line(address, 80)}, which no account of yours sends from" if address else ""


def _untagged(address: str) -> str:
    """Return ``address`` for comparison, without a tag (RFC 5233: ``alex+shop@example.com``)."""
    local, _, domain = compared(address).rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"
