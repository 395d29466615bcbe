"""One connection to an IMAP server. All of it blocks: it is called in a thread, by one caller at a time.

Folders are opened read-only and mails are peeked at, so that nothing is marked as read. ``wire`` limits what may come.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientError, LoginError
from imapclient.response_parser import parse_fetch_response

from pepper_tui.connectors.bearer import Bearer, Credential, first_words, why_refused
from pepper_tui.connectors.imap.connection.wire import LONGEST_LINE, MOST_LINES, TooMuchError, Wire
from pepper_tui.connectors.imap.marks import marks_of, use_said
from pepper_tui.connectors.imap.settings import Imap
from pepper_tui.domains.mail.at_source.state import Mark, Use

ANSWER: Final = 1_000_000
"""Limit in bytes of a short answer."""
FOLDERS: Final = 4_000_000
"""Limit in bytes of a list of folders."""
NEWS: Final = (10_000_000, 200_000)
"""Limit in bytes and lines of changes: another program may have marked all of a large folder."""
AROUND: Final = 64_000
"""Bytes that a server may say about a mail, besides the mail itself."""
_SENT: Final = b"\\sent"
_CHANGES: Final = (b"FETCH", b"EXPUNGE", b"VANISHED")


PASSING: Final = frozenset({"UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG"})
"""Refusals of a sign-in that do not concern what was shown (RFC 5530)."""


class RefusedError(Exception):
    """The server rejected user and password, or token. ``code`` is its own word for why, ``why`` what it says of it."""

    def __init__(self, code: str, why: str = "") -> None:
        super().__init__(code)
        self.code, self.why = code, why


class NoFolderError(Exception):
    """The folder is missing, or can't be opened."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A folder as it was opened. UIDs are valid while ``validity`` is the same; all are below ``next`` so far.

    ``modseq`` grows with each change of a mark; 0 if the server does not count (RFC 7162).
    """

    validity: int
    next: int
    exists: int
    modseq: int = 0


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of a mail, as far as they may be read, its whole size, when the server received it, its marks."""

    uid: int
    source: bytes
    size: int
    arrived: float | None
    marks: tuple[Mark, ...] = ()


class _Client(IMAPClient):  # type: ignore[misc]
    """The library's client, over a bounded connection."""

    def _create_IMAP4(self) -> Wire:
        return Wire(self.host, self.port, self.ssl_context if self.ssl else None, self._timeout.connect)

    def fetch(self, messages: Any, data: Any, modifiers: Any = None) -> Any:
        """Fetch. What the server said unasked before has no UIDs, and would be taken for an answer."""
        self._imap.untagged_responses.pop("FETCH", None)
        return super().fetch(messages, data, modifiers)

    def fetch_from(self, first: int, wanted: str) -> list[dict[bytes, Any]]:
        """Fetch by position, which the library can't: the newest are found without knowing their UIDs."""
        self._imap.untagged_responses.pop("FETCH", None)
        said, data = self.wire.fetch(f"{first}:*", wanted)
        if said != "OK":
            raise self.Error(f"fetch failed: {data!r}")
        return [*parse_fetch_response(data, uid_is_key=False).values()]

    @property
    def wire(self) -> Wire:
        wire: Wire = self._imap
        return wire


