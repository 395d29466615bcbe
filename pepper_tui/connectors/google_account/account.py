"""One account at Google: its calls, with what the user allowed, and where to go when that is not enough.

All parts of it share this, and with it the pace. What the user allowed is read again where it was not enough, so
that a sign-in by another process counts at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from pepper_tui.boundary.secret_keeper import KeeperError, keeper_of
from pepper_tui.clock import Clock, in_thread
from pepper_tui.config import ConfigError, Secrets
from pepper_tui.connectors.google_account.errors import GoogleError, NotAllowedError, SignInError
from pepper_tui.connectors.google_account.service import May
from pepper_tui.connectors.google_account.settings import AtGoogle
from pepper_tui.connectors.google_account.sign_in.grant import Client, Grant, client_of, grant_of, note_wanted
from pepper_tui.connectors.google_account.transport import Ask, Transport

if TYPE_CHECKING:
    from google.oauth2.credentials import Credentials

S = TypeVar("S", bound=AtGoogle)
LOOK_AGAIN: Final = 15.0
"""Seconds between two looks for a new sign-in."""
TRY_AGAIN: Final = 900.0
"""Seconds until one that was not taken is tried again."""


class GoogleAccount(Generic[S]):
    """``ident`` is its id in the config."""

    def __init__(self, ident: str, settings: S, home: Path, secrets: Secrets, clock: Clock) -> None:
        self.ident, self.settings, self.clock = ident, settings, clock
        self._secrets, self._keeper = secrets, keeper_of(home)
        self._transport = Transport(settings.service, self._credentials, clock, settings.api, settings.timeout)
        self._used = ""  # the sign-in of the calls

    @property
    def remedy(self) -> str:
        return f"run: pepper accounts signin {self.ident}"

    async def call(self, command: str, *, urgent: bool = False, match: str = "", **given: Any) -> Any:
        """Return the answer to one command; see ``Transport.call``."""
        try:
            return await self._transport.call(command, urgent=urgent, match=match, **given)
        except (SignInError, NotAllowedError) as error:
            raise self._renewed(error) from error

    async def together(self, asks: Sequence[Ask], *, urgent: bool = False) -> list[Any]:
        """Return the answers to many reads; see ``Transport.together``. Raises ``SignInError``, too."""
        try:
            answers = await self._transport.together(asks, urgent=urgent)
        except (SignInError, NotAllowedError) as error:
            raise self._renewed(error) from error
        for answer in answers:
            if isinstance(answer, SignInError | NotAllowedError):
                raise self._renewed(answer)
        return answers

    async def need(self, may: May) -> None:
        """Raise ``NotAllowedError`` unless the user allowed it. The next sign-in asks for it then."""
        if await in_thread(self._lacks, may):
            words = f"Pepper may not {self.settings.service.words[may]} at {self.settings.address} yet"
            raise NotAllowedError(words, f"{self.remedy}; it asks Google for that")

    async def allowed(self) -> str:
        """Return what the user allowed, in words."""
        grant = await in_thread(self._grant)
        return f"Pepper may {self.settings.service.listed(self._allowed(grant))}" if grant else "not signed in"

    async def another_sign_in(self) -> None:
        """Return once there is another sign-in than the one that was used, or after ``TRY_AGAIN`` seconds."""
        used, until = self._used, self.clock.monotonic() + TRY_AGAIN
        while self.clock.monotonic() < until:
            await self.clock.sleep(LOOK_AGAIN)
            try:
                grant = await in_thread(self._grant)
            except GoogleError:
                continue
            if grant is not None and grant.refresh_token not in ("", used):
                self._transport.renew()
                return

    def _allowed(self, grant: Grant) -> set[May]:
        return self.settings.service.allowed_by(grant.scopes)

    def _renewed(self, error: SignInError | NotAllowedError) -> SignInError | NotAllowedError:
        self._transport.renew()
        return type(error)(error.words, self.remedy)

    # in a thread

    def _credentials(self) -> Credentials:
        client, grant = self._client(), self._grant()
        if grant is None or not grant.refresh_token:
            raise SignInError(f"{self.settings.address} is not signed in to Google", self.remedy)
        self._used = grant.refresh_token
        return credentials(self.settings, client, grant)

    def _client(self) -> Client:
        try:
            return client_of(self.settings, self._secrets)
        except ConfigError as error:
            raise GoogleError(error.problems[0], f"see account {self.ident}, and docs/accounts.md") from None

    def _grant(self) -> Grant | None:
        try:
            return grant_of(self.settings, self._client(), self._keeper)
        except KeeperError as error:
            raise GoogleError(error.words, error.remedy) from None

    def _lacks(self, may: May) -> bool:
        client = self._client()
        grant = self._grant() or Grant(self.settings.address, client.ident, self.settings.api, "")
        if grant.refresh_token != self._used:
            self._transport.renew()
        if may in self._allowed(grant):
            return False
        note_wanted(may, grant, self.settings, self._keeper)
        return True


def credentials(settings: AtGoogle, client: Client, grant: Grant) -> Credentials:
    """Return what signs the calls. Blocking: imports Google's library.

    It is built by hand: ``from_authorized_user_info`` turns to Google's own address, whatever the endpoint.
    """
    from google.oauth2.credentials import Credentials

    made: Credentials = Credentials(  # type: ignore[no-untyped-call]
        None,
        refresh_token=grant.refresh_token,
        token_uri=settings.token_uri,
        client_id=client.ident,
        client_secret=client.secret,
    )
    return made
