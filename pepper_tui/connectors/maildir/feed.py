"""Mail from Maildirs: watched, so that a new mail is seen within a second, and also scanned at intervals.

A mail is known by its unique name, which stays the same when it moves from ``new`` to ``cur`` or gets a flag, and
stored under a key of its Message-ID and bytes. Whatever a folder tree holds at first sight comes in as ``log``; later
mail makes signals, even if it arrived while Pepper was down. While a backlog is read, newly arrived mail goes first.
The bytes stay in the Maildir. What becomes of a mail there is noted as the state of its copy (``copies.py``).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Container, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from watchfiles import Change, awatch

from pepper_tui.boundary.plain_file import NotPlainError, open_plain
from pepper_tui.connectors.local_mail import MAILDIRS, Holder
from pepper_tui.connectors.maildir.copies import INBOX, copy_of, label_at, label_of, letters_in, letters_of, place_of
from pepper_tui.connectors.maildir.settings import Maildirs
from pepper_tui.connectors.maildir.tree import PARTS, mail_folders
from pepper_tui.domains.bounded import parse_mails
from pepper_tui.domains.mail.at_source.state import STATES, Copy, MailState, note_copies, noting
from pepper_tui.domains.mail.content.mime import Mail
from pepper_tui.domains.mail.intake.processor import MailIntake, Pace, progress_words
from pepper_tui.domains.mail.intake.raw_mail import RAW, known_mails, mail_key, partly_read, store_mail
from pepper_tui.feeds.feed import FeedContext, FeedError, HealthState
from pepper_tui.model import ContextFilter, Json
from pepper_tui.store import Store

SOURCES: Final = "feed.mail"  # one context per Maildir: when it was first seen, and whether that scan was finished
CHUNK: Final = 25  # mails read per call in the thread
NOTED: Final = 100  # copies noted in one commit
MANY: Final = 200  # mails of one scan from which on its progress is reported
GLANCE: Final = 0.5  # seconds between two checks for mail that has arrived meanwhile
STEP: Final = 100  # milliseconds between two checks of the watcher for kernel events
_NAMED: Final = 3  # unreadable files that are named
QUIET: Final = 300_000  # milliseconds after which the watcher wakes anyway


@dataclass(frozen=True, slots=True)
class Found:
    """A file of a Maildir. ``name`` is its unique part, ``label`` its folder; ``key`` identifies it."""

    name: str
    path: Path
    label: str
    root: Path

    @property
    def key(self) -> tuple[str, str]:
        return (str(self.root), self.name)

    @property
    def place(self) -> str:
        return place_of(self.root, self.label, self.name)

    @property
    def letters(self) -> str:
        return letters_in(self.path.name)


def list_maildir(root: Path) -> list[Found]:
    """List all mails below ``root`` (see ``mail_folders``). Blocking."""
    found: list[Found] = []
    for folder in mail_folders(root):
        label = label_of(root, folder)
        for part in PARTS:
            try:
                with os.scandir(folder / part) as entries:
                    found.extend(
                        Found(entry.name.split(":2,")[0], Path(entry.path), label, root)
                        for entry in entries
                        if not entry.name.startswith(".") and entry.is_file()
                    )
            except (FileNotFoundError, NotADirectoryError):
                continue
    return found


def list_arrived(root: Path, folders: Iterable[tuple[Path, str]], listed: Container[str]) -> list[Found]:
    """List the mails in ``new`` of ``folders`` (path and label each), except names in ``listed``. Blocking."""
    found: list[Found] = []
    for folder, label in folders:
        try:
            with os.scandir(folder / "new") as entries:
                found.extend(
                    Found(name, Path(entry.path), label, root)
                    for entry in entries
                    if not entry.name.startswith(".") and (name := entry.name.split(":2,")[0]) not in listed
                )
        except OSError:
            continue  # the next full scan reports what is wrong
    return found


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a Maildir has found: the ``new`` mails in the order of their names, the names of all, the
    folders (path and label each) of the new ones, known mails whose copies ``changed``, and places with none any more.
    """

    new: list[Found]
    names: frozenset[str]
    folders: frozenset[tuple[Path, str]]
    changed: list[Found]
    gone: list[str]


