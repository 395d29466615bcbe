"""Sends mail, for every connector that does. SMTP has no idempotency, so each outcome is determined to the byte.

Everything up to the server's go-ahead for the message (354), and a refusal of the message by the server, is known not
to have sent anything: ``NotDoneError``. From the first byte of the message on, a lost or late reply leaves the outcome
unknown: ``OutcomeUnknownError``. Nothing is retried here.
"""

from __future__ import annotations

import asyncio
import base64
import re
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from typing import TYPE_CHECKING, Final

from pepper_tui.config import ConfigError, Smtp
from pepper_tui.config.secret.in_clear import is_this_machine
from pepper_tui.connectors.bearer import Bearer, Credential, TokenError, first_words, why_refused
from pepper_tui.domains.mail.content.mailboxes import parse_address
from pepper_tui.domains.mail.outbox import OutcomeUnknownError
from pepper_tui.text import one_line
from pepper_tui.tools.errors import NotDoneError

if TYPE_CHECKING:
    import aiosmtplib


_TOKEN: Final = "token: "
"""Marks the words of a refused token."""


@dataclass(frozen=True, slots=True)
class SmtpOutbox:
    """An account at an SMTP server.

    ``password`` returns the secret's current value, or a token, and blocks; ``tls_ca`` is a file of additional root
    certificates; ``section`` names the place in the config.
    """

    address: str
    smtp: Smtp
    password: Callable[[], Credential] = lambda: ""
    name: str = ""
    tls_ca: str = ""
    section: str = "mail.smtp"

    @property
    def account(self) -> str:
        """What an approval binds: who sends, and through which server."""
        user = f"{self.smtp.user}@" if self.smtp.user else ""
        safety = "not encrypted" if self.smtp.security == "none" else "encrypted"
        return f"{self.address} via {user}{self.smtp.host}:{self.smtp.port}, {safety}"

    async def send(
        self, recipients: Sequence[str], message: str, on_handed_over: Callable[[], None] = lambda: None
    ) -> str:
        """Send a message: see ``Outbox``."""
        return await _send(self, recipients, message, on_handed_over)


async def _send(
    account: SmtpOutbox, recipients: Sequence[str], message: str, on_handed_over: Callable[[], None]
) -> str:
    import aiosmtplib

    smtp = account.smtp
    client = aiosmtplib.SMTP(
        hostname=smtp.host,
        port=smtp.port,
        use_tls=smtp.security == "tls",
        start_tls=smtp.security == "starttls",
        timeout=smtp.timeout,
        tls_context=_tls(account) if smtp.security != "none" else None,
        local_hostname=account.address.rpartition("@")[2] or "localhost",
    )
    try:
        await _prepare(client, account, _written_by(message) or account.address, recipients)
    except BaseException:
        client.close()
        raise
    try:
        return await _hand_over(client, account, message, on_handed_over)
    finally:
        client.close()


def _tls(account: SmtpOutbox) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=account.tls_ca or None)
    except (OSError, ssl.SSLError) as error:
        raise NotDoneError(f"the certificates in {account.tls_ca} can't be read: {error}") from error


def _written_by(message: str) -> str:
    """Return the address in From: one of the account's identities, to which a bounce then goes."""
    written = parse_address(str(HeaderParser().parsestr(message)["From"] or ""))
    return written.address if written else ""


async def _prepare(client: aiosmtplib.SMTP, account: SmtpOutbox, sender: str, recipients: Sequence[str]) -> None:
    import aiosmtplib

    smtp = account.smtp
    try:
        await client.connect()
        if smtp.user:
            await sign_in(client, smtp.user, await asyncio.to_thread(account.password))
        await client.ehlo()
        if all(map(str.isascii, [sender, *recipients])):
            await client.mail(sender)
        elif client.supports_extension("smtputf8"):
            await client.mail(sender, options=["SMTPUTF8", "BODY=8BITMIME"], encoding="utf-8")
        else:
            raise NotDoneError(f"the mail server {smtp.host} accepts only addresses in ASCII (it has no SMTPUTF8)")
        for each in recipients:
            await client.rcpt(each, encoding="utf-8")
        answer = await client.execute_command(b"DATA")
        if answer.code != 354:
            raise aiosmtplib.SMTPDataError(answer.code, answer.message)
    except TokenError as error:
        raise NotDoneError(error.problems[0]) from error
    except ConfigError as error:
        raise NotDoneError(f"{account.section}.password: {error.problems[0]}") from error
    except (aiosmtplib.SMTPException, OSError, ValueError, TimeoutError) as error:
        raise NotDoneError(_why(error, account)) from error


async def sign_in(client: aiosmtplib.SMTP, user: str, credential: Credential) -> None:
    """Sign in at the server that ``client`` is connected to. A token that is refused is renewed, once.

    Raises what the client raises, and ``TokenError``.
    """
    import aiosmtplib

    if not isinstance(credential, Bearer):
        await client.login(user, credential)
        return
    try:
        await _show_token(client, user, credential.token)
    except aiosmtplib.SMTPAuthenticationError as error:
        another = None if 400 <= error.code < 500 else await asyncio.to_thread(credential.another)
        if another is None:
            raise
        client.close()  # some servers hear no second try
        await client.connect()
        await _show_token(client, user, another.token)


