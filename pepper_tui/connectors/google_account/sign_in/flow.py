"""Signs in to Google, with the browser on this machine or on another one, and signs out.

The address that the user opens is bound to this attempt (state, and PKCE by google-auth-oauthlib). The browser comes
back to a page on this machine; where it runs on another one, the user pastes the address of the page that can't be
shown there. Whichever comes first is taken.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from pepper_tui.boundary.secret_keeper import keeper_of
from pepper_tui.clock import Clock, in_thread
from pepper_tui.config import Secrets
from pepper_tui.config.secret.in_clear import is_this_machine
from pepper_tui.connectors.connector import Talk
from pepper_tui.connectors.google_account.service import May
from pepper_tui.connectors.google_account.settings import AtGoogle
from pepper_tui.connectors.google_account.sign_in.grant import Client, Grant, client_of, grant_of, keep, name_of
from pepper_tui.connectors.google_account.sign_in.landing import Landing, WrongAddressError, code_in
from pepper_tui.connectors.google_account.transport import Transport
from pepper_tui.text import one_line
from pepper_tui.text.errors import PepperError

PATIENCE: Final = 600.0
"""Seconds for the user to sign in at Google."""
SECONDS: Final = 20.0
"""Seconds for an answer to the code."""
_ENVIRONMENT: Final = threading.Lock()


async def sign_in(settings: AtGoogle, home: Path, secrets: Secrets, clock: Clock, talk: Talk) -> str:
    """Sign in, and keep what was allowed. Returns words. Raises ``PepperError``."""
    keeper = keeper_of(home)
    client = await in_thread(client_of, settings, secrets)
    before = await in_thread(grant_of, settings, client, keeper)
    service = settings.service
    wanted: set[May] = {"read", *(before.wanted if before else ())}
    wanted |= service.allowed_by(before.scopes if before else ())
    flow = await in_thread(_flow, settings, client, service.least(wanted))
    landing = Landing()
    try:
        flow.redirect_uri = landing.address
        address, state = await in_thread(_asked, flow, settings)
        landing.expect(state)
        await talk.say(f"Pepper asks Google to let it {service.listed(wanted)}.")
        await talk.open(address)
        code = await _answer(landing, state, clock, talk)
    finally:
        await in_thread(landing.close)
    grant = await in_thread(_grant, flow, code, settings, client)
    allowed = service.allowed_by(grant.scopes)
    if "read" not in allowed:
        await in_thread(_revoke, settings, grant)
        words = f"Google was not allowed to let Pepper {service.words['read']}"
        raise PepperError(words, "sign in again, and tick it")
    await _must_be(settings, client, grant, clock)
    await in_thread(keep, grant, settings, keeper)
    left = wanted - allowed
    return f"Signed in as {grant.address}: Pepper may {service.listed(allowed)}" + (
        f", but not {service.listed(left)}." if left else "."
    )


async def sign_out(settings: AtGoogle, home: Path, secrets: Secrets) -> str:
    """Give back at Google what was allowed, and forget it here. Returns words; Google's failure is one of them."""
    keeper = keeper_of(home)
    client = await in_thread(client_of, settings, secrets)
    grant = await in_thread(grant_of, settings, client, keeper)
    revoked = await in_thread(_revoke, settings, grant) if grant and grant.refresh_token else True
    await in_thread(keeper.remove, name_of(settings))
    if revoked:
        return f"Signed out of {settings.address}."
    return (
        f"The sign-in of {settings.address} is forgotten here, but Google did not answer:"
        " end it at https://myaccount.google.com/connections"
    )


async def _answer(landing: Landing, state: str, clock: Clock, talk: Talk) -> str:
    """Return the code, by the browser or by what the user pastes."""
    pasting = asyncio.ensure_future(_pasted(state, talk))
    over = asyncio.ensure_future(clock.sleep(PATIENCE))
    waits: set[asyncio.Future[Any]] = {landing.answer, pasting, over}
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if landing.answer.done():
            return landing.answer.result()
        if pasting.done():
            return pasting.result()
        raise PepperError("nobody signed in within ten minutes", "try again")
    finally:
        for each in (pasting, over):
            each.cancel()
        await asyncio.gather(pasting, over, return_exceptions=True)
        if landing.answer.done() and not landing.answer.cancelled():
            landing.answer.exception()


