"""What the user allowed at the sign-in, as the keeper of secrets holds it, and the client that asks for it.

The grant is bound to address, client and server: it is never used for another. All of it blocks.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pepper_tui.boundary.plain_file import plain_text
from pepper_tui.boundary.secret_keeper import SecretKeeper
from pepper_tui.config import ConfigError, Secrets
from pepper_tui.connectors.google_account.service import May
from pepper_tui.connectors.google_account.settings import AtGoogle
from pepper_tui.model import Record

HOW: Final = "docs/accounts.md says how to get a client id"


@dataclass(frozen=True, slots=True)
class Client:
    """The program as Google knows it: whoever runs Pepper gets one of their own."""

    ident: str
    secret: str = field(repr=False)


@dataclass(slots=True)
class Grant(Record):
    """What was allowed. ``wanted`` is what was needed since and is to be asked for at the next sign-in."""

    address: str
    client: str
    endpoint: str
    refresh_token: str = field(repr=False)
    scopes: list[str] = field(default_factory=list)
    wanted: list[May] = field(default_factory=list)


def client_of(settings: AtGoogle, secrets: Secrets) -> Client:
    """Return the client of the account. Raises ``ConfigError``."""
    if settings.client_file is None:
        return Client(settings.client_id, secrets.value(settings.client_secret))
    path = settings.client_file
    try:
        said = json.loads(plain_text(path))
    except FileNotFoundError:
        raise ConfigError([f"client_file {path} is not there; {HOW}"]) from None
    except OSError as error:
        raise ConfigError([f"client_file {path}: {error.strerror}"]) from None
    except (ValueError, RecursionError):
        raise ConfigError([f"client_file {path} is not what Google's console lets you download; {HOW}"]) from None
    held = said.get("installed") if isinstance(said, dict) else None
    if not isinstance(held, dict) or not isinstance(held.get("client_id"), str):
        raise ConfigError([f"client_file {path} is no client of the type desktop app; {HOW}"])
    secret = str(held.get("client_secret", ""))
    secrets.given.add(secret)
    return Client(held["client_id"], secret)


def name_of(settings: AtGoogle) -> str:
    """Return the name under which the grant is kept."""
    address = settings.address.casefold()
    plain = re.sub(r"[^a-z0-9.-]", "_", address)[:50]
    return f"{settings.service.called}_{plain}_{hashlib.sha256(address.encode()).hexdigest()[:8]}"


def grant_of(settings: AtGoogle, client: Client, keeper: SecretKeeper) -> Grant | None:
    """Return what the user allowed this client for this account, if anything."""
    held: Any = None
    try:
        held = json.loads(keeper.read(name_of(settings)) or "null")
        grant = Grant.of(held)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    Secrets.given.add(grant.refresh_token)
    ours = (settings.address.casefold(), client.ident, settings.api)
    return grant if (grant.address.casefold(), grant.client, grant.endpoint) == ours else None


def keep(grant: Grant, settings: AtGoogle, keeper: SecretKeeper) -> None:
    Secrets.given.add(grant.refresh_token)
    keeper.write(name_of(settings), json.dumps(grant.data()))


def note_wanted(may: May, grant: Grant, settings: AtGoogle, keeper: SecretKeeper) -> None:
    """Note that ``may`` is to be asked for at the next sign-in."""
    if may not in grant.wanted:
        keep(replace(grant, wanted=sorted({*grant.wanted, may})), settings, keeper)
