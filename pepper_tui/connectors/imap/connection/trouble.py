"""Failures of an IMAP server, in words, with what to do about them."""

from __future__ import annotations

import imaplib
import socket
import ssl
from typing import Final

from imapclient.exceptions import ProtocolError

from pepper_tui.config import ConfigError
from pepper_tui.connectors.bearer import TokenError
from pepper_tui.connectors.imap.connection.session import PASSING, NoFolderError, RefusedError
from pepper_tui.connectors.imap.connection.wire import TooMuchError
from pepper_tui.connectors.imap.settings import Imap
from pepper_tui.feeds.feed import FeedError
from pepper_tui.text import one_line

AGAIN: Final = "it is tried again by itself"


class ServerError(FeedError):
    """A failure of the server or of the way to it."""


class LostError(ServerError):
    """The connection was lost, or the server does not answer. Another try may well succeed."""


class PoorError(ServerError):
    """The server would not do one thing, or its answer can't be read. The connection still works."""


class SignInError(ServerError):
    """The server rejected user and password: trying often would lock the account."""


def trouble(error: BaseException, settings: Imap, ident: str) -> ServerError:
    """Return ``error`` in words."""
    key, server = f"account {ident}", f"the mail server {settings.host}:{settings.at}"
    match error:
        case ServerError():
            return error
        case TokenError():
            return ServerError(error.problems[0], f"run it by hand, and sign in with it if it asks; {AGAIN}")
        case ConfigError():
            return ServerError(error.problems[0], f"see password in {key}, and docs/accounts.md")
        case RefusedError(code=code) if code in PASSING:
            return LostError(f"{server} takes no sign-in just now ({code.lower()})", AGAIN)
        case RefusedError(code="PRIVACYREQUIRED"):
            return ServerError(f"{server} takes no password unencrypted", f"set security in {key} to tls or starttls")
        case RefusedError(code=code, why=why) if settings.token_command:
            said = why or code.lower()
            words = f"{server} did not accept the token of {settings.login}" + (f" ({said})" if said else "")
            remedy = f"sign in again with {one_line(settings.token_command[0], 80)}, and check the user and the scopes"
            return SignInError(words, f"{remedy}; its token_command is in {key}")
        case RefusedError(code=code):
            said = f" ({code.lower()})" if code else ""
            words = f"{server} did not accept the user {settings.login} and the password{said}"
            remedy = "check user and password; many providers take only a password made for programs (app password)"
            return SignInError(words, f"{remedy}; to put in a new one: pepper accounts signin {ident}")
        case NoFolderError():
            words = f"{server} has no folder {one_line(str(error), 80)!r} that can be opened"
            return ServerError(words, f"fix folders in {key}; `pepper doctor` names those that there are")
        case TooMuchError():
            return ServerError(f"{server} sends {error}", "ask whoever runs it; nothing of it was kept")
        case ssl.SSLCertVerificationError():
            words = f"the certificate of {server} is not valid ({error.verify_message})"
            return ServerError(words, f"check host in {key}; for a CA of your own, name its certificate in ca")
        case socket.gaierror():
            return LostError(f"{server} can't be found: no connection, or its name is misspelt", f"check host in {key}")
        case ssl.SSLError():
            return ServerError(f"{server} does not speak TLS as it should", f"check port and security in {key}")
        case TimeoutError():
            return LostError(f"{server} does not answer", AGAIN)
        case ConnectionRefusedError():
            return LostError(f"{server} takes no connections", f"check host and port in {key}; {AGAIN}")
        case OSError():
            return LostError(f"no connection with {server}: {error.strerror or type(error).__name__}", AGAIN)
        case imaplib.IMAP4.abort() if "EOF" in str(error) or "BYE" in str(error) or "socket" in str(error):
            return LostError(f"{server} ended the connection", AGAIN)
    return _strange(error, server, key)


def _strange(error: BaseException, server: str, key: str) -> ServerError:
    if isinstance(error, imaplib.IMAP4.error) and not isinstance(error, imaplib.IMAP4.abort | ProtocolError):
        return PoorError(f"{server} refused: {one_line(str(error), 200)}", f"see {key}; {AGAIN}")
    words = f"{server} says what is no IMAP: {one_line(str(error) or type(error).__name__, 120)}"
    kind = ServerError if isinstance(error, imaplib.IMAP4.abort) else PoorError  # the first ends the connection
    return kind(words, f"check host, port and security in {key}")