async def _show_token(client: aiosmtplib.SMTP, user: str, token: str) -> None:
    import aiosmtplib

    await client.ehlo()
    ways = client.server_auth_methods
    way = "OAUTHBEARER" if "oauthbearer" in ways and "xoauth2" not in ways else "XOAUTH2"
    said = base64.b64encode(first_words(way, user, token).encode())
    answer = await client.execute_command(b"AUTH", way.encode(), said)
    why = ""
    if answer.code == 334:  # it says why, and waits for an empty line until it ends the command
        why = why_refused(answer.message.encode())
        answer = await client.execute_command(b"" if way == "XOAUTH2" else base64.b64encode(b"\1"))
    if answer.code != 235:
        raise aiosmtplib.SMTPAuthenticationError(answer.code, f"{_TOKEN}{why}")


def no_starttls(smtp: Smtp, section: str) -> str:
    """Say what to do where a server offers no STARTTLS."""
    if is_this_machine(smtp.host):
        return f'set {section}.security to "none" (it is this machine), or "tls" with its port for that'
    return f'set {section}.security to "tls", often with port 465'


def why_not_sent(error: Exception, account: SmtpOutbox) -> str:
    """Explain to a person why nothing was sent, or the sign-in did not work."""
    return _why(error, account)


def _why(error: Exception, account: SmtpOutbox) -> str:
    """Explain to a person why nothing was sent: which server, what it said, and what to do about it."""
    import aiosmtplib

    section, server, causes = account.section, f"the mail server {account.smtp.host}", (error, error.__cause__)
    for each in causes:
        if isinstance(each, ssl.SSLCertVerificationError):
            return f"the certificate of {server} is not valid ({each.verify_message}); check {section}.host"
        if isinstance(each, socket.gaierror):
            return f"{server} can't be found: no connection, or {section}.host is misspelt"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        said = f"({error.code} {one_line(error.message, 200)})".replace(" )", ")")
        passing = 400 <= error.code < 500
        if isinstance(error, aiosmtplib.SMTPRecipientRefused):
            if passing:
                return f"{server} does not take mail for {error.recipient} yet; try again in some minutes {said}"
            return f"{server} refused the recipient {error.recipient} {said}"
        if isinstance(error, aiosmtplib.SMTPAuthenticationError) and error.message.startswith(_TOKEN):
            why = error.message.removeprefix(_TOKEN)
            return f"{server} did not accept the token" + (f" ({why})" if why else f" ({error.code})")
        if isinstance(error, aiosmtplib.SMTPAuthenticationError) and not passing:
            # without the server's own words: some repeat what they were given
            return f"{server} did not accept user and password; check {section} ({error.code})"
        if passing:
            return f"{server} can't accept mail now; try again in some minutes {said}"
        return f"{server} refused {said}"
    if isinstance(error, aiosmtplib.SMTPException) and "AUTH EXTENSION" in str(error).upper():
        return f"{server} takes no user and password; set login = false in {section}, or leave them out of [mail.smtp]"
    if isinstance(error, aiosmtplib.SMTPException) and "STARTTLS" in str(error).upper():
        return f"{server} offers no STARTTLS on port {account.smtp.port}; {no_starttls(account.smtp, section)}"
    if isinstance(error, aiosmtplib.SMTPNotSupported) or type(error) is aiosmtplib.SMTPException:
        return f"{server} can't do what {section} asks for: {one_line(str(error), 200).rstrip('.')}"
    if any(isinstance(each, ssl.SSLError) for each in causes):
        return f"{server} does not speak TLS there; check {section}.port and security"
    if any(isinstance(each, ConnectionRefusedError) for each in causes):
        return f"{server} takes no connections on port {account.smtp.port}; check {section}.host and port"
    if isinstance(error, TimeoutError | aiosmtplib.SMTPTimeoutError):
        return f"{server} does not answer"
    if isinstance(error, aiosmtplib.SMTPConnectError):
        return f"no connection with {server} on port {account.smtp.port}; check {section}.host and port"
    if isinstance(error, ConnectionError):
        return f"{server} ended the connection before it had the mail; try again"
    return f"no session with {server}: {one_line(str(error) or type(error).__name__, 200).rstrip('.')}"


async def _hand_over(
    client: aiosmtplib.SMTP, account: SmtpOutbox, message: str, on_handed_over: Callable[[], None]
) -> str:
    import aiosmtplib

    protocol = client.protocol
    if protocol is None:
        raise NotDoneError("the connection was lost before the mail server had the mail; try again")
    body = re.sub(rb"^\.", b"..", re.sub(rb"\r\n|\r|\n", b"\r\n", message.encode()), flags=re.M)
    if not body.endswith(b"\r\n"):
        body += b"\r\n"
    try:
        protocol.write(body + b".\r\n")
        answer = await protocol.read_response(timeout=client.timeout)
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        raise OutcomeUnknownError("the server's answer to the message never came") from error
    if answer.code // 100 != 2:
        raise NotDoneError(_why(aiosmtplib.SMTPDataError(answer.code, answer.message), account))
    on_handed_over()
    try:
        async with asyncio.timeout(5):
            await client.quit()
    except (aiosmtplib.SMTPException, OSError, TimeoutError):
        pass  # the message is accepted; how the session ends does not matter
    return one_line(answer.message)
