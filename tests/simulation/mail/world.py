"""What happens in a world to the mail of its account: letters, the user's other program, outages, storms, signing in.

Every second world has an account. All of it is drawn from a stream of its own, so that worlds without one are as they
would be.
"""

from __future__ import annotations

import json
import os
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from pepper_tui.config import Account as AccountConfig
from pepper_tui.config import Config, Rule
from pepper_tui.connectors.google_account import account as google_account
from pepper_tui.connectors.google_account.sign_in.grant import Grant
from pepper_tui.connectors.imap.connection.wire import Wire as ImapWire
from pepper_tui.connectors.imap.sent import SentCopies
from tests.google.sign_in import CLIENT
from tests.simulation.mail.account import ADDRESS, Account, Surroundings
from tests.simulation.mail.google import SECRET, URL, GmailAccount
from tests.simulation.mail.imap import PASSWORD, ImapAccount

if TYPE_CHECKING:
    from tests.simulation.outside import Outside

KINDS: Final = ("", "", "imap", "gmail")
ACTS: Final = (
    ("letter",) * 8 + ("thread_letter",) * 3 + ("elsewhere",) * 4 + ("outage", "outage", "storm")
    + ("sign_in_lost", "counts_anew", "unseen")
    + ("file",) * 6 + ("approve_post",) * 8 + ("say", "undo", "undo", "answer", "restart")
)  # fmt: skip
STORY: Final = (("carded_letter", 1.0), ("approve_post", 200.0), ("elsewhere", 20.0), ("unseen", 60.0))
"""What happens at last in most worlds with an account, each so many seconds after the last."""
TOLD: Final = 0.85
"""How probable each part of it is."""
DEEDS: Final = ("read", "answered", "moved", "deleted")
TELLS_WITHIN: Final = 450.0
"""Seconds after which an account whose server is closed is told to be in trouble."""


