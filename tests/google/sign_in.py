"""Google's sign-in: consent (given at once), codes, tokens, and their end.

- PKCE by S256 and a state are asked of every client, as Pepper should send both. It returns to loopback only.
- A refresh token comes only for ``access_type=offline``, and only at the first consent or with ``prompt=consent``.
- ``ticked`` are the scopes that the user allows; none means all that are asked for.
- A code is good once; what was revoked, or has ended, is ``invalid_grant``.
"""

from __future__ import annotations

import hashlib
import random
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.google.errors import Violation, unauthenticated

CLIENT = {"client_id": "1234-pepper.apps.googleusercontent.com", "client_secret": "GOCSPX-not-a-secret"}
LOOPBACK = re.compile(r"http://(?:localhost|127\.0\.0\.1|\[::1\]):[0-9]+(?:/.*)?")
CODE_LIFE = 600


class Denied(Exception):
    """An error of the sign-in, which has a form of its own."""

    def __init__(self, error: str, description: str = "", status: int = 400) -> None:
        super().__init__(description or error)
        self.status = status
        self.body = {"error": error, **({"error_description": description} if description else {})}


@dataclass
class Grant:
    """What a user allowed a client."""

    user: str
    scopes: frozenset[str]
    refresh_token: str | None
    live: bool = True


@dataclass(frozen=True)
class _Code:
    grant: Grant
    redirect: str
    challenge: str
    until: float


@dataclass
class SignIn:
    users: list[str]
    now: Callable[[], float]
    lifetime: int = 3599
    ticked: frozenset[str] | None = None
    denies: bool = False
    grants: list[Grant] = field(default_factory=list)
    _codes: dict[str, _Code] = field(default_factory=dict)
    _access: dict[str, tuple[Grant, float]] = field(default_factory=dict)
    _chance: random.Random = field(default_factory=lambda: random.Random(2))

    # what a test does

    def allow(self, user: str, scopes: list[str]) -> dict[str, Any]:
        """A sign-in that took place: what ``Credentials`` takes."""
        grant = self._grant(user, frozenset(scopes), offline=True)
        return {**CLIENT, **self._tokens(grant), "token": self._access_token(grant), "scopes": sorted(grant.scopes)}

    def expire_access(self) -> None:
        """Every access token ends now; refresh tokens stay good."""
        self._access.clear()

    def end_grants(self) -> None:
        """Every grant ends, as by the user's hand, or after seven days of an app in testing."""
        for grant in self.grants:
            grant.live = False
        self._access.clear()

    def forget_codes(self) -> None:
        """Codes that were given are good no more."""
        self._codes.clear()

    # what the endpoints do

    def authorize(self, asked: Mapping[str, str]) -> str:
        """Where the browser is sent."""
        for name in ("client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge"):
            if not asked.get(name):
                raise Violation(f"sign-in: {name} is missing")
        if asked["response_type"] != "code" or asked.get("code_challenge_method") != "S256":
            raise Violation("sign-in: not a code with S256")
        if asked["client_id"] != CLIENT["client_id"]:
            raise Denied("invalid_client", "The OAuth client was not found.", 401)
        if not LOOPBACK.fullmatch(asked["redirect_uri"]):
            raise Denied("redirect_uri_mismatch")
        told = {"state": asked["state"]}
        if self.denies:
            return f"{asked['redirect_uri']}?{urlencode({**told, 'error': 'access_denied'})}"
        wanted = frozenset(asked["scope"].split())
        scopes = wanted if self.ticked is None else wanted & self.ticked
        user = asked.get("login_hint") or self.users[0]
        if user not in self.users:
            raise Denied("access_denied", f"no such account: {user}", 403)
        again = any(grant.live and grant.user == user for grant in self.grants)
        offline = asked.get("access_type") == "offline" and (not again or "consent" in asked.get("prompt", ""))
        grant = self._grant(user, scopes, offline=offline)
        code = f"4/0A{self._chance.getrandbits(200):050x}"
        self._codes[code] = _Code(grant, asked["redirect_uri"], asked["code_challenge"], self.now() + CODE_LIFE)
        return f"{asked['redirect_uri']}?{urlencode({**told, 'code': code, 'scope': ' '.join(sorted(scopes))})}"

    def token(self, form: Mapping[str, str], authorization: str = "") -> dict[str, Any]:
        """The client tells who it is in the form, or in the header, as requests-oauthlib does."""
        basic = b64encode(":".join(CLIENT.values()).encode()).decode()
        if {name: form.get(name) for name in CLIENT} != CLIENT and authorization != f"Basic {basic}":
            raise Denied("invalid_client", "Unauthorized", 401)
        kind = form.get("grant_type")
        if kind == "authorization_code":
            grant = self._redeemed(form)
            return {**self._answer(grant), **self._tokens(grant)}
        if kind == "refresh_token":
            for grant in self.grants:
                if grant.live and grant.refresh_token == form.get("refresh_token"):
                    return self._answer(grant)
            raise Denied("invalid_grant", "Token has been expired or revoked.")
        raise Denied("unsupported_grant_type", f"Invalid grant_type: {kind}")

    def revoke(self, token: str) -> None:
        """A token's whole grant ends, whichever of its tokens it is."""
        held, _ = self._access.get(token, (None, 0.0))
        ended = [grant for grant in self.grants if grant.live and (grant.refresh_token == token or grant is held)]
        if not ended:
            raise Denied("invalid_token", "Token expired or revoked")
        for grant in ended:
            grant.live = False

    def holder(self, authorization: str) -> Grant:
        """Whose access token a request bears."""
        kind, _, token = authorization.partition(" ")
        grant, until = self._access.get(token, (None, 0.0))
        if kind != "Bearer" or grant is None or not grant.live or self.now() >= until:
            raise unauthenticated()
        return grant

    def _grant(self, user: str, scopes: frozenset[str], *, offline: bool) -> Grant:
        refresh = f"1//0{self._chance.getrandbits(200):050x}" if offline else None
        grant = Grant(user, scopes, refresh)
        self.grants.append(grant)
        return grant

    def _redeemed(self, form: Mapping[str, str]) -> Grant:
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or self.now() >= code.until:
            raise Denied("invalid_grant", "Malformed auth code.")
        if form.get("redirect_uri") != code.redirect:
            raise Denied("redirect_uri_mismatch", "Bad Request")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if urlsafe_b64encode(digest).decode().rstrip("=") != code.challenge:
            raise Denied("invalid_grant", "Invalid code verifier.")
        return code.grant

    def _answer(self, grant: Grant) -> dict[str, Any]:
        return {
            "access_token": self._access_token(grant),
            "expires_in": self.lifetime,
            "scope": " ".join(sorted(grant.scopes)),
            "token_type": "Bearer",
        }

    def _access_token(self, grant: Grant) -> str:
        token = f"ya29.a0{self._chance.getrandbits(200):050x}"
        self._access[token] = (grant, self.now() + self.lifetime)
        return token

    def _tokens(self, grant: Grant) -> dict[str, str]:
        return {"refresh_token": grant.refresh_token} if grant.refresh_token else {}