async def _pasted(state: str, talk: Talk) -> str:
    words = "If the browser runs on another machine: paste the address of the page that could not be shown"
    while True:
        pasted = await talk.paste(words)
        try:
            return code_in(pasted, state)
        except WrongAddressError as error:
            words = f"{error.words}:"


# in a thread


def _flow(settings: AtGoogle, client: Client, scopes: list[str]) -> Any:
    from google_auth_oauthlib.flow import InstalledAppFlow

    said = {
        "client_id": client.ident,
        "client_secret": client.secret,
        "auth_uri": settings.consent_uri,
        "token_uri": settings.token_uri,
    }
    return InstalledAppFlow.from_client_config({"installed": said}, scopes)


def _asked(flow: Any, settings: AtGoogle) -> tuple[str, str]:
    """Return the address for the user to open, and its state."""
    with _lenient(settings):
        asked = flow.authorization_url(access_type="offline", prompt="consent", login_hint=settings.address)
    return str(asked[0]), str(asked[1])


def _grant(flow: Any, code: str, settings: AtGoogle, client: Client) -> Grant:
    """Redeem the code. Raises ``PepperError``, whose words hold no secret."""
    from oauthlib.oauth2 import OAuth2Error
    from requests import RequestException

    try:
        flow.oauth2session.max_redirects = 0  # code and secret go to this address alone
        with _lenient(settings):
            token = flow.fetch_token(code=code, timeout=SECONDS)
    except OAuth2Error as error:
        raise PepperError(f"Google did not take the sign-in ({one_line(error.error, 80)})", "try again") from None
    except (RequestException, ValueError) as error:
        raise PepperError(f"Google did not answer to the sign-in ({type(error).__name__})", "try again") from None
    scopes = token.get("scope", ())
    refresh = str(token.get("refresh_token") or "")
    Secrets.given.update((refresh, str(token.get("access_token") or "")) if refresh else ())
    if not refresh:
        raise PepperError("Google gave a sign-in that ends in an hour", "try again")
    granted = scopes.split() if isinstance(scopes, str) else list(scopes)
    return Grant(settings.address, client.ident, settings.api, refresh, sorted(map(str, granted)))


@contextlib.contextmanager
def _lenient(settings: AtGoogle) -> Iterator[None]:
    """Let oauthlib take fewer scopes than were asked for, and a server of this machine's without TLS.

    It has no other switch for these than its environment.
    """
    wanted = {"OAUTHLIB_RELAX_TOKEN_SCOPE": "1"}
    host = settings.endpoint.partition("://")[2].partition("/")[0].rpartition(":")[0]
    if settings.endpoint.startswith("http://") and is_this_machine(host):
        wanted["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
    with _ENVIRONMENT:
        before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _revoke(settings: AtGoogle, grant: Grant) -> bool:
    """Return whether Google has taken the grant back, or had it ended before."""
    from pepper_tui.connectors.google_account.wire import Wire

    form = urlencode({"token": grant.refresh_token})
    try:
        answer, _ = Wire([settings.revoke_uri], SECONDS).request(
            settings.revoke_uri, "POST", form, {"content-type": "application/x-www-form-urlencoded"}
        )
    except Exception:  # whatever is wrong on the way, it is told as not answered
        return False
    return int(answer.status) in (200, 400)


# on the loop


async def _must_be(settings: AtGoogle, client: Client, grant: Grant, clock: Clock) -> None:
    """Raise ``PepperError``, and give the grant back, if it is of another account."""
    from pepper_tui.connectors.google_account.account import credentials

    road = Transport(
        settings.service, lambda: credentials(settings, client, grant), clock, settings.api, settings.timeout
    )
    command, given, key = settings.service.whose
    who = str((await road.call(command, urgent=True, **given)).get(key, ""))
    if who.casefold() != settings.address.casefold():
        await in_thread(_revoke, settings, grant)
        words = f"you signed in as {one_line(who, 100)}, and the account is {settings.address}"
        raise PepperError(words, "sign in again, and choose that account at Google")
