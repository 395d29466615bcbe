"""Signing in at the double by google-auth-oauthlib, and how long what it gave is good."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
import webbrowser
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from google.oauth2.credentials import Credentials
from google_auth_oauthlib.flow import InstalledAppFlow

from tests.google import Google
from tests.google.client import MODIFY, READ, SEND, gmail

ASKED = [MODIFY, SEND]


class Browser(webbrowser.BaseBrowser):
    """Follows where it is sent, in a thread, as a user who says yes."""

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        threading.Thread(target=lambda: urllib.request.urlopen(url, timeout=20).read()).start()
        return True


@pytest.fixture(autouse=True)
def a_browser_and_loopback_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setattr(webbrowser, "get", lambda _: Browser())


def flow(google: Google, scopes: list[str] = ASKED) -> Any:
    return InstalledAppFlow.from_client_config(google.client_config(), scopes)


def signed_in(google: Google, **more: str) -> Credentials:
    held: Credentials = flow(google).run_local_server(
        port=0, authorization_prompt_message=None, timeout_seconds=20, **more
    )
    return held


def refused(google: Google, form: dict[str, str], path: str = "/token") -> tuple[int, str]:
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(google.url + path, urlencode(form).encode(), timeout=20)
    return error.value.code, error.value.read().decode()


def test_a_user_signs_in_and_the_token_is_good(google: Google) -> None:
    held = signed_in(google)
    assert held.refresh_token
    assert set(held.granted_scopes) == set(ASKED)
    assert gmail(google, held=held).users().getProfile(userId="me").execute()["emailAddress"] == "alex@example.com"
    assert [asked.command for asked in google.log] == ["oauth.authorize", "oauth.token", "gmail.users.getProfile"]


def test_a_refresh_token_comes_once_unless_consent_is_asked_for(google: Google) -> None:
    assert signed_in(google).refresh_token
    assert signed_in(google).refresh_token is None
    assert signed_in(google, prompt="consent").refresh_token


def test_the_account_can_be_hinted_at() -> None:
    with Google("alex@example.com", "alex@work.example") as google:
        users = gmail(google, held=signed_in(google, login_hint="alex@work.example")).users()
        assert users.getProfile(userId="me").execute()["emailAddress"] == "alex@work.example"


def test_a_part_of_the_scopes_is_told_by_the_client_as_an_error_unless_it_may_be(
    google: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    google.service.sign_in.ticked = frozenset([MODIFY])
    with pytest.raises(Warning, match="Scope has changed"):
        signed_in(google)
    monkeypatch.setenv("OAUTHLIB_RELAX_TOKEN_SCOPE", "1")
    assert list(signed_in(google, prompt="consent").granted_scopes) == [MODIFY]


def test_a_user_may_say_no(google: Google) -> None:
    google.service.sign_in.denies = True
    with pytest.raises(Exception, match="access_denied"):
        signed_in(google)


def test_an_old_token_is_renewed_on_the_way(google: Google) -> None:
    users = gmail(google).users()
    users.getProfile(userId="me").execute()
    google.service.sign_in.expire_access()
    users.getProfile(userId="me").execute()
    assert [(asked.command, asked.status) for asked in google.log[1:]] == [
        ("gmail.users.getProfile", 401), ("oauth.token", 200), ("gmail.users.getProfile", 200),
    ]  # fmt: skip


def test_a_token_ends_by_the_clock() -> None:
    time = [1_790_000_000.0]
    with Google(now=lambda: time[0]) as google:
        users = gmail(google).users()
        users.getProfile(userId="me").execute()
        time[0] += 3_600
        users.getProfile(userId="me").execute()
        assert len(google.asked("oauth.token")) == 1


@pytest.mark.parametrize("how", ["ended", "revoked"])
def test_what_has_ended_is_an_invalid_grant(google: Google, how: str) -> None:
    held = Credentials(**google.allow(READ))
    held.refresh(Request())
    if how == "ended":
        google.service.sign_in.end_grants()
    else:
        form = urlencode({"token": held.refresh_token}).encode()
        assert urllib.request.urlopen(f"{google.url}/revoke", form, timeout=20).status == 200
        assert refused(google, {"token": str(held.refresh_token)}, "/revoke")[0] == 400
    with pytest.raises(RefreshError, match="invalid_grant"):
        held.refresh(Request())
    with pytest.raises(RefreshError, match="invalid_grant"):
        gmail(google, held=held).users().getProfile(userId="me").execute()


def code_of(google: Google, asks: Any) -> tuple[str, dict[str, str]]:
    """A code, as the redirect has it, and the form that would redeem it."""
    asks.redirect_uri = "http://localhost:1/"
    url, _ = asks.authorization_url()
    opener = urllib.request.build_opener(NoRedirect)
    with pytest.raises(urllib.error.HTTPError) as sent:
        opener.open(url, timeout=20)
    code = parse_qs(urlsplit(sent.value.headers["Location"]).query)["code"][0]
    client = google.client_config()["installed"]
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": asks.redirect_uri,
        "code_verifier": asks.code_verifier, "client_id": client["client_id"], "client_secret": client["client_secret"],
    }  # fmt: skip
    return code, form


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"code": "4/other"}, "invalid_grant"),
        ({"code_verifier": "x" * 43}, "invalid_grant"),
        ({"redirect_uri": "http://localhost:2/"}, "redirect_uri_mismatch"),
        ({"client_secret": "other"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({}, "invalid_grant"),  # the second time
    ],
)
def test_a_code_is_good_once_and_for_its_client_only(google: Google, wrong: dict[str, str], said: str) -> None:
    _, form = code_of(google, flow(google))
    if not wrong:
        urllib.request.urlopen(f"{google.url}/token", urlencode(form).encode(), timeout=20)
    assert said in refused(google, {**form, **wrong})[1]


@pytest.mark.parametrize(
    "change",
    ["code_challenge=", "code_challenge_method=plain", "response_type=token", "state=", "scope="],
)
def test_a_sign_in_without_what_makes_it_safe_is_an_error_of_the_test(change: str) -> None:
    google = Google().start()
    asks = flow(google)
    asks.redirect_uri = "http://localhost:1/"
    url, _ = asks.authorization_url()
    name, _, value = change.partition("=")
    query = {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()} | {name: value}
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{google.url}/o/oauth2/v2/auth?{urlencode(query)}", timeout=20)
    assert len(google.violations) == 1
    google.stop()


@pytest.mark.parametrize("redirect", ["http://evil.example/", "https://localhost/", "urn:ietf:wg:oauth:2.0:oob"])
def test_it_returns_to_loopback_only(google: Google, redirect: str) -> None:
    asks = flow(google)
    asks.redirect_uri = redirect
    url, _ = asks.authorization_url()
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(url, timeout=20)
    assert "redirect_uri_mismatch" in refusal.value.read().decode()
