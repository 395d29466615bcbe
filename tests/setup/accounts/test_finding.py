"""Settings of an address: of the shipped table without asking anybody, and of a domain by real DNS and HTTPS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Any

import dns.message
import dns.rdatatype
import dns.resolver
import dns.rrset
import pytest

from pepper_tui.config import parse_config
from pepper_tui.connectors.registry import named
from pepper_tui.setup.accounts.autoconfig import LARGEST, places, read
from pepper_tui.setup.accounts.finding import ask_domain, getting
from pepper_tui.setup.accounts.offers import Offer, OfferError, address_of, server
from pepper_tui.setup.accounts.providers import by_domain, by_exchangers, providers
from pepper_tui.setup.accounts.records import asking
from pepper_tui.setup.accounts.tables import with_account
from tests.connectors.imap.conftest import Certificate, certificate

__all__ = ["certificate"]
ME = "me@example.org"
FILE = """<?xml version="1.0"?>
<clientConfig version="1.1"><emailProvider id="example.org">
<incomingServer type="pop3"><hostname>pop.example.org</hostname><port>995</port>
<socketType>SSL</socketType></incomingServer>
<incomingServer type="imap"><hostname>old.example.org</hostname><port>143</port>
<socketType>plain</socketType></incomingServer>
<incomingServer type="imap"><hostname>oauth.example.org</hostname><port>993</port><socketType>SSL</socketType>
<authentication>OAuth2</authentication></incomingServer>
<incomingServer type="imap"><hostname>imap.example.org</hostname><port>993</port><socketType>SSL</socketType>
<authentication>password-cleartext</authentication><username>%EMAILLOCALPART%</username></incomingServer>
<outgoingServer type="smtp"><hostname>smtp.example.org</hostname><port>587</port><socketType>STARTTLS</socketType>
<authentication>password-cleartext</authentication><username>%EMAILADDRESS%</username></outgoingServer>
</emailProvider></clientConfig>"""
PLACE = places("example.org")[0]


@pytest.mark.parametrize("provider", providers(), ids=lambda each: each.name)
def test_each_provider_of_the_table_makes_an_account_that_can_be_used(provider: Any, tmp_path: Any) -> None:
    offer = provider.offer(ME)
    assert offer.page.startswith("https://")
    assert provider.domains or provider.mx
    if offer.imap is None:
        with pytest.raises(OfferError, match="offers no IMAP"):
            offer.table("work")
        return
    text = with_account("", offer.table("work"))
    *_, account = named(parse_config(text, tmp_path / "config.toml"), tmp_path)
    assert (account.settings.at, account.settings.host) == (offer.imap.port, offer.imap.host)
    assert account.settings.sending().port == offer.smtp.port
    assert offer.imap.security != "none"


def test_no_domain_is_that_of_two_providers() -> None:
    domains = [domain for each in providers() for domain in each.domains]
    assert len(domains) == len({*domains})
    assert by_domain("Me@GMail.com") is not None
    assert by_domain("me@notgmail.com") is None


@pytest.mark.parametrize(
    ("exchanger", "host"),
    [
        ("aspmx.l.google.com.", "imap.gmail.com"),
        ("in1-smtp.messagingengine.com.", "imap.fastmail.com"),
        ("example-org.mail.protection.outlook.com.", "outlook.office365.com"),
        ("notgoogle.com.", None),
        ("google.com.evil.example.", None),
    ],
)
def test_a_domain_of_ones_own_at_a_provider_is_known_by_who_takes_its_mail(exchanger: str, host: str | None) -> None:
    offer = by_exchangers(ME, [exchanger])
    assert (offer.imap.host if offer and offer.imap else None) == host


class Names(asyncio.DatagramProtocol):
    """A DNS server on loopback. ``asked`` are the names that it was asked for."""

    def __init__(self, records: dict[tuple[str, str], list[str]]) -> None:
        self.records, self.asked = records, []
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        query = dns.message.from_wire(data)
        [question] = query.question
        name, kind = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append(name)
        answer = dns.message.make_response(query)
        if found := self.records.get((name, kind)):
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *found))
        self.transport.sendto(answer.to_wire(), address)


@pytest.fixture
async def names() -> AsyncIterator[Names]:
    made = Names({})
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: made, ("127.0.0.1", 0))
    yield made
    transport.close()


def _resolver(names: Names) -> dns.resolver.Resolver:
    made = dns.resolver.Resolver(configure=False)
    made.nameservers, made.port = ["127.0.0.1"], names.transport.get_extra_info("sockname")[1]
    return made


async def _nothing(place: str) -> bytes:
    del place
    return b""


IMAPS, SUBMISSION = ("_imaps._tcp.example.org.", "SRV"), ("_submission._tcp.example.org.", "SRV")


@pytest.mark.parametrize(
    ("records", "reading", "sending"),
    [
        ({IMAPS: ["0 1 993 mail.example.org."]}, "mail.example.org:993 (TLS)", None),
        (
            {IMAPS: ["10 1 993 b.org.", "5 1 1993 a.org.", "5 9 2993 c.org."], SUBMISSION: ["0 1 587 s.org."]},
            "c.org:2993 (TLS)",
            "s.org:587 (STARTTLS)",
        ),
        (
            {IMAPS: ["0 0 0 ."], ("_imap._tcp.example.org.", "SRV"): ["0 1 143 a.org."]},
            "a.org:143 (STARTTLS)",
            None,
        ),
        ({IMAPS: ["0 0 0 ."]}, None, None),
        ({}, None, None),
        (
            {("example.org.", "MX"): ["9 x.org.", "1 mx.mailbox.org."]},
            "imap.mailbox.org:993 (TLS)",
            "smtp.mailbox.org:465 (TLS)",
        ),
    ],
)
async def test_a_domain_says_where_its_mail_is(
    names: Names, records: dict[tuple[str, str], list[str]], reading: str | None, sending: str | None
) -> None:
    names.records = records
    offer = await ask_domain(ME, await asyncio.to_thread(asking, _resolver(names)), _nothing)
    assert (offer.imap.words if offer and offer.imap else None) == reading
    assert (offer.smtp.words if offer and offer.smtp else None) == sending
    assert not [each for each in names.asked if "me" in each.split(".")[0].lower() and "@" in each]


def test_of_a_file_only_an_encrypted_server_that_takes_a_password_is_taken() -> None:
    offer = read(ME, FILE.encode(), PLACE)
    assert offer is not None
    assert offer.imap is not None
    assert (offer.imap.words, offer.user) == ("imap.example.org:993 (TLS)", "me")
    assert offer.smtp is not None
    assert (offer.smtp.words, offer.smtp_user) == ("smtp.example.org:587 (STARTTLS)", ME)
    assert offer.source == "the file of autoconfig.example.org"


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "source",
    [
        "",
        "<html>not found",
        FILE.replace("<clientConfig", BOMB + "<clientConfig"),
        FILE.replace("imap.example.org", "imap.example.org;rm -rf"),
        FILE.replace("imap.example.org", "[31mhost"),
        FILE.replace("<port>993</port>", "<port>99999</port>"),
        FILE.replace("<port>993</port>", "<port>x</port>"),
        FILE.replace("SSL", "plain"),
        FILE + " " * LARGEST,
    ],
    ids=["nothing", "no xml", "entities", "a command", "an escape", "no port", "no number", "plain", "too long"],
)
def test_a_strange_file_offers_nothing(source: str) -> None:
    assert read(ME, source.encode(), PLACE) is None


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_a_charset_that_hides_entities_offers_nothing(charset: str) -> None:
    body = FILE[FILE.index("<clientConfig") :]
    assert read(ME, body.encode(), PLACE) is not None
    assert read(ME, (BOMB + body).encode(charset), PLACE) is None


@pytest.mark.parametrize(
    ("answer", "taken"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(FILE) + FILE.encode(), True),
        (b"HTTP/1.1 404 No\r\nContent-Length: %d\r\n\r\n" % len(FILE) + FILE.encode(), False),
        (b"HTTP/1.1 302 Found\r\nLocation: http://localhost/x\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (LARGEST + 100), False),
        (b"\xff\x00\r\n\r\n", False),
    ],
    ids=["a file", "not there", "to http", "too long", "no http"],
)
async def test_a_file_is_read_over_https_alone_and_within_bounds(
    certificate: Certificate, answer: bytes, taken: bool
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()

    asked: list[bytes] = []
    running = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=certificate.context())
    port = running.sockets[0].getsockname()[1]
    trusted = ssl.create_default_context(cafile=certificate.file)
    assert bool(await getting(trusted)(f"https://localhost:{port}/mail/config-v1.1.xml")) is taken
    assert await getting()(f"https://localhost:{port}/x") == b""  # a certificate that nobody vouches for
    running.close()
    assert len(asked) == 1
    assert b"example" not in asked[0]


@pytest.mark.parametrize("words", ["", "me", "@x.org", "me@", "a b@x.org", "me@x..", "me@[1.2.3.4]", "me@x y"])
def test_what_is_no_address_is_told(words: str) -> None:
    with pytest.raises(OfferError, match="is not a mail address"):
        address_of(words)


@pytest.mark.parametrize(
    ("host", "port", "security", "good"),
    [
        ("imap.example.org", 993, "tls", True),
        ("127.0.0.1", 1143, "none", True),
        ("imap.example.org", 143, "none", False),
        ("imap.example.org", 0, "tls", False),
        ("imap.example.org", 65536, "tls", False),
        ("imap.example.org/x", 993, "tls", False),
        ("", 993, "tls", False),
        ("-x", 993, "tls", False),
        ("a" * 254, 993, "tls", False),
        ("imap.example.org", 993, "ssl", False),
    ],
)
def test_what_can_be_a_server(host: str, port: int, security: str, good: bool) -> None:
    if good:
        assert server(host, port, security).host == host
    else:
        with pytest.raises(OfferError):
            server(host, port, security)


def test_an_offer_shows_its_hosts_and_cleans_what_others_wrote() -> None:
    lines = "\n".join(Offer(ME, "a \x1b[31mstranger", server("imap.example.org", 993, "tls")).lines())
    assert "reading   imap.example.org:993 (TLS)" in lines
    assert "\x1b" not in lines
