"""The mail of one account, by IMAP: the first folder is watched, the others are polled.

A server's push (IDLE) is only a hint; what lies above the last UID is the truth, and is asked for after each hint, and
each ``scan_interval`` anyway; so is what has become of the mails (``changes.py``). After each ``probe`` seconds of
silence the server is asked whether it is there, so that a link that died silently is found and replaced. During a long
import, arriving mail goes first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pepper_tui.clock import in_thread
from pepper_tui.connectors.bearer import Bearer, Credential
from pepper_tui.connectors.imap.connection.link import Link, linked
from pepper_tui.connectors.imap.connection.trouble import LostError, SignInError, trouble
from pepper_tui.connectors.imap.intake.changes import Changes
from pepper_tui.connectors.imap.intake.cursor import CURSORS, Cursor
from pepper_tui.connectors.imap.intake.folder import FolderReader, History
from pepper_tui.connectors.imap.sent import SentCopies
from pepper_tui.connectors.imap.settings import Imap
from pepper_tui.domains.mail.intake.processor import MailIntake, Pace, tell_progress
from pepper_tui.domains.mail.intake.raw_mail import partly_read
from pepper_tui.feeds.feed import STEADY, FeedContext, FeedError
from pepper_tui.model import ContextFilter

MANY: Final = 200  # mails in one import from which on progress is reported
GLANCE: Final = 1.0  # seconds between two checks for new arrivals
SIGN_IN_PAUSE: Final = 900.0
"""Seconds before a rejected password is tried again; many tries lock an account."""
_LOOK_AT_PASSWORD: Final = 30.0


class ImapFeed:
    """The feed of an account, under its ``name``."""

    def __init__(
        self, ident: str, settings: Imap, password: Callable[[], Credential], intake: MailIntake, copies: SentCopies
    ) -> None:
        """Create the feed. ``password`` reads the secret's current value; it blocks."""
        self.name = ident
        self._settings, self._password, self._intake, self._copies = settings, password, intake, copies
        self._pace = Pace()
        self._history = History()

    def listen(self, ctx: FeedContext) -> None:
        self._pace = self._intake.listen(ctx)

    async def run(self, ctx: FeedContext) -> None:
        while True:
            began = ctx.clock.monotonic()
            password = await self._read_password()
            try:
                async with linked(self._settings, self.name, password, ctx.clock) as link:
                    changes = Changes(self.name, self._history)
                    await _Visit(self._settings, self.name, self._copies, link, self._reader(), changes).stay(ctx)
            except SignInError as error:
                await ctx.health.report("trouble", str(error), error.remedy)
                if isinstance(password, Bearer):
                    password = await self._read_password()  # it was renewed, and that was refused, too
                await self._wait_for_another(ctx, password)
            except LostError:
                if ctx.clock.monotonic() - began < STEADY:
                    raise  # it was lost soon: the supervisor's pause grows

    def _reader(self) -> FolderReader:
        return FolderReader(self._settings, self.name, self._pace, self._history)

    async def _read_password(self) -> Credential:
        try:
            password = await in_thread(self._password)
        except Exception as error:
            raise trouble(error, self._settings, self.name) from error
        if not password:
            words = f"{self._settings.password} has no value"
            raise FeedError(words, f"set it, or fix password in account {self.name}")
        return password

    async def _wait_for_another(self, ctx: FeedContext, refused: Credential) -> None:
        """Return once the password has changed, or after ``SIGN_IN_PAUSE``."""
        until = ctx.clock.monotonic() + SIGN_IN_PAUSE
        while ctx.clock.monotonic() < until:
            await ctx.clock.sleep(_LOOK_AT_PASSWORD)
            if await self._read_password() != refused:
                return