class MailWorld:
    """``wrong`` says what does not hold; ``health`` returns the state of the account's feed as it is told."""

    def __init__(self, seed: int, outside: Outside, elapsed: Callable[[], float], kill: Callable[[], None]) -> None:
        self.chance = random.Random(f"mail {seed}")
        self._outside, self._elapsed = outside, elapsed
        self._latest = 0.0
        self.deeds: dict[str, list[str]] = defaultdict(list)  # by Message-ID
        self.renumbered = 0
        self._files: dict[str, str] = {}  # of the home: the copies that are to be kept
        self.wrong: Callable[[str], None] = lambda words: None
        self.carded: Callable[[], set[str]] = set  # the Message-IDs of mails with open cards
        self.health: Callable[[], str] = lambda: ""
        self._signed_out = False
        around = Surroundings(self.chance, self._server_time, elapsed, kill, self._left)
        kind = self.chance.choice(KINDS)
        self.account: Account | None = {"imap": ImapAccount, "gmail": GmailAccount}[kind](around) if kind else None
        outside.on_mail = self._passed_on

    def _server_time(self) -> float:
        """A server's clock does not jump back with that of the user's machine."""
        self._latest = max(self._latest, self._outside.now())
        return self._latest

    def _left(self, recipients: Sequence[str], message: bytes) -> None:
        self._outside.left(recipients, message)

    def _passed_on(self, sender: str, message: str) -> None:
        if self.account is not None and sender == ADDRESS:
            self.account.passes_on(message.encode())

    def in_config(self, config: Config) -> Config:
        if self.account is None:
            return config
        account = AccountConfig.model_validate(self.account.config)
        drafts = [Rule(name="post of work", words=["lunch", "invoice"], draft="short")]
        rules = [*config.rule, *(drafts if self.chance.random() < 0.9 else ())]
        return config.model_copy(update={"account": [account], "rule": rules})

    def among(self, acts: list[tuple[str, float, str]]) -> list[tuple[str, float, str]]:
        """Return the acts with some of the account's among them."""
        if self.account is None:
            return acts
        chance, found = self.chance, [*acts]
        for _ in range(chance.choice((4, 8, 14))):
            seconds = chance.choice((0.0, 0.05, 1.0, 30.0, 150.0))
            found.insert(chance.randrange(len(found) + 1), ("seconds", seconds, f"mail {chance.choice(ACTS)}"))
        story = [("seconds", seconds, f"mail {name}") for name, seconds in STORY if chance.random() < TOLD]
        return [("seconds", 0.0, "mail letter"), *found, *story]

    # ------------------------------------------------------------------------------------------- acts of the world

    def happens(self, name: str) -> bool:
        """Let it happen; false if it is no act of the world."""
        act = getattr(self, f"_act_{name}", None)
        if act is None or self.account is None:
            return False
        if self._signed_out and self.chance.random() < 0.3:
            self._sign_in()
        act(self.account)
        return True

    def _act_letter(self, account: Account) -> None:
        for _ in range(self.chance.choice((1, 1, 1, 2, 5))):
            account.deliver(self._outside.new_mail(to=ADDRESS))

    def _act_carded_letter(self, account: Account) -> None:
        """One that a VIP writes and the user's rule drafts an answer to."""
        about = self.chance.choice(("Lunch", "Invoice"))
        account.deliver(self._outside.new_mail("Boss <vip@boss.example>", about, to=ADDRESS))

    def _act_thread_letter(self, account: Account) -> None:
        how = self.chance.choice(("party", "stranger", "automatic", "second"))
        if (source := self._outside.next_in_thread(how)) is not None:
            account.deliver(source)

    def _act_elsewhere(self, account: Account) -> None:
        inbox = account.folders["inbox"]
        there = [ident for ident, copies in account.lying().items() if any(each.folder == inbox for each in copies)]
        carded = [ident for ident in there if ident in self.carded()]
        if there:
            ident = self.chance.choice(carded if carded and self.chance.random() < 0.7 else there)
            deed = self.chance.choice(DEEDS)
            if account.elsewhere(ident, deed):
                self.deeds[ident].append(deed)

    def _act_outage(self, account: Account) -> None:
        road, lasts = account.road, self.chance.choice((5.0, 60.0, 600.0))
        road.closed_until = self._elapsed() + lasts
        road.closed_silently = self.chance.random() < 0.5
        if lasts > TELLS_WITHIN and (loop := self._outside.loop()) is not None:
            loop.call_later(TELLS_WITHIN, self._must_be_told, road.closed_until)

    def _must_be_told(self, until: float) -> None:
        account = self.account
        if account is not None and account.road.closed_until == until and self.health() == "ok":
            self.wrong(f"the server has been closed for {TELLS_WITHIN:g} s, and the account's health is ok")

    def _act_storm(self, account: Account) -> None:
        account.storm()

    def _act_sign_in_lost(self, account: Account) -> None:
        self._signed_out = account.loses_sign_in() > 0

    def _act_counts_anew(self, account: Account) -> None:
        self.renumbered += 1
        account.counts_anew()

    def _act_unseen(self, account: Account) -> None:
        """What is done elsewhere is told by nothing but a look at all."""
        for _ in range(self.chance.choice((1, 2))):
            self._act_elsewhere(account)
        self._act_counts_anew(account)

    def _sign_in(self) -> None:
        self._signed_out = False
        if isinstance(self.account, GmailAccount):
            self.account.sign_in()

    def calm(self) -> None:
        if self.account is not None:
            self.account.calm()

    # ------------------------------------------------------------------------------------------- the edges

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Put the account below the sockets of this process, until the end of the block."""
        account = self.account
        if account is None:
            yield
            return
        # after the check above, so that worlds without an account do not pay for Google's libraries
        import httplib2

        def dial(connection: Any) -> None:
            assert isinstance(account, GmailAccount)
            connection.sock = account.connect()

        def create(wire: Any, timeout: float) -> Any:
            assert isinstance(account, ImapAccount)
            return account.connect()

        with (
            patch.dict(os.environ, {PASSWORD: "p", SECRET: CLIENT["client_secret"]}),
            patch.object(httplib2.HTTPConnectionWithTimeout, "connect", dial),
            patch.object(ImapWire, "_create_socket", create),
            patch.object(google_account, "keeper_of", lambda home: self),
            patch.multiple(SentCopies, **self._kept_files()),
        ):
            yield

    def read(self, name: str) -> str | None:
        """Return what the user allowed, as the keeper of secrets."""
        assert isinstance(self.account, GmailAccount)
        held = self.account.grant
        grant = Grant(ADDRESS, CLIENT["client_id"], URL, held["refresh_token"], list(held["scopes"]))
        return json.dumps(grant.data())

    def write(self, name: str, value: str) -> None:
        raise AssertionError("all was allowed")

    def _kept_files(self) -> dict[str, Any]:
        """Return what replaces the files of the home, which all processes of a run would share."""
        files = self._files

        class Place:
            def __init__(self, copies: SentCopies, message_id: str) -> None:
                self._ident = message_id

            def unlink(self, missing_ok: bool = False) -> None:
                files.pop(self._ident, None)

        def write(copies: SentCopies, message_id: str, message: str) -> None:
            files[message_id] = message

        def read(copies: SentCopies, message_id: str) -> bytes:
            return files.get(message_id, "").encode()

        return {"_write": write, "_read": read, "_path": Place}
