"""Signing in at the double: by the browser of this machine, by a pasted address, and what may go wrong."""

from __future__ import annotations

import asyncio
import json
import os
import re
import stat
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from pepper_tui.boundary.secret_keeper import keeper_of
from pepper_tui.clock import ManualClock
from pepper_tui.config import Config, ConfigError, Secrets
from pepper_tui.connectors.finding import Finding, Patient
from pepper_tui.connectors.gmail import CONNECTOR
from pepper_tui.connectors.gmail.settings import Gmail
from pepper_tui.connectors.google_account.sign_in.flow import PATIENCE
from pepper_tui.connectors.google_account.sign_in.grant import Client, client_of, note_wanted
from pepper_tui.text.errors import PepperError
from tests.connectors.gmail.account import ALEX, allow, kept, said
from tests.google import Google
from tests.google.client import COMPOSE, MODIFY, READ
from tests.google.sign_in import CLIENT
from tests.waiting import until

SECRETS = {"CLIENT_SECRET": CLIENT["client_secret"]}


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def came_back_to(address: str) -> str:
    """Where Google sends the browser of a user who says yes."""
    try:
        urllib.request.build_opener(NoRedirect).open(address, timeout=20)
    except urllib.error.HTTPError as sent:
        return sent.headers["Location"]
    raise AssertionError("no redirect")


def fetch(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


class Talk:
    """A user. ``how``: with a browser here, or elsewhere; ``shown`` is all that they were told."""

    def __init__(self, how: str = "here", first: list[str] | None = None) -> None:
        self.how, self.first = how, list(first or [])
        self.shown: list[str] = []
        self.asked: list[str] = []
        self.pages: list[str] = []
        self.address = ""

    async def say(self, words: str) -> None:
        self.shown.append(words)

    async def open(self, address: str) -> None:
        self.address = address
        if self.how == "here":
            landing = await asyncio.to_thread(came_back_to, address)
            wrong = urlsplit(landing)._replace(query="state=wrong&code=evil").geturl()
            for each in (wrong, urlsplit(landing)._replace(path="/favicon.ico", query="").geturl()):
                assert (await asyncio.to_thread(fetch, each))[0] == 404
            self.pages.append((await asyncio.to_thread(fetch, landing))[1])

    async def paste(self, words: str) -> str:
        self.asked.append(words)
        if self.how != "elsewhere":
            await asyncio.Event().wait()
        if self.first:
            return self.first.pop(0)
        return await asyncio.to_thread(came_back_to, self.address)


@pytest.fixture
def settings(google: Google) -> Gmail:
    return settings_of(google)


def settings_of(google: Google, **more: Any) -> Gmail:
    told = {name: value for name, value in said(google.url, **more).items() if name not in ("id", "kind")}
    return Gmail.model_validate(told)


async def sign_in(settings: Gmail, home: Path, clock: ManualClock, talk: Talk) -> str:
    assert CONNECTOR.sign_in is not None
    return await CONNECTOR.sign_in(settings, home, Secrets(home, SECRETS), clock, talk)


@pytest.mark.parametrize("how", ["here", "elsewhere"])
async def test_a_user_signs_in(google: Google, settings: Gmail, tmp_path: Path, clock: ManualClock, how: str) -> None:
    talk = Talk(how, ["nonsense", "http://127.0.0.1:1/?code=4/0A&state=other"])
    before = dict(os.environ)
    assert await sign_in(settings, tmp_path, clock, talk) == f"Signed in as {ALEX}: Pepper may read your mail."
    assert talk.shown == ["Pepper asks Google to let it read your mail."]
    assert [bool(talk.pages), len(talk.asked)] == ([True, 1] if how == "here" else [False, 3])
    asked = {name: values[0] for name, values in parse_qs(urlsplit(talk.address).query).items()}
    assert asked["scope"] == READ
    assert (asked["login_hint"], asked["code_challenge_method"]) == (ALEX, "S256")
    grant = kept(settings, tmp_path)
    assert grant is not None
    assert (grant.scopes, grant.wanted) == ([READ], [])
    assert dict(os.environ) == before
    [file] = (tmp_path / "secrets").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_a_second_sign_in_asks_for_what_was_missed_and_keeps_the_rest(
    google: Google, settings: Gmail, tmp_path: Path, clock: ManualClock
) -> None:
    for wanted, scopes in (("send", [COMPOSE, READ]), ("file", [MODIFY])):
        if kept(settings, tmp_path) is None:
            await sign_in(settings, tmp_path, clock, Talk())
        grant = kept(settings, tmp_path)
        assert grant is not None
        note_wanted(wanted, grant, settings, keeper_of(tmp_path))  # type: ignore[arg-type]
        await sign_in(settings, tmp_path, clock, Talk())
        now = kept(settings, tmp_path)
        assert now is not None
        assert (now.scopes, now.wanted) == (scopes, [])


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("denies", "Google was not allowed to give access"),
        ("no scope", "was not allowed to let Pepper read your mail"),
        ("another account", "you signed in as alex@work.example, and the account is alex@example.com"),
        ("code refused", "Google did not take the sign-in"),
        ("no answer", "Google did not answer to the sign-in"),
    ],
)
async def test_what_goes_wrong_is_told_and_nothing_is_kept(
    google: Google, settings: Gmail, tmp_path: Path, clock: ManualClock, what: str, words: str
) -> None:
    sign = google.service.sign_in
    if what == "denies":
        sign.denies = True
    elif what == "no scope":
        sign.ticked = frozenset([COMPOSE])
    elif what == "another account":
        google.fault("gmail.users.getProfile", meanwhile=lambda: _swap(google))
    elif what == "code refused":
        google.fault("oauth.token", meanwhile=sign.forget_codes)
    else:
        google.fault("oauth.token", drop=True, times=9)
    with pytest.raises(PepperError, match=re.escape(words)) as told:
        await sign_in(settings, tmp_path, clock, Talk())
    assert told.value.remedy
    assert CLIENT["client_secret"] not in f"{told.value!r} {told.value.__cause__!r}"
    assert kept(settings, tmp_path) is None
    if what in ("no scope", "another account"):
        assert not any(grant.live for grant in sign.grants)


