"""Google's own clients, pointed at the double."""

from __future__ import annotations

from typing import Any

import httplib2
from google.oauth2.credentials import Credentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build

from tests.google.server import Google

READ = "https://www.googleapis.com/auth/gmail.readonly"
MODIFY = "https://www.googleapis.com/auth/gmail.modify"
COMPOSE = "https://www.googleapis.com/auth/gmail.compose"
SEND = "https://www.googleapis.com/auth/gmail.send"
LABELS = "https://www.googleapis.com/auth/gmail.labels"
ALL_MAIL = "https://mail.google.com/"
SETTINGS = "https://www.googleapis.com/auth/gmail.settings.basic"


CALENDAR = "https://www.googleapis.com/auth/calendar"


def credentials(google: Google, *scopes: str) -> Credentials:
    return Credentials(**google.allow(*scopes))


def transport(held: Credentials, seconds: float = 20.0) -> AuthorizedHttp:
    return AuthorizedHttp(held, http=httplib2.Http(timeout=seconds, proxy_info=None))


def gmail(google: Google, *scopes: str, held: Credentials | None = None, seconds: float = 20.0) -> Any:
    held = held or credentials(google, *(scopes or (ALL_MAIL,)))
    return build(
        "gmail", "v1", http=transport(held, seconds), static_discovery=True, cache_discovery=False,
        client_options={"api_endpoint": google.url},
    )  # fmt: skip


def calendar(google: Google, *scopes: str) -> Any:
    held = credentials(google, *(scopes or (CALENDAR,)))
    return build(
        "calendar", "v3", http=transport(held), static_discovery=True, cache_discovery=False,
        client_options={"api_endpoint": f"{google.url}/calendar/v3/"},
    )  # fmt: skip
