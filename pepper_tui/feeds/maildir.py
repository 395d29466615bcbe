"""Mail from Maildirs: watched, so that a new mail is seen within a second, and looked through now and then besides.

A mail is known by its unique name, which stays when it moves from ``new`` to ``cur`` or gets a flag, and stored under
a key of its Message-ID and bytes. What is there at the first sight of a folder tree comes in as ``log``; what arrives
later signals, also when it arrived while Pepper was down. The bytes stay in the Maildir.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from watchfiles import Change, awatch

from pepper_tui.config import Mail as MailConfig
from pepper_tui.feeds.feed import FeedContext, FeedError, store_signal
from pepper_tui.feeds.mime import Mail, parse_mail
from pepper_tui.feeds.reply_text import telling_lines
from pepper_tui.feeds.triage import Facts, Triage
from pepper_tui.model import ContextFilter, ContextUpdate, Json, Namespace, Priority, Signal
from pepper_tui.store import ContextStore
from pepper_tui.text import one_line

NAME: Final = "mail"
RAW: Final = f"{Namespace.RAW}.{NAME}"
SOURCES: Final = "feed.mail"  # one context a Maildir: when it was first seen, and whether that look was finished
CHUNK: Final = 25  # mails read in one go of the thread
FOLDERS_DEPTH: Final = 4
INDEXED: Final = 50_000  # characters of a body that search finds
STEP: Final = 100  # milliseconds between two looks of the watcher at what the kernel has told it
QUIET: Final = 300_000  # milliseconds after which it wakes for nothing


@dataclass(frozen=True, slots=True)
class Found:
    """A file of a Maildir. ``name`` is its unique part, ``label`` its folder."""

    name: str
    path: Path
    label: str
    root: Path


def list_maildir(root: Path) -> list[Found]:
    """All mails below ``root``: the Maildir itself and its folders (``.Name`` or plain). Blocking."""
    found: list[Found] = []
    stack = [(root, 0)]
    while stack:
        folder, depth = stack.pop()
        label = folder.relative_to(root).as_posix().lstrip(".") if folder != root else "INBOX"
        for part in ("new", "cur"):
            try:
                with os.scandir(folder / part) as entries:
                    found.extend(
                        Found(entry.name.split(":2,")[0], Path(entry.path), label, root)
                        for entry in entries
                        if not entry.name.startswith(".") and entry.is_file()
                    )
            except (FileNotFoundError, NotADirectoryError):
                continue
        if depth < FOLDERS_DEPTH:
            with os.scandir(folder) as entries:
                stack.extend(
                    (Path(entry.path), depth + 1)
                    for entry in entries
                    if entry.name not in ("new", "cur", "tmp") and entry.is_dir(follow_symlinks=False)
                )
    return found


def read_mail(found: Found, max_bytes: int) -> tuple[str, Mail, float] | None:
    """Key, content and arrival of a mail; ``None`` where its file has gone or moved. Blocking."""
    try:
        with found.path.open("rb") as file:
            status = os.fstat(file.fileno())
            source = file.read(max_bytes + 1)
    except (FileNotFoundError, IsADirectoryError):
        return None
    mail = parse_mail(source, max_bytes)
    mail.size = status.st_size
    key = hashlib.sha256(f"{mail.message_id}\n{mail.digest}".encode()).hexdigest()
    return f"mail_{key[:32]}", mail, status.st_mtime


def _is_mail(change: Change, path: str) -> bool:
    del change
    return Path(path).parent.name in ("new", "cur")


class MaildirFeed:
    """The feed ``mail``. ``config.maildir`` are the folder trees."""

    name = NAME

    def __init__(self, config: MailConfig, triage: Triage) -> None:
        self._config = config
        self._triage = triage
        self._known: set[tuple[str, str]] = set()  # (root, unique name)
        self._taking = asyncio.Lock()

    def listen(self, ctx: FeedContext) -> None:
        async def process(updates: list[ContextUpdate]) -> None:
            for update in updates:
                if not update.deleted:
                    async with ctx.processing(update.seq):
                        await self._signal(ctx.store, update)

        ctx.subscriber.on_context_batch(
            namespaces=[RAW], size=100, longest_wait=0.0, name="feeds.mail", start="beginning"
        )(process)

    async def run(self, ctx: FeedContext) -> None:
        if not self._config.maildir:
            raise FeedError("no Maildir is set", "set mail.maildir in config.toml")
        missing = [str(root) for root in self._config.maildir if not await asyncio.to_thread(root.is_dir)]
        if missing:
            raise FeedError(f"{', '.join(missing)}: not there", "make the folder, or mend mail.maildir in config.toml")
        await self._recall(ctx.store)
        await self._look(ctx)
        await ctx.health.report("ok", self._summary())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch(ctx))
            tasks.create_task(self._rescan(ctx))

    def _summary(self) -> str:
        return f"watching {', '.join(map(str, self._config.maildir))}"

    async def _recall(self, store: ContextStore) -> None:
        """Learn from the store which files are known."""
        self._known.clear()
        after = 0
        while True:
            page = await store.query(
                ContextFilter(namespaces=[RAW], after_seq=after, newest_first=False, limit=200, include_expired=True)
            )
            for context in page:
                self._known.update((root, name) for root, name in context.data.get("files", []))
            if len(page) < 200:
                break
            after = page[-1].seq

    async def _watch(self, ctx: FeedContext) -> None:
        try:
            changes = awatch(
                *self._config.maildir,
                watch_filter=_is_mail,
                debounce=200,
                step=STEP,
                rust_timeout=QUIET,
            )
            change = asyncio.ensure_future(anext(changes))
            await asyncio.sleep(0)  # the watch is on once it has begun: what came since the first look is found here
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
            await ctx.health.report(
                "trouble",
                f"can't watch ({error}); looking each {self._config.scan_interval:g} s instead",
                "raise fs.inotify.max_user_watches",
            )

    async def _rescan(self, ctx: FeedContext) -> None:
        while True:
            await ctx.clock.sleep(self._config.scan_interval)
            await self._look(ctx)

    async def _look(self, ctx: FeedContext) -> None:
        """Take in every mail that is not known yet."""
        async with self._taking:
            for root in self._config.maildir:
                try:
                    listed = await asyncio.to_thread(list_maildir, root)
                except OSError as error:
                    raise FeedError(f"{root}: {error.strerror}", "mend the folder or its permissions") from error
                new = [found for found in listed if (str(root), found.name) not in self._known]
                await self._take(ctx, root, new)

    async def _take(self, ctx: FeedContext, root: Path, new: list[Found]) -> None:
        known = await ctx.store.get(str(root), namespace=SOURCES)
        source: Json = known.data if known else {"first_seen": ctx.clock.now(), "complete": False}
        if known is None:
            await ctx.store.store({**source}, namespace=SOURCES, context_id=str(root))
        first_sight = not source["complete"]
        for at in range(0, len(new), CHUNK):
            chunk = new[at : at + CHUNK]
            read = await asyncio.to_thread(lambda c: [(f, read_mail(f, self._config.max_bytes)) for f in c], chunk)
            files: dict[str, list[list[str]]] = {}  # of each mail in this unit, which can't be read before its commit
            async with ctx.store.unit():
                for found, result in read:
                    if result is not None:
                        files.setdefault(result[0], []).append([str(found.root), found.name])
                        # after a crash within the first look, what came since then is no backlog
                        old = first_sight and (known is None or result[2] <= source["first_seen"])
                        await self._store(ctx, found, *result, [*files[result[0]]], backlog=old)
            self._known.update((str(root), found.name) for found, result in read if result is not None)
        if first_sight:
            await ctx.store.store({**source, "complete": True}, namespace=SOURCES, context_id=str(root))

    async def _store(
        self,
        ctx: FeedContext,
        found: Found,
        key: str,
        mail: Mail,
        arrived: float,
        files: list[list[str]],
        *,
        backlog: bool,
    ) -> None:
        known = await ctx.store.get(key, namespace=RAW)
        if known is not None:  # the same mail under another name, say in a second folder
            files = [*known.data.get("files", []), *(f for f in files if f not in known.data.get("files", []))]
            if files != known.data.get("files"):
                await ctx.store.store(
                    {**known.data, "files": files[:50]},
                    namespace=RAW,
                    context_id=key,
                    type="mail",
                    text=known.text,
                    tags=known.tags,
                    metadata=known.metadata,
                )
            return
        thread = mail.thread or key
        sender = f"{mail.sender['name']} {mail.sender['address']}".strip()
        await ctx.store.store(
            {
                **mail.data(),
                "id": key,
                "path": str(found.path),
                "label": found.label,
                "files": files,
                "thread": thread,
                "arrived": arrived,
                "backlog": backlog,
            },
            namespace=RAW,
            context_id=key,
            type="mail",
            text=f"{mail.subject}\n{sender}\n{mail.text[:INDEXED]}",
            tags={f"sender:{mail.sender['address']}", f"thread:{thread}", f"message:{mail.message_id or key}"},
            metadata={"sender": sender, "subject": mail.subject},
        )

    async def _signal(self, store: ContextStore, update: ContextUpdate) -> None:
        raw = update.context.data
        message_id = raw.get("message_id", "")
        if message_id and await _sent_by_pepper(store, message_id):
            return
        signal = mail_signal(raw, self._triage, update.context.created_at)
        # a copy of the same mail by another way is no second signal; another sender can't silence one by its id
        same = hashlib.sha256(f"{message_id}\n{raw['sender']['address']}\n{raw['subject']}\n{raw['reply']}".encode())
        await store_signal(store, signal, dedupe_key=same.hexdigest() if message_id else "")


async def _sent_by_pepper(store: ContextStore, message_id: str) -> bool:
    for key in (message_id, message_id.strip("<>")):
        if await store.get(key, namespace=Namespace.SENT) is not None:
            return True
    return False


def mail_facts(raw: Json) -> Facts:
    """What triage may look at in a mail as ``raw.mail`` holds it."""
    precedence = raw["list_headers"].get("precedence", "").strip().lower()
    is_list = precedence in ("list", "bulk", "junk") or bool({"list-id", "list-post"} & raw["list_headers"].keys())
    return Facts(
        source=NAME,
        sender=raw["sender"]["address"],
        name=raw["sender"]["name"],
        to=[one["address"] for one in raw["to"]],
        cc=[one["address"] for one in raw["cc"]],
        subject=raw["subject"],
        text=raw["reply"],
        labels=[raw["label"]],
        is_list=is_list or "list-unsubscribe" in raw["list_headers"],
        automatic=raw["auto_submitted"] not in ("", "no"),
    )


def mail_signal(raw: Json, triage: Triage, now: float) -> Signal:
    """The signal of a mail as ``raw.mail`` holds it."""
    verdict = triage.judge(mail_facts(raw))
    priority, reason, action = verdict
    if raw.get("backlog"):
        priority, reason, action = Priority.LOG, "was there when Pepper first looked", None
    sender = raw["sender"]
    who = f"{sender['name']} <{sender['address']}>" if sender["name"] else sender["address"] or "unknown sender"
    lines = telling_lines(raw["reply"])
    first = lines[0] if lines else ""
    subject = raw["subject"] or "(no subject)"
    content = one_line(
        f"{one_line(who, 80)}: {one_line(subject, 120)}" + (f" — {one_line(first, 160)}" if first else ""), 320
    )
    metadata: Json = {
        "sender": sender["address"],
        "sender_name": sender["name"],
        "subject": raw["subject"],
        "thread": raw["thread"],
        "message_id": raw["message_id"],
        "raw": raw["id"],
        "to": [one["address"] for one in raw["to"]][:20],
        "reply_to": next((one["address"] for one in raw["reply_to"]), sender["address"]),
        "date": raw["date"],
        "first_line": one_line(first, 300),
        "snippet": "\n".join(one_line(line, 160) for line in lines[:4]),
        "attachments": [one["name"] for one in raw["attachments"]][:20],
    }
    if triage.is_own(sender["address"]):
        metadata["kind"] = "own"
    if action:
        metadata["action"] = action
    return Signal(
        id=f"signal_{raw['id']}",
        content=content,
        created_at=now,
        priority=priority,
        source=NAME,
        reason=reason,
        matter=f"mail:{raw['thread']}",
        metadata=metadata,
    )
