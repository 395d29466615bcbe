"""Mail from mbox files: what mail programs append is read from where the last scan ended, and nothing twice.

The position in a file is stored in the same unit as the mails, with digests of what precedes it. If those no longer
match (the file was rotated, cut or compacted), it is read from the beginning, and known mails are skipped. A locked
file is left for the next scan. The last mail is read once the file has not changed for a moment, so that none is read
half-written; if one grew anyway, it is read again under its own key.

Marks are read with each mail, and those of the newest again when the file has changed. Mails have left a file only if
they are missing after it was read from its beginning to its end, and others are there: an emptied file was fetched.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from watchfiles import Change, awatch

from pepper_tui.connectors.local_mail import MBOX_FILES, Holder, LocalMail
from pepper_tui.connectors.mbox.marks import use_of
from pepper_tui.connectors.mbox.mbox_file import (
    LockedError,
    Mark,
    NotMboxError,
    Stored,
    begins_at,
    mails_from,
    mark_at,
    marks_at,
    opened,
    still_holds,
)
from pepper_tui.domains.bounded import parse_mails
from pepper_tui.domains.mail.at_source.state import STATES, Copy, MailState, note_copies, noting
from pepper_tui.domains.mail.at_source.state import Mark as StateMark
from pepper_tui.domains.mail.content.mime import Mail
from pepper_tui.domains.mail.intake.processor import MailIntake, Pace
from pepper_tui.domains.mail.intake.raw_mail import known_mails, mail_key, partly_read, store_mail
from pepper_tui.feeds.feed import FeedContext, FeedError
from pepper_tui.model import ContextFilter, Json
from pepper_tui.store import Store

SOURCES: Final = "feed.mbox"  # one context per file: the position up to which it was read
CHUNK: Final = 25  # mails read per call in the thread
CHUNK_BYTES: Final = 8_000_000
NEWEST: Final = 200  # mails of a file whose marks are read again when it changes
SETTLED: Final = 1.0  # seconds without change before a file's last mail counts as complete
LONG_LOCKED: Final = 300.0  # seconds after which a lock is reported
STEP: Final = 100  # milliseconds between two checks of the watcher for kernel events
QUIET: Final = 300_000  # milliseconds after which the watcher wakes anyway


@dataclass(slots=True)
class _Piece:
    """The result of one read in the thread. ``rest``: more mails follow. ``torn``: the last mail may be incomplete."""

    mails: list[tuple[Stored, str, Mail]] = field(default_factory=list)
    mark: Mark = field(default_factory=lambda: Mark(0, "", ""))
    size: int = 0
    rest: bool = False
    torn: bool = False
    again: bool = False  # the file has been replaced: it was read from its beginning
    marked: list[tuple[str, list[StateMark]]] = field(default_factory=list)  # known mails with other marks than noted


class MboxFeed:
    """The feed of an account's mbox files, or those of ``[mail]``: ``config.paths``."""

    def __init__(self, config: LocalMail, intake: MailIntake, holder: Holder = MBOX_FILES) -> None:
        self.name = holder.name
        self._config, self._intake, self._holder = config, intake, holder
        self._seen: dict[Path, tuple[int, int, float]] = {}  # size, modification, and since when (monotonic)
        self._marked: dict[Path, tuple[int, int]] = {}  # size and modification when the marks were read last
        self._rereading: dict[
            Path, set[str]
        ] = {}  # mails found so far, of a file that is read again from its beginning
        self._locked: dict[Path, float] = {}  # since when (monotonic)
        self._defects: dict[Path, str] = {}
        self._changed = asyncio.Event()
        self._pace = Pace()

    def listen(self, ctx: FeedContext) -> None:
        self._pace = self._intake.listen(ctx)

    async def run(self, ctx: FeedContext) -> None:
        folders = {path.parent for path in self._config.paths}
        missing = [str(folder) for folder in folders if not await ctx.look(folder, folder.is_dir)]
        if missing:
            remedy = f"make the folder, or fix {self._holder.paths} in config.toml"
            raise FeedError(f"{', '.join(missing)}: not there", remedy)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch(folders))
            while True:
                self._changed.clear()
                waits = [await self._look(ctx, path) for path in self._config.paths]
                await self._tell(ctx)
                await ctx.wait(self._changed, min(waits))

    async def _watch(self, folders: set[Path]) -> None:
        names = {path.name for path in self._config.paths} | {f"{path.name}.lock" for path in self._config.paths}

        def is_ours(change: Change, path: str) -> bool:
            del change
            return Path(path).name in names

        try:
            changes = awatch(
                *folders, watch_filter=is_ours, debounce=200, step=STEP, rust_timeout=QUIET, recursive=False
            )
            async for _ in changes:
                self._changed.set()
        except OSError:  # no watches left: the regular scan continues
            return

    async def _tell(self, ctx: FeedContext, progress: str = "") -> None:
        if self._defects:
            words = "; ".join([*(f"{path}: {defect}" for path, defect in self._defects.items()), progress])
            remedy = f"fix the file or its permissions, or {self._holder.paths} in config.toml"
            await ctx.health.report("trouble", words.removesuffix("; "), remedy)
        elif progress:
            await ctx.health.report("starting", progress)
        else:
            said = [f"watching {', '.join(map(str, self._config.paths))}", await partly_read(ctx.store)]
            await ctx.health.report("ok", "; ".join(filter(None, said)))

    # --------------------------------------------------------------------------------------------------------- a look

    async def _look(self, ctx: FeedContext, path: Path) -> float:
        """Read what is new; return the seconds to the next scan of it."""
        later = self._config.scan_interval
        while True:
            found = await ctx.store.get(str(path), namespace=SOURCES)
            state: Json = found.data if found else {"first_seen": ctx.clock.now(), "backlog_to": None, "last": None}
            try:
                piece = await ctx.look(path, self._read, path, state, ctx.clock.monotonic())
            except FileNotFoundError:  # some programs remove an empty file
                self._seen.pop(path, None)
                self._defects.pop(path, None)
                if found is None:  # whatever it will hold is new
                    await self._put(ctx, path, {**state, "backlog_to": 0})
                return later
            except LockedError:
                since = self._locked.setdefault(path, ctx.clock.monotonic())
                if ctx.clock.monotonic() - since >= LONG_LOCKED:
                    minutes = LONG_LOCKED / 60
                    self._defects[path] = f"locked for more than {minutes:g} minutes; is {path}.lock left over?"
                return SETTLED
            except (OSError, NotMboxError) as error:
                words = error.strerror if isinstance(error, OSError) else "it is not an mbox file"
                self._defects[path] = words or type(error).__name__
                return later
            self._locked.pop(path, None)
            self._defects.pop(path, None)
            if piece is None:
                return later
            await self._take(ctx, path, state, piece)
            if piece.rest:
                share = 100 * piece.mark.offset // max(1, piece.size)
                await self._tell(ctx, f"taking in your mail: {share} % of {path.name}")
                await self._pace.keep(ctx.store)
            else:
                return SETTLED if piece.torn else later

    def _read(self, path: Path, state: Json, now: float) -> _Piece | None:
        """Return the next mails, or ``None`` if nothing has changed. Blocking."""
        with opened(path) as file:
            status = _status(file.fileno())
            seen = self._seen.get(path)
            since = seen[2] if seen and seen[:2] == status else now
            self._seen[path] = (*status, since)
            settled = now - since >= SETTLED
            mark = Mark(**state["mark"]) if state.get("mark") else None
            halted = state.get("rereading") and path not in self._rereading  # the program ended meanwhile
            holds = mark is not None and not halted and still_holds(file, mark)
            if mark is not None and mark.offset == status[0] and holds:
                return self._remarked(path, file, status, state, mark)
            piece = _Piece(size=status[0])
            start = 0
            if mark is not None and holds:
                start = mark.offset
                if not begins_at(file, start) and state["last"]:
                    start = state["last"]["start"]  # that mail was read before it was complete
            elif mark is not None:
                piece.again = True
            end, total = start, 0
            read: list[Stored] = []
            for stored in mails_from(file, start, self._config.max_bytes):
                if len(read) == CHUNK or total > CHUNK_BYTES:
                    piece.rest = True
                    break
                if stored.end == status[0] and not settled:
                    piece.torn = True
                    break
                read.append(stored)
                total += len(stored.source)
                end = stored.end
            mails = parse_mails([stored.source for stored in read], self._config.max_bytes)
            for stored, mail in zip(read, mails, strict=True):
                mail.size = stored.end - stored.start
                piece.mails.append((stored, mail_key(mail), mail))
            piece.mark = mark_at(file, end)
            return piece

    def _remarked(self, path: Path, file: BinaryIO, status: tuple[int, int], state: Json, mark: Mark) -> _Piece | None:
        """Return the newest mails whose marks have changed, or ``None``. Blocking."""
        if self._marked.get(path) == status:
            return None
        self._marked[path] = status
        marked = []
        for start, key, noted in state.get("newest", []):
            marks = marks_at(file, start)
            if marks is not None and marks != noted:
                marked.append((key, marks))
        return _Piece(mark=mark, size=status[0], marked=marked) if marked else None

    async def _take(self, ctx: FeedContext, path: Path, state: Json, piece: _Piece) -> None:
        backlog_to = piece.size if state["backlog_to"] is None else state["backlog_to"]
        last = state["last"]
        taken: set[str] = set()
        if piece.again:
            self._rereading[path] = set()
        newest = [] if piece.again else [*state.get("newest", [])]
        copies: dict[str, list[Copy]] = {key: [self._copy(path, key, marks)] for key, marks in piece.marked}
        first = piece.mails[0][0].start if piece.mails else piece.size
        newest = [[at, key, dict(piece.marked).get(key, marks)] for at, key, marks in newest if at < first]
        known = await known_mails(ctx.store, {its_key for _, its_key, _ in piece.mails})
        async with noting(ctx.store):
            for stored, its_key, mail in piece.mails:
                key = its_key
                if not piece.again and last and (last["start"], last["message_id"]) == (stored.start, mail.message_id):
                    key = last["key"]  # the same mail, now complete
                copies[key] = [self._copy(path, key, stored.marks)]
                newest.append([stored.start, key, stored.marks])
                if key not in taken:
                    taken.add(key)
                    await store_mail(
                        ctx,
                        key,
                        mail,
                        known.get(key),
                        path=path,
                        label=path.name,
                        arrived=stored.arrived or ctx.clock.now(),
                        files=[[str(path), key]],
                        backlog=stored.start < backlog_to,
                        grown=key != its_key,
                        account=self._holder.account,
                        copy=copies[key][0],
                    )
            if piece.mails:
                stored, key, mail = piece.mails[-1]
                last = {"start": stored.start, "key": key, "message_id": mail.message_id}
            # once everything seen at first sight is stored, whatever comes later is news
            done = not piece.rest and (not piece.torn or piece.mark.offset >= backlog_to)
            mark = {"offset": piece.mark.offset, "head": piece.mark.head, "tail": piece.mark.tail}
            found = self._rereading.get(path)
            whole = found is not None and not piece.rest and not piece.torn
            if found is not None:
                found.update(copies)
            gone = await _missing(ctx.store, path, self.name, found) if found and whole else ()
            await note_copies(ctx.store, copies, gone)
            state = {**state, "mark": mark, "last": last, "backlog_to": 0 if done else backlog_to}
            state |= {"newest": newest[-NEWEST:], "rereading": found is not None and not whole}
            await self._put(ctx, path, state)
        if whole:
            del self._rereading[path]

    def _copy(self, path: Path, key: str, marks: list[StateMark]) -> Copy:
        return Copy(_place(path, key), self.name, path.name, use_of(path), marks)

    @staticmethod
    async def _put(ctx: FeedContext, path: Path, state: Json) -> None:
        await ctx.store.store(state, namespace=SOURCES, context_id=str(path))


def _place(path: Path, key: str) -> str:
    return f"mbox:{path}/{key}"


async def _missing(store: Store, path: Path, name: str, found: set[str]) -> list[str]:
    """Return the places of the file's mails that are not among those ``found`` in it."""
    there, missing, after = {_place(path, key) for key in found}, [], 0
    tags, root = [f"in:{name}/{path.name}"], _place(path, "")
    while True:
        page = await store.query(
            ContextFilter(namespaces=[STATES], tags=tags, after_seq=after, newest_first=False, limit=500)
        )
        for state in MailState.readable(page):
            missing += [each.place for each in state.copies if each.place.startswith(root) and each.place not in there]
        if len(page) < 500:
            return missing
        after = page[-1].seq


def _status(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_size, status.st_mtime_ns