class Redirecting(BaseHTTPRequestHandler):
    """Says yes for the user, and sends whoever redeems the code to another address."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        given = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        self._send(302, f"{given['redirect_uri']}?code=4&state={given['state']}")

    def do_POST(self) -> None:
        self.asked.append(self.path)
        self._send(307, f"http://localhost:{self.server.server_address[1]}/elsewhere")

    def _send(self, status: int, to: str) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(status)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


async def test_the_code_and_the_secret_follow_no_redirect(tmp_path: Path, clock: ManualClock) -> None:
    Redirecting.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Redirecting) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        told = said(f"http://127.0.0.1:{server.server_port}")
        settings = Gmail.model_validate({name: value for name, value in told.items() if name not in ("id", "kind")})
        talk = Talk("elsewhere")
        with pytest.raises(PepperError, match="Google did not answer to the sign-in"):
            await sign_in(settings, tmp_path, clock, talk)
        server.shutdown()
    assert Redirecting.asked == [urlsplit(settings.token_uri).path]


def _swap(google: Google) -> None:
    boxes = google.service.mailboxes
    boxes[ALEX].address = "alex@work.example"


async def test_nobody_who_signs_in_is_waited_for_without_end(
    google: Google, settings: Gmail, tmp_path: Path, clock: ManualClock
) -> None:
    waiting = asyncio.create_task(sign_in(settings, tmp_path, clock, talk := Talk("nobody")))
    await until(lambda: bool(talk.asked))
    await clock.advance(PATIENCE)
    with pytest.raises(PepperError, match="nobody signed in"):
        await waiting
    where = parse_qs(urlsplit(talk.address).query)["redirect_uri"][0]
    with pytest.raises(urllib.error.URLError):
        await asyncio.to_thread(urllib.request.urlopen, where, None, 5)  # nothing listens any more


@pytest.mark.parametrize("reached", [True, False])
async def test_signing_out_gives_it_back(
    google: Google, settings: Gmail, tmp_path: Path, clock: ManualClock, reached: bool
) -> None:
    await sign_in(settings, tmp_path, clock, Talk())
    if not reached:
        google.fault("oauth.revoke", drop=True)
    assert CONNECTOR.sign_out is not None
    words = await CONNECTOR.sign_out(settings, tmp_path, Secrets(tmp_path, SECRETS))
    assert ("Google did not answer: end it at https://" in words) != reached
    assert any(grant.live for grant in google.service.sign_in.grants) != reached
    assert kept(settings, tmp_path) is None
    assert list((tmp_path / "secrets").iterdir()) == []


async def test_a_sign_in_is_for_its_account_client_and_server_only(google: Google, tmp_path: Path) -> None:
    settings = settings_of(google)
    allow(google, settings, tmp_path)
    assert kept(settings, tmp_path) is not None
    for other in (
        settings.model_copy(update={"address": "alex@work.example"}),
        settings.model_copy(update={"endpoint": ""}),
    ):
        assert kept(other, tmp_path) is None


CLIENTS: dict[str, tuple[str, str]] = {
    "desktop": (json.dumps({"installed": CLIENT}), ""),
    "web": (json.dumps({"web": CLIENT}), "no client of the type desktop app"),
    "other": (json.dumps([1]), "no client of the type desktop app"),
    "no JSON": ("client", "not what Google's console lets you download"),
    "deep": ("[" * 100_000, "not what Google's console lets you download"),
    "none": ("", "is not there"),
}


@pytest.mark.parametrize("what", CLIENTS)
def test_the_client_is_read_from_the_file_that_google_gives(google: Google, tmp_path: Path, what: str) -> None:
    content, words = CLIENTS[what]
    path = tmp_path / "client.json"
    if content:
        path.write_text(content)
    settings = settings_of(google, client_id="", client_secret="", client_file=path)
    if not words:
        assert client_of(settings, Secrets(tmp_path, {})) == Client(CLIENT["client_id"], CLIENT["client_secret"])
        return
    with pytest.raises(ConfigError, match=words):
        client_of(settings, Secrets(tmp_path, {}))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"address": "alex"}, "is no mail address; write it as you@gmail.com"),
        ({"address": "a@b@c"}, "is no mail address"),
        ({"client_id": ""}, "name the client that signs in"),
        ({"client_file": "c.json"}, "name the client that signs in"),
        ({"client_secret": "GOCSPX-abc"}, "the config itself contains a secret"),
        ({"endpoint": "http://mail.example.com"}, "the sign-in would go unencrypted to mail.example.com"),
        ({"labels": []}, "at least 1 item"),
        ({"colour": 1}, "colour"),
    ],
)
def test_what_can_not_be_meant_is_refused(google: Google, more: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        settings_of(google, **more)


async def findings(settings: Gmail, home: Path, google: Google) -> list[Finding]:
    assert CONNECTOR.check is not None
    config = Config.model_validate({"account": [said(google.url)]})
    return [each async for each in CONNECTOR.check(settings, Patient(home, config, Secrets(home, SECRETS), {}))]


async def test_the_doctor_says_what_it_finds(google: Google, tmp_path: Path) -> None:
    settings = settings_of(google)
    [found] = await findings(settings, tmp_path, google)
    assert (found.state, found.detail) == ("trouble", "alex@example.com is not signed in to Google")
    assert found.remedy == "run: pepper accounts signin work"
    allow(google, settings, tmp_path, READ)
    [found] = await findings(settings, tmp_path, google)
    assert (found.state, found.detail) == ("ok", "at Google, 0 mails; Pepper may read your mail")
    [found] = await findings(settings.model_copy(update={"labels": ["INBOX", "Nope"]}), tmp_path, google)
    assert (found.state, found.detail) == ("trouble", "no label Nope; there are: INBOX, SENT")
    google.service.sign_in.end_grants()
    [found] = await findings(settings, tmp_path, google)
    assert "invalid_grant" in found.detail
    assert found.remedy == "run: pepper accounts signin work"
