"""Sending mail: SMTP has no idempotency, so what is known of an attempt is told apart to the byte.

Everything up to the server's go-ahead for the message (354), and a refusal of the message by the server, is known not
to have sent anything: ``NotDoneError``. From the first byte of the message on, a lost or late reply leaves the outcome
unknown: ``OutcomeUnknownError``. Nothing is retried here.

A message is built once, when the effect is resolved, with its Message-ID and date; what is sent are those bytes.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import socket
import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.policy import SMTPUTF8 as SMTPUTF8_POLICY
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final

from pepper_tui.config import ConfigError
from pepper_tui.domains.mail import mailboxes
from pepper_tui.domains.mail.addresses import canonical
from pepper_tui.text import clean, one_line, sendable
from pepper_tui.text.errors import Foreseen
from pepper_tui.tools.attachments import Attachment
from pepper_tui.tools.services import Mailer
from pepper_tui.tools.tool import NotDoneError, ToolError

if TYPE_CHECKING:
    import aiosmtplib

MAX_RECIPIENTS: Final = 50
MAX_SUBJECT: Final = 500
MAX_BODY: Final = 100_000  # characters
_LINK: Final = "mailto:"  # before an address that was copied from a page
_MESSAGE_ID: Final = re.compile(r"<[^<>\s\x00-\x1f\x7f]{1,900}>")


class OutcomeUnknownError(Exception, Foreseen):
    """The message was handed over and the server's answer never came: it may or may not have been sent."""


def parse_addresses(value: str, label: str) -> list[str]:
    """The bare addresses in ``value``, separated by commas or semicolons; display names are dropped.

    Raises ``ToolError`` for anything that is not a plain address, so that no header can be slipped in, and for a name
    that holds an address of its own: which of the two is meant can't be told.
    """
    if re.search(r"[\r\n\x00]", value):
        raise ToolError(f"'{label}' holds a line break; give addresses separated by commas")
    found: dict[str, str] = {}
    for one in mailboxes.parse_recipients(value):
        if len(found) > MAX_RECIPIENTS:
            raise ToolError(f"'{label}' names more than {MAX_RECIPIENTS}")
        plain = canonical(one.address or (one.name[len(_LINK) :] if one.name.startswith(_LINK) else ""))
        if plain is None:
            raise ToolError(f"'{label}': {one_line(one.name or one.address or value, 80)!r} is not an address")
        if one.address and (one.named or re.search("[<>:]", one.name)):
            raise ToolError(f"'{label}': {one_line(one.name, 80)!r} is no name; give the address alone")
        found.setdefault(plain.lower(), plain)
    return list(found.values())


def one_header(value: str, label: str) -> str:
    """``value`` as the text of one header. Raises ``ToolError`` where it holds a line break or is too long."""
    if re.search(r"[\r\n\x00\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", value):
        raise ToolError(f"'{label}' holds a line break; it must be one line")
    text = " ".join(sendable(value).split())
    if len(text) > MAX_SUBJECT:
        raise ToolError(f"'{label}' is longer than {MAX_SUBJECT} characters")
    return text


def message_ids(values: Sequence[str]) -> list[str]:
    """Those of ``values`` that are well-formed message ids, in angle brackets, each once."""
    found: dict[str, None] = {}
    for value in values:
        for match in _MESSAGE_ID.findall(value):
            if match.isascii():
                found[match] = None
    return list(found)


def build_message(
    mailer: Mailer,
    *,
    to: Sequence[str],
    cc: Sequence[str],
    subject: str,
    body: str,
    message_id: str,
    at: float,
    in_reply_to: str = "",
    references: Sequence[str] = (),
    files: Sequence[tuple[Attachment, bytes]] = (),
) -> str:
    """The whole message with CRLF, ASCII but for such addresses. Raises ``ToolError`` for what no mail can hold."""
    if not to:
        raise ToolError("'to' names nobody")
    if len(to) + len(cc) > MAX_RECIPIENTS:
        raise ToolError(f"more than {MAX_RECIPIENTS} recipients")
    if len(body) > MAX_BODY:
        raise ToolError(f"'body' is longer than {MAX_BODY} characters")
    message = EmailMessage(policy=SMTP_POLICY if all(map(str.isascii, [*to, *cc])) else SMTPUTF8_POLICY)
    try:
        message["From"] = Address(clean(mailer.name), addr_spec=mailer.address)
        message["To"] = ", ".join(to)
        if cc:
            message["Cc"] = ", ".join(cc)
        message["Subject"] = subject
        message["Date"] = format_datetime(datetime.fromtimestamp(int(at), UTC))
        message["Message-ID"] = message_id
        if in_reply_to:
            message["In-Reply-To"] = in_reply_to
        if references:
            message["References"] = " ".join(references[-20:])
        message.set_content(body, cte="quoted-printable")
        for file, data in files:
            maintype, _, subtype = file.type.partition("/")
            message.add_attachment(data, maintype=maintype, subtype=subtype, filename=file.name)
        if files:  # the library's own boundary is random
            message.set_boundary("=_" + hashlib.sha256(message_id.encode()).hexdigest()[:40])
        return message.as_bytes().decode("utf-8")
    except (ValueError, UnicodeError, IndexError) as error:
        raise ToolError(f"no mail can be made of this: {one_line(str(error), 200)}") from error