def look_at(root: Path, known: Container[tuple[str, str]], copies: Mapping[str, str]) -> Look:
    """List all mails below ``root`` and tell the new ones from those ``known`` by their keys.

    ``copies``: the letters of their marks as noted, by place. Blocking: some 70 ms for 20,000 mails, so keep it off the
    event loop.
    """
    listed = list_maildir(root)
    new = [found for found in listed if found.key not in known]
    # folders list in any order; names begin with the time, so that the oldest mail is reported first
    new.sort(key=lambda found: found.name)
    folders = frozenset({(root, INBOX), *((found.path.parent.parent, found.label) for found in new)})
    there = {found.place: found for found in listed}
    changed = [found for place, found in there.items() if found.key in known and copies.get(place) != found.letters]
    gone = [place for place in copies if place not in there]
    return Look(new, frozenset(found.name for found in listed), folders, changed, _sure(root, gone))


def _sure(root: Path, gone: list[str]) -> list[str]:
    """Return those of ``gone`` that are not there at a second look either, in folders that can be seen.

    A file that another program moves or renames meanwhile may be listed nowhere, and a disk that is not there is empty.
    """
    if not gone:
        return []
    there = {found.place for found in list_maildir(root)}
    seen = {label_of(root, folder) for folder in mail_folders(root) if (folder / "cur").is_dir()}
    return [place for place in gone if place not in there and label_at(place, root) in seen]


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail that was read: its file, its key, its content, and when it arrived (POSIX seconds)."""

    found: Found
    key: str
    mail: Mail
    arrived: float


def read_mails(files: Sequence[Found], max_bytes: int, refused: dict[tuple[str, str], str]) -> list[Taken]:
    """Read the mails in ``files``, skipping those that have gone or moved. Blocking.

    Files that can't be opened or read go into ``refused``: the reason, by key.
    """
    sources: list[tuple[Found, bytes, os.stat_result]] = []
    for found in files:
        refused.pop(found.key, None)
        try:
            with open_plain(found.path) as file:
                sources.append((found, file.read(max_bytes + 1), os.fstat(file.fileno())))
        except (FileNotFoundError, NotPlainError):
            continue
        except OSError as error:
            refused[found.key] = f"{found.path.name}: {error.strerror or type(error).__name__}"
    taken = []
    for (found, _, status), mail in zip(sources, parse_mails([one[1] for one in sources], max_bytes), strict=True):
        mail.size = status.st_size
        taken.append(Taken(found, mail_key(mail), mail, status.st_mtime))
    return taken


def _is_mail(change: Change, path: str) -> bool:
    del change
    return Path(path).parent.name in ("new", "cur")


class MaildirFeed:
    """The feed of an account's Maildirs, or those of ``[mail]``. ``config.paths`` are the folder trees."""

    def __init__(self, config: Maildirs, intake: MailIntake, holder: Holder = MAILDIRS) -> None:
        self.name = holder.name
        self._config, self._intake, self._holder = config, intake, holder
        self._known: dict[tuple[str, str], str] = {}  # the mail's id by root and unique name
        self._copies: dict[Path, dict[str, str]] = {}  # by root: the letters of the marks as noted, by place
        self._taking = asyncio.Lock()
        self._pace = Pace()
        self._standing: tuple[HealthState, str, str] = ("starting", "", "")  # the health while nothing is being read
        self._refused: dict[tuple[str, str], str] = {}  # why a file can't be read, by its key

    def listen(self, ctx: FeedContext) -> None:
        self._pace = self._intake.listen(ctx)

    async def run(self, ctx: FeedContext) -> None:
        missing = [str(root) for root in self._config.paths if not await ctx.look(root, root.is_dir)]
        if missing:
            remedy = f"make the folder, or fix {self._holder.paths} in config.toml"
            raise FeedError(f"{', '.join(missing)}: not there", remedy)
        await self._recall(ctx.store)
        self._standing = ("ok", f"watching {', '.join(map(str, self._config.paths))}", "")
        await self._look(ctx)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch(ctx))
            tasks.create_task(self._rescan(ctx))

    async def _recall(self, store: Store) -> None:
        """Load the known files from the store, and their copies."""
        self._known.clear()
        self._copies = {root: {} for root in self._config.paths}
        roots = frozenset(map(str, self._config.paths))
        after = 0
        while True:
            page = await store.query(ContextFilter(namespaces=[STATES], after_seq=after, newest_first=False, limit=500))
            for copy in (copy for state in MailState.readable(page) for copy in state.copies):
                self._remember(copy)
            if len(page) < 500:
                break
            after = page[-1].seq
        after = 0
        while True:
            page = await store.query(
                ContextFilter(namespaces=[RAW], after_seq=after, newest_first=False, limit=200, include_expired=True)
            )
            for context in page:
                files = [(root, name) for root, name in context.data.get("files", []) if root in roots]
                self._known.update((file, context.context_id) for file in files)
            if len(page) < 200:
                break
            after = page[-1].seq

    def _remember(self, copy: Copy) -> None:
        roots = [root for root in self._copies if label_at(copy.place, root)]
        if roots:
            self._copies[max(roots, key=lambda root: len(root.parts))][copy.place] = letters_of(copy)

    async def _watch(self, ctx: FeedContext) -> None:
        try:
            changes = awatch(
                *self._config.paths,
                watch_filter=_is_mail,
                debounce=200,
                step=STEP,
                rust_timeout=QUIET,
            )
            change = asyncio.ensure_future(anext(changes))
            await asyncio.sleep(0)  # the watch is active once started: this finds what came since the first scan
            try:
                while True:
                    await self._look(ctx)
                    await change
                    change = asyncio.ensure_future(anext(changes))
            except StopAsyncIteration:
                return
            finally:
                change.cancel()
                await asyncio.gather(change, return_exceptions=True)
        except OSError as error:
            words = f"can't watch ({error}); looking each {self._config.scan_interval:g} s instead"
            self._standing = ("trouble", words, "raise fs.inotify.max_user_watches")
            await self._tell(ctx)

    async def _tell(self, ctx: FeedContext, progress: str = "") -> None:
        """Report the health, including what could not be read, or not completely."""
        state, words, remedy = self._standing
        if progress:
            state, words, remedy = "starting", progress, ""
        if self._refused:
            few = "; ".join([*self._refused.values()][:_NAMED])
            words = f"{len(self._refused):,} mails can't be read, and are tried again: {few}; {words}"
            state, remedy = "trouble", remedy or "fix the files' permissions"
        await ctx.health.report(state, "; ".join(filter(None, [words, await partly_read(ctx.store)])), remedy)

    async def _rescan(self, ctx: FeedContext) -> None:
        while True:
            await ctx.clock.sleep(self._config.scan_interval)
            await self._look(ctx)

    async def _look(self, ctx: FeedContext) -> None:
        """Read every mail that is not known yet."""
        async with self._taking:
            for root in self._config.paths:
                try:
                    look = await ctx.look(root, look_at, root, self._known, self._copies[root])
                except OSError as error:
                    raise FeedError(f"{root}: {error.strerror}", "fix the folder or its permissions") from error
                self._refused = {
                    (of, name): why
                    for (of, name), why in self._refused.items()
                    if name in look.names or of != str(root)
                }
                await self._take(ctx, root, look)
                await self._note(ctx, root, look)
            await self._tell(ctx)

    async def _take(self, ctx: FeedContext, root: Path, look: Look) -> None:
        known = await ctx.store.get(str(root), namespace=SOURCES)
        source: Json = known.data if known else {"first_seen": ctx.clock.now(), "complete": False}
        if known is None:
            await ctx.store.store({**source}, namespace=SOURCES, context_id=str(root))
        first_sight = not source["complete"]
        new, glanced, done = look.new, ctx.clock.monotonic(), 0
        async with aclosing(self._chunks(ctx, root, new)) as chunks:
            async for chunk in chunks:
                if len(new) >= MANY:
                    await self._pace.keep(ctx.store)
                    if done == 0 or ctx.clock.monotonic() - glanced >= GLANCE:
                        glanced = ctx.clock.monotonic()
                        there = await ctx.look(root, list_arrived, root, look.folders, look.names)
                        fresh = [found for found in there if found.key not in self._known]
                        for at in range(0, len(fresh), CHUNK):
                            arrived = await ctx.look(root, self._read, fresh[at : at + CHUNK])
                            await self._store(ctx, root, arrived, lambda _: False)
                        await self._tell(ctx, progress_words(done, len(new)))
                # after a crash during the first scan, mail that came since then is no backlog
                await self._store(
                    ctx, root, chunk, lambda at: first_sight and (known is None or at <= source["first_seen"])
                )
                done += CHUNK
        if first_sight:
            await ctx.store.store({**source, "complete": True}, namespace=SOURCES, context_id=str(root))

    async def _note(self, ctx: FeedContext, root: Path, look: Look) -> None:
        """Note what has become of known mails. Where they are now comes first: what has moved is never nowhere."""
        for at in range(0, len(look.changed), NOTED):
            part = look.changed[at : at + NOTED]
            seen: dict[str, list[Copy]] = {}
            for found in part:
                seen.setdefault(self._known[found.key], []).append(self._copy(found))
            last = at + NOTED >= len(look.changed)
            async with noting(ctx.store):
                await note_copies(ctx.store, seen, look.gone if last else ())
            self._copies[root].update((found.place, found.letters) for found in part)
        if look.gone and not look.changed:
            async with noting(ctx.store):
                await note_copies(ctx.store, {}, look.gone)
        for place in look.gone:
            del self._copies[root][place]

    def _copy(self, found: Found) -> Copy:
        copy = copy_of(self.name, found.root, found.label, found.place, found.letters)
        return replace(copy, use=self._config.uses.get(found.label) or copy.use)

    async def _chunks(self, ctx: FeedContext, root: Path, files: Sequence[Found]) -> AsyncGenerator[list[Taken], None]:
        """Read ``files`` in chunks: the next chunk while the last one is stored."""
        reading: asyncio.Task[list[Taken]] | None = None
        try:
            for at in range(0, len(files) + CHUNK, CHUNK):
                before, part = reading, files[at : at + CHUNK]
                read = await before if before is not None else None
                look = ctx.look(root, self._read, part) if part else None
                reading = asyncio.ensure_future(look) if look is not None else None
                if read is not None:
                    yield read
        finally:
            if reading is not None:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    def _read(self, files: Sequence[Found]) -> list[Taken]:
        return read_mails(files, self._config.max_bytes, self._refused)

    async def _store(
        self, ctx: FeedContext, root: Path, taken: Sequence[Taken], is_old: Callable[[float], bool]
    ) -> None:
        """Store a few mails in one unit. ``is_old``: whether mail of that arrival time is backlog."""
        known = await known_mails(ctx.store, {one.key for one in taken})
        files: dict[str, list[list[str]]] = {}  # by mail; a unit's own writes can't be read before its commit
        copies: dict[str, list[Copy]] = {}
        async with noting(ctx.store):
            for one in taken:
                copy = self._copy(one.found)
                copies.setdefault(one.key, []).append(copy)
                files.setdefault(one.key, []).append([str(one.found.root), one.found.name])
                await store_mail(
                    ctx,
                    one.key,
                    one.mail,
                    known.get(one.key),
                    path=one.found.path,
                    label=one.found.label,
                    arrived=one.arrived,
                    files=[*files[one.key]],
                    backlog=is_old(one.arrived),
                    account=self._holder.account,
                    copy=copy,
                )
            await note_copies(ctx.store, copies)
        self._known.update((one.found.key, one.key) for one in taken)
        self._copies[root].update((one.found.place, one.found.letters) for one in taken)