class _Visit:
    """One connection, from sign-in to its end."""

    def __init__(
        self, settings: Imap, ident: str, copies: SentCopies, link: Link, reader: FolderReader, changes: Changes
    ) -> None:
        self._settings, self._ident, self._copies, self._link, self._reader = settings, ident, copies, link, reader
        self._changes = changes
        self._looked = float("-inf")  # when all folders were last checked
        self._glanced = float("-inf")
        self._at: Cursor | None = None  # the cursor of the folder that was read last
        self._toured = float("-inf")  # when the other folders were last checked during the import of one

    async def stay(self, ctx: FeedContext) -> None:
        """Take in what is there, then what arrives, until the link is lost."""
        first, changed = self._settings.folders[0], False
        while True:
            if ctx.clock.monotonic() - self._looked >= self._settings.scan_interval:
                for folder in self._settings.folders:
                    await self._take_all(ctx, folder)
                    await self._look(ctx, folder)
                self._looked = ctx.clock.monotonic()
            await self._copies.put(self._link)
            await self._take_new(ctx, first)
            if changed:
                await self._look(ctx, first)
                await self._take_new(ctx, first)
            changed = await self._wait(ctx)

    async def _look(self, ctx: FeedContext, folder: str) -> None:
        """Note what has become of the mails in the open folder."""

        async def others() -> None:
            for each in self._settings.folders:
                if each != folder:
                    await self._take_new(ctx, each)

        if self._at is not None:
            cursor = await self._changes.look(ctx, self._link, self._at, others)
            self._at = cursor if self._link.session.folder == folder else None

    async def _take_new(self, ctx: FeedContext, folder: str, known: Cursor | None = None) -> Cursor:
        """Take in the new mail of ``folder``, and return its cursor. ``known``: its cursor so far, if known."""
        session, cursor = self._link.session, known or self._at
        if cursor is not None and session.folder == folder and cursor.id == f"{self._ident}/{folder}":
            await self._link.do(session.noop)  # reopening a large folder costs a server seconds
        else:
            cursor = await self._reader.open(ctx, self._link, folder)
        self._at = await self._reader.take_new(ctx, self._link, cursor)
        return self._at

    async def _take_all(self, ctx: FeedContext, folder: str) -> None:
        async def meanwhile(cursor: Cursor, done: int, of: int) -> Cursor | None:
            """Take in what has arrived in any folder, and check that this folder has not been renumbered."""
            if of < MANY or ctx.clock.monotonic() - self._glanced < GLANCE:
                return cursor
            self._glanced = ctx.clock.monotonic()
            await tell_progress(ctx, done, of)
            if self._glanced - self._toured >= self._settings.scan_interval:
                self._toured = self._glanced
                for each in self._settings.folders:
                    if each != folder:
                        await self._take_new(ctx, each)
            now = await self._take_new(ctx, folder, cursor)
            return now if now.validity == cursor.validity else None

        while True:
            cursor = await self._take_new(ctx, folder)
            cursor = self._at = await self._reader.try_refused(ctx, self._link, cursor)
            if cursor.low <= 1:
                return
            await self._reader.take_old(ctx, self._link, cursor, meanwhile)
            self._at = None  # it has moved on meanwhile

    async def _wait(self, ctx: FeedContext) -> bool:
        """Return when something has arrived, there is something to do, or the server has been probed.

        True if the server reported changes of mails.
        """
        link, probe = self._link, min(self._settings.probe, self._settings.scan_interval)
        if not link.session.can("IDLE"):
            await self._tell(ctx)
            await ctx.wait(self._copies.changed, min(self._copies.pause(), self._settings.scan_interval))
            return await link.do(link.session.noop)
        await link.do(link.session.idle)
        await self._tell(ctx)
        await link.pushed(min(self._copies.pause(), probe), self._copies.changed)
        return await link.do(link.session.idle_done)

    async def _tell(self, ctx: FeedContext) -> None:
        settings, store = self._settings, ctx.store
        first, *others = settings.folders
        how = "watching" if self._link.session.can("IDLE") else f"looking each {settings.scan_interval:g} s at"
        words = f"{how} {first} of {settings.login} at {settings.host}"
        if others:
            words += f", and looking each {settings.scan_interval:g} s at {', '.join(others)}"
        cursors = await store.query(ContextFilter(namespaces=[CURSORS], limit=None))
        mine = [each for each in Cursor.readable(cursors) if each.id.partition("/")[0] == self._ident]
        refused = sum(len(each.refused) for each in mine)
        note = self._copies.trouble
        if refused or note:
            lost = f"{refused:,} mails were not given by the server, or not as a mail; {words}" if refused else words
            remedy = "look at them in another mail program" if refused else "it is tried again by itself"
            await ctx.health.report("trouble", "; ".join(filter(None, [note, lost])), remedy)
            return
        await ctx.health.report("ok", "; ".join(filter(None, [words, await partly_read(store)])))