async def send(
    mailer: Mailer, recipients: Sequence[str], message: str, on_handed_over: Callable[[], None] = lambda: None
) -> str:
    """Send ``message`` to exactly ``recipients``, or to none of them; the server's words.

    ``on_handed_over`` is called once the server has taken the message. Raises ``NotDoneError`` where nothing was sent,
    ``OutcomeUnknownError`` where that is not known.
    """
    import aiosmtplib

    smtp = mailer.smtp
    client = aiosmtplib.SMTP(
        hostname=smtp.host,
        port=smtp.port,
        use_tls=smtp.security == "tls",
        start_tls=smtp.security == "starttls",
        timeout=smtp.timeout,
        tls_context=_tls(mailer) if smtp.security != "none" else None,
        local_hostname=mailer.address.rpartition("@")[2] or "localhost",
    )
    try:
        await _prepare(client, mailer, recipients)
    except BaseException:
        client.close()
        raise
    try:
        return await _hand_over(client, message, on_handed_over)
    finally:
        client.close()


def _tls(mailer: Mailer) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=mailer.tls_ca or None)
    except (OSError, ssl.SSLError) as error:
        raise NotDoneError(f"the certificates in {mailer.tls_ca} can't be read: {error}") from error


async def _prepare(client: aiosmtplib.SMTP, mailer: Mailer, recipients: Sequence[str]) -> None:
    import aiosmtplib

    smtp = mailer.smtp
    try:
        await client.connect()
        if smtp.user:
            await client.login(smtp.user, await asyncio.to_thread(mailer.password))
        await client.ehlo()
        if all(map(str.isascii, recipients)):
            await client.mail(mailer.address)
        elif client.supports_extension("smtputf8"):
            await client.mail(mailer.address, options=["SMTPUTF8", "BODY=8BITMIME"], encoding="utf-8")
        else:
            raise NotDoneError(f"the mail server {smtp.host} takes only addresses in ASCII (it has no SMTPUTF8)")
        for each in recipients:
            await client.rcpt(each, encoding="utf-8")
        answer = await client.execute_command(b"DATA")
        if answer.code != 354:
            raise aiosmtplib.SMTPDataError(answer.code, answer.message)
    except ConfigError as error:
        raise NotDoneError(f"mail.smtp.password: {error.problems[0]}") from error
    except (aiosmtplib.SMTPException, OSError, ValueError, TimeoutError) as error:
        raise NotDoneError(_why(error, smtp.host)) from error


def _why(error: Exception, host: str) -> str:
    """Why there was no send, for a person: which server, what it said, and what to do about it."""
    import aiosmtplib

    server, causes = f"the mail server {host}", (error, error.__cause__)
    for each in causes:
        if isinstance(each, ssl.SSLCertVerificationError):
            return f"the certificate of {server} is not valid ({each.verify_message}); check mail.smtp.host"
        if isinstance(each, socket.gaierror):
            return f"{server} can't be found: no connection, or mail.smtp.host is misspelt"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        said = f"({error.code} {one_line(error.message, 200)})".replace(" )", ")")
        passing = 400 <= error.code < 500
        if isinstance(error, aiosmtplib.SMTPRecipientRefused):
            if passing:
                return f"{server} does not take mail for {error.recipient} yet; try again in some minutes {said}"
            return f"{server} refused the recipient {error.recipient} {said}"
        if isinstance(error, aiosmtplib.SMTPAuthenticationError) and not passing:
            # without its own words: some servers repeat what they were given
            return f"{server} did not accept user and password; check mail.smtp ({error.code})"
        if passing:
            return f"{server} can't take mail just now; try again in some minutes {said}"
        return f"{server} refused {said}"
    if isinstance(error, aiosmtplib.SMTPNotSupported) or type(error) is aiosmtplib.SMTPException:
        return f"{server} can't do what mail.smtp asks for: {one_line(str(error), 200).rstrip('.')}"
    if any(isinstance(each, ssl.SSLError) for each in causes):
        return f"{server} does not speak TLS there; check mail.smtp.port and security"
    if isinstance(error, TimeoutError | aiosmtplib.SMTPConnectError):
        return f"{server} does not answer"
    if isinstance(error, ConnectionError):
        return f"{server} ended the connection before it had the mail; try again"
    return f"no session with {server}: {one_line(str(error) or type(error).__name__, 200).rstrip('.')}"


async def _hand_over(client: aiosmtplib.SMTP, message: str, on_handed_over: Callable[[], None]) -> str:
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
        raise NotDoneError(_why(aiosmtplib.SMTPDataError(answer.code, answer.message), client.hostname or ""))
    on_handed_over()
    try:
        async with asyncio.timeout(5):
            await client.quit()
    except (aiosmtplib.SMTPException, OSError, TimeoutError):
        pass  # the message is taken; how the session ends does not matter
    return one_line(answer.message)
