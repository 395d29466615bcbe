"""A copy of each sent mail in the account's folder of sent mail: one, and only if the server keeps none itself.

What is to be copied is a row and a file in the home before the mail leaves, so that a kill loses no copy; the file is
removed once the copy is kept. Some seconds after the send the folder is searched for the Message-ID: a copy that is
already there was stored by the server, which is then known to keep copies, or by an earlier try whose answer was lost.
If it is unknown whether a mail was sent, it is copied once the user has said that it was.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from email import message_from_string
from pathlib import Path
from typing import Final, Literal

from pepper_tui.boundary.new_file import new_file
from pepper_tui.boundary.plain_file import plain_bytes
from pepper_tui.clock import Clock, in_thread
from pepper_tui.connectors.imap.connection.link import Link
from pepper_tui.connectors.imap.connection.trouble import LostError, ServerError
from pepper_tui.connectors.imap.settings import Imap
from pepper_tui.model import CallState, ContextFilter, Namespace, Record
from pepper_tui.store import Store

COPIES: Final = "mail.copy"  # one context per mail sent from an account
SETTLES: Final = 10.0
"""Seconds in which a server that keeps a copy itself has stored it."""
BY_ITSELF: Final = "X-GM-EXT-1"
"""A capability of a server that is known to keep a copy itself: Gmail."""
AGAIN_AFTER: Final = 600.0
"""Seconds to the next try if a copy could not be stored."""
FOLDER: Final = "sent"  # in the home
KEEPERS: Final = "feed.imap_sent"  # one context per account whose server keeps copies itself

CopyState = Literal["waiting", "due", "kept", "dropped"]


@dataclass(slots=True)
class Copy(Record):
    """The copy of one sent mail.

    ``waiting`` until it is known that the mail has left, then ``due``; ``kept`` once it is in the folder. ``dropped``:
    no copy is needed. ``tried``: Pepper may have stored it there.
    """

    id: str
    account: str
    at: float
    state: CopyState = "waiting"
    tried: bool = False


class SentCopies:
    """The copies of one account. ``changed`` is set when one has become due."""

    def __init__(self, ident: str, settings: Imap, home: Path, store: Store, clock: Clock) -> None:
        self._ident, self._settings, self._folder = ident, settings, home / FOLDER
        self._store, self._clock = store, clock
        self._open = True  # whether there may be rows to process
        self._next = float("inf")  # when the next one is to be stored
        self._not_before = 0.0
        self.trouble = ""
        self.changed = asyncio.Event()

    async def note(self, message: str) -> str:
        """Note a mail that is about to be sent, and return its Message-ID; empty if no copy is kept."""
        if not self._settings.keep_copy:
            return ""
        message_id = str(message_from_string(message)["Message-ID"] or "")
        await in_thread(self._write, message_id, message)
        await self._keep(self._store, Copy(message_id, self._ident, self._clock.now()))
        self._open = True
        return message_id

    async def settle(self, message_id: str, *, sent: bool) -> None:
        """Record whether the mail has left."""
        if not message_id:
            return
        copy = Copy.one(await self._store.get(message_id, namespace=COPIES))
        if copy is not None:
            await self._settled(self._store, copy, sent=sent)
            self._next = min(self._next, self._clock.now() + SETTLES)
            self.changed.set()

    def pause(self) -> float:
        """Return the seconds until a copy is to be stored."""
        return max(0.0, self._next - self._clock.now())

    async def put(self, link: Link) -> None:
        """Store the copies that are due in the folder. Raises ``LostError``; other failures are put in ``trouble``."""
        self.changed.clear()
        store, clock = self._store, self._clock
        if not self._open or clock.now() < self._not_before:
            return
        ripe_since = clock.now() - SETTLES
        for copy in await self._rows(store, "waiting"):
            if copy.at <= ripe_since:
                await self._ask_call(store, copy)
        due = await self._rows(store, "due")
        ripe = [copy for copy in due if copy.at <= ripe_since]
        try:
            if ripe:
                await self._put_all(store, link, ripe)
            self.trouble = ""
        except LostError:
            raise
        except (ServerError, OSError) as error:
            self.trouble = f"no copy of what was sent could be kept: {error}"
            self._not_before = clock.now() + AGAIN_AFTER
        left = await self._rows(store, "due")
        self._next = max(self._not_before, min((copy.at + SETTLES for copy in left), default=float("inf")))
        self._open = bool(left or await self._rows(store, "waiting"))

    async def _put_all(self, store: Store, link: Link, copies: Sequence[Copy]) -> None:
        at = f"{self._settings.login}@{self._settings.host}"
        keeper = await store.get(self._ident, namespace=KEEPERS)
        if link.session.can(BY_ITSELF) or (keeper is not None and keeper.data.get("at") == at):
            for copy in copies:
                await self._end(store, copy, "kept")
            return
        folder = self._settings.sent or await link.do(link.session.sent_folder)
        if not folder:
            raise ServerError("the server marks no folder for sent mail", f"name it in sent of account {self._ident}")
        await link.do(link.session.open, folder)
        for copy in copies:
            if await link.do(link.session.holds, copy.id):
                if not copy.tried:
                    await store.store({"at": at}, namespace=KEEPERS, context_id=self._ident)
            else:
                message = await in_thread(self._read, copy.id)
                if message:
                    await self._keep(store, replace(copy, tried=True))
                    await link.do(link.session.append, folder, message)
            await self._end(store, copy, "kept")

    async def _ask_call(self, store: Store, copy: Copy) -> None:
        """Settle what was under way when Pepper ended, once its call is known to have succeeded or failed."""
        noted = await store.get(copy.id, namespace=Namespace.SENT)
        call = await store.get(str(noted.data.get("call")), namespace=Namespace.TOOL_CALL) if noted else None
        state = call.data.get("state") if call is not None else CallState.FAILED
        if state == CallState.SUCCEEDED:
            await self._settled(store, copy, sent=True)
        elif state in (CallState.FAILED, CallState.CANCELLED):
            await self._settled(store, copy, sent=False)

    async def _settled(self, store: Store, copy: Copy, *, sent: bool) -> None:
        if copy.state != "waiting":
            return
        if sent:
            await self._keep(store, replace(copy, state="due", at=self._clock.now()))
        else:
            await self._end(store, copy, "dropped")

    async def _end(self, store: Store, copy: Copy, state: CopyState) -> None:
        await self._keep(store, replace(copy, state=state))
        await in_thread(self._path(copy.id).unlink, True)

    async def _keep(self, store: Store, copy: Copy) -> None:
        await store.put(copy, namespace=COPIES, context_id=copy.id, tags={copy.state})

    async def _rows(self, store: Store, state: CopyState) -> list[Copy]:
        wanted = ContextFilter(namespaces=[COPIES], tags=[state], limit=None, newest_first=False)
        return [copy for copy in Copy.readable(await store.query(wanted)) if copy.account == self._ident]

    def _path(self, message_id: str) -> Path:
        return self._folder / f"{hashlib.sha256(message_id.encode()).hexdigest()[:32]}.eml"

    def _write(self, message_id: str, message: str) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._path(message_id)
        path.unlink(missing_ok=True)
        with new_file(path) as file:
            file.write(message)

    def _read(self, message_id: str) -> bytes:
        """Return the message; empty if somebody has removed it."""
        try:
            return plain_bytes(self._path(message_id))
        except FileNotFoundError:
            return b""