class Session:
    """A session with the server. Call ``connect`` first. ``folder`` is the open one."""

    def __init__(self, settings: Imap, password: Credential) -> None:
        self._settings, self._password = settings, password
        self._client: _Client | None = None
        self._over = False
        self.folder = ""

    def connect(self) -> None:
        """Connect and sign in. Raises ``RefusedError`` if user and password are rejected.

        A token that is rejected is renewed, once.
        """
        shown = self._password
        while True:
            self._client = client = _reached(self._settings)
            if self._over:  # nobody waits any more
                client.wire.cut()
                raise ConnectionAbortedError
            try:
                _sign_in(client, self._settings, shown)
                return
            except RefusedError as error:
                another = None
                if isinstance(shown, Bearer) and shown is self._password and error.code not in PASSING:
                    another = shown.another()
                if another is None:
                    raise
                client.wire.cut()
                shown = another

    @property
    def moved(self) -> int:
        """Bytes sent and received so far."""
        return self._client.wire.moved if self._client else 0

    @property
    def waiting(self) -> bool:
        """Whether something has arrived that was not read."""
        return self._client is not None and self._client.wire.waiting

    def descriptor(self) -> int:
        """Return the socket's descriptor, to wait for data."""
        return int(self._with(ANSWER).socket().fileno())

    def can(self, capability: str) -> bool:
        return bool(self._with(ANSWER).has_capability(capability))

    def cut(self) -> None:
        """End the connection, from any thread, without logging out."""
        self._over = True
        if self._client is not None:
            self._client.wire.cut()

    def close(self) -> None:
        """Log out, and end the connection."""
        self._over = True
        if self._client is not None:
            client, self._client = self._client, None
            client.wire.allow(ANSWER)
            try:
                client.logout()
            except (client.Error, TooMuchError, OSError):
                client.wire.cut()

    def open(self, folder: str) -> Opened:
        """Open ``folder``, read-only. Raises ``NoFolderError``."""
        client = self._with(ANSWER)
        self.folder = ""
        try:
            said = client.select_folder(folder, readonly=True)
        except client.AbortError:
            raise
        except client.Error as error:
            raise NoFolderError(folder) from error
        self.folder = folder
        exists = int(said.get(b"EXISTS", 0))
        following = said.get(b"UIDNEXT") or max(self.uids(1), default=0) + 1  # old servers do not say
        modseq = int(said.get(b"HIGHESTMODSEQ") or 0)
        return Opened(int(said.get(b"UIDVALIDITY", 0)), int(following), exists, modseq)

    def status(self, folder: str) -> Opened | None:
        """Return how ``folder`` stands, without opening it; ``None`` if the server does not say it well."""
        wanted = [b"UIDVALIDITY", b"UIDNEXT", b"MESSAGES", *([b"HIGHESTMODSEQ"] if self.can("CONDSTORE") else [])]
        client = self._with(ANSWER)
        try:
            said = client.folder_status(folder, wanted)
            return Opened(*(int(said[key]) for key in wanted))
        except client.AbortError:
            raise
        except (client.Error, LookupError, TypeError, ValueError):
            return None

    def use(self, folder: str) -> Use:
        """Return what the server says that ``folder`` is for; empty if it does not."""
        if folder.upper() == "INBOX":
            return "inbox"
        client = self._with(FOLDERS)
        try:
            listed = client.list_folders("", folder)
        except client.AbortError:
            raise
        except client.Error:
            return ""
        return use_said(folder, [mark for marks, _, name in listed if name == folder for mark in marks])

    def folders(self) -> list[tuple[str, frozenset[bytes]]]:
        """Return each folder, and its flags in lower case."""
        listed = self._with(FOLDERS).list_folders()
        return [(str(name), frozenset(mark.lower() for mark in marks)) for marks, _, name in listed]

    def sent_folder(self) -> str:
        """Return the folder that the server marks as sent mail, else one with that name; empty if there is none."""
        folders = self.folders()
        marked = [name for name, marks in folders if _SENT in marks]
        called = [name for name, _ in folders if name.rpartition("/")[2].rpartition(".")[2].casefold() == "sent"]
        return next(iter([*marked, *called]), "")

    def uids(self, first: int, last: int | None = None) -> list[int]:
        """Return the UIDs in the folder from ``first`` to ``last``, in order."""
        client = self._with(LONGEST_LINE + ANSWER)
        end = "*" if last is None else str(last)
        found = client.search(["UID", f"{first}:{end}"])
        return sorted(uid for uid in map(int, found) if uid >= first and (last is None or uid <= last))

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """Return the size of each mail according to the server, without those that are gone."""
        found = self._with(ANSWER + len(uids) * 1000).fetch(uids, ["RFC822.SIZE"])
        return {uid: int(said[b"RFC822.SIZE"]) for uid, said in found.items() if b"RFC822.SIZE" in said}

    def bodies(self, uids: Sequence[int], room: int, most: int) -> list[Body]:
        """Return the mails, at most ``most`` bytes of each and ``room`` bytes in all, without those that are gone."""
        client = self._with(room + ANSWER + len(uids) * AROUND)
        found = client.fetch(uids, [f"BODY.PEEK[]<0.{most}>", "INTERNALDATE", "RFC822.SIZE", "FLAGS"])
        return [_body(uid, found[uid]) for uid in uids if uid in found and b"BODY[]<0>" in found[uid]]

    def marks(self, first: int, since: int) -> dict[int, tuple[Mark, ...]]:
        """Return the marks of the mails in the open folder from the ``first`` on by position, by UID.

        ``since``: only of those that changed after that count (``Opened.modseq``); 0 for all.
        """
        found = self._with(*NEWS).fetch_from(first, "(UID FLAGS)" + (f" (CHANGEDSINCE {since})" if since else ""))
        return {int(said[b"UID"]): marks_of(said[b"FLAGS"]) for said in found if b"UID" in said and b"FLAGS" in said}

    def holds(self, message_id: str) -> bool:
        """Check whether a mail with this Message-ID is in the folder."""
        return bool(self._with(ANSWER).search(["HEADER", "Message-ID", message_id]))

    def append(self, folder: str, message: bytes, *, draft: bool = False) -> None:
        """Store a mail in ``folder``, marked as read, and as a ``draft`` if it is one."""
        self._with(ANSWER).append(folder, message, flags=(rb"\Seen", rb"\Draft") if draft else (rb"\Seen",))

    def noop(self) -> bool:
        """Check that the server is there; return whether it reported changes of mails in the folder."""
        _, told = self._with(*NEWS).noop()
        return _tells_changes(told)

    def idle(self) -> None:
        """Let the server report what arrives in the folder, until ``idle_done``."""
        try:
            self._with(*NEWS).idle()
        except IMAPClientError as error:
            if "Unexpected IDLE response" in str(error):  # news came first, and the library accepts none there
                raise ConnectionResetError from error
            raise

    def idle_done(self) -> bool:
        """End IDLE; return whether the server has reported changes of mails. Also a way to check that it is there."""
        _, told = self._with(*NEWS).idle_done()
        return _tells_changes(told)

    def _with(self, room: int, lines: int = MOST_LINES) -> _Client:
        if self._client is None:
            raise ConnectionError("there is no connection")
        self._client.wire.allow(room, lines)
        return self._client


def _body(uid: int, said: dict[bytes, Any]) -> Body:
    source, arrived = said[b"BODY[]<0>"], said.get(b"INTERNALDATE")
    when = arrived.timestamp() if isinstance(arrived, datetime) else None
    return Body(
        uid,
        source or b"",
        int(said.get(b"RFC822.SIZE") or len(source or b"")),
        when,
        marks_of(said.get(b"FLAGS") or ()),
    )


def _tells_changes(told: Sequence[Any]) -> bool:
    return any(isinstance(each, tuple) and any(word in _CHANGES for word in each[:2]) for each in told)


def _reached(settings: Imap) -> _Client:
    tls = ssl.create_default_context(cafile=settings.ca) if settings.security == "tls" else None
    timeout = SocketTimeout(settings.timeout, settings.timeout)
    client = _Client(settings.host, settings.at, ssl=tls is not None, ssl_context=tls, timeout=timeout)
    client.normalise_times = False
    return client


def _sign_in(client: _Client, settings: Imap, password: Credential) -> None:
    """Make the connection safe, and sign in. Raises ``RefusedError``."""
    client.wire.allow(ANSWER)
    if settings.security == "starttls":
        client.starttls(ssl.create_default_context(cafile=settings.ca))
    why: list[str] = []
    try:
        if isinstance(password, Bearer):
            _show_token(client, settings.login, password.token, why)
        elif password.isascii() or not client.has_capability("AUTH=PLAIN"):
            client.login(settings.login, password)
        else:  # the other way supports ASCII only
            client.plain_login(settings.login, password)
    except LoginError as error:
        if isinstance(error.__context__, client.AbortError):
            raise error.__context__ from error  # the connection was lost, which the library does not distinguish
        raise RefusedError(_code(str(error)), "; ".join(filter(None, why))) from error


def _show_token(client: _Client, user: str, token: str, why: list[str]) -> None:
    """Sign in by a token. A server that refuses it says why, and waits for an empty line until it ends the command."""
    way = "OAUTHBEARER"
    if client.has_capability("AUTH=XOAUTH2") or not client.has_capability(f"AUTH={way}"):
        way = "XOAUTH2"
    asked = 0

    def answer(challenge: bytes) -> str:
        nonlocal asked
        asked += 1
        if asked == 1:
            return first_words(way, user, token)
        why.append(why_refused(challenge))
        return "" if way == "XOAUTH2" else "\1"

    try:
        client._command_and_check("authenticate", way, answer)
    except client.AbortError:
        raise
    except IMAPClientError as error:
        raise LoginError(str(error)) from None


def _code(words: str) -> str:
    """Return the code in brackets of a refusal (RFC 5530), without the rest: some servers repeat what they got."""
    _, _, rest = words.partition("[")
    code = rest.partition("]")[0]
    return code.upper() if code.isascii() and code.isalpha() else ""
