"""How a mail is stored in ``raw.mail``, by a key of its Message-ID and bytes, whichever source it came from."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Final

from pepper_tui.domains.mail.at_source.folder_uses import use_by_name
from pepper_tui.domains.mail.at_source.state import Copy
from pepper_tui.domains.mail.content.mime import Mail, left_out
from pepper_tui.feeds.feed import FeedContext
from pepper_tui.model import (
    Context,
    ContextFilter,
    Namespace,
)
from pepper_tui.store import Store

NAME: Final = "mail"
RAW: Final = f"{Namespace.RAW}.{NAME}"
PARTLY: Final = "partly"
"""Tag of a mail that was only read in part."""


def mail_key(mail: Mail) -> str:
    """Return the id of ``mail`` in ``raw.mail``."""
    sign = f"{mail.message_id}\n{mail.bare_digest or mail.digest}"
    return f"mail_{hashlib.sha256(sign.encode()).hexdigest()[:32]}"


async def partly_read(store: Store) -> str:
    """Return how many mails were only read in part, in words; empty if there are none."""
    count = await store.count(ContextFilter(namespaces=[RAW], tags=[PARTLY]))
    return f"{count:,} of your mails could only be read in part, as each says where it is shown" if count else ""


async def known_mails(store: Store, keys: Collection[str]) -> dict[str, Context]:
    """Return those of the mails that are in ``raw.mail`` already."""
    return await found(store, RAW, keys, include_expired=True)


async def found(
    store: Store, namespace: str, ids: Collection[str], *, include_expired: bool = False
) -> dict[str, Context]:
    wanted = ContextFilter(namespaces=[namespace], context_ids=sorted(ids), limit=None, include_expired=include_expired)
    return {each.context_id: each for each in await store.query(wanted)} if ids else {}


async def store_mail(
    ctx: FeedContext,
    key: str,
    mail: Mail,
    known: Context | None,
    *,
    path: Path | str,
    label: str,
    arrived: float,
    files: list[list[str]],
    backlog: bool,
    grown: bool = False,
    account: str = "",
    copy: Copy | None = None,
) -> None:
    """Store ``mail`` in ``raw.mail`` under ``key``, or add ``files`` (root and name each) if it is already ``known``.

    ``account``: the sign-in by which it came, if any. ``copy``: how it lies at its source, which the caller notes, too
    (``state.py``); a mail that was dealt with before it came makes no card. ``grown``: it is known, but was incomplete
    when it was taken in; its present content replaces the former.
    """
    await ctx.turns.after(len(mail.text))  # keys come first
    if known is not None and not grown:  # the same mail under another name, say in a second folder
        await _add_files(ctx.store, known, files)
        return
    thread, data = mail.thread or key, mail.data()
    sender = f"{mail.sender['name']} {mail.sender['address']}".strip()
    await ctx.store.store(
        {
            **data,
            "id": key,
            "path": str(path),
            "account": account,
            "label": label,
            "files": files,
            "thread": thread,
            "arrived": arrived,
            "backlog": backlog,
            "use": (copy.use if copy else "") or use_by_name(label),
            "marks": list(copy.marks) if copy else [],
        },
        namespace=RAW,
        context_id=key,
        type="mail",
        text=f"{mail.subject}\n{sender}\n{mail.text}",
        tags={
            f"sender:{mail.sender['address']}",
            f"thread:{thread}",
            f"message:{mail.message_id or key}",
            *([PARTLY] if left_out(data) else []),
        },
        metadata={"sender": sender, "subject": mail.subject, **({"backlog": True} if backlog else {})},
    )


async def _add_files(store: Store, known: Context, files: list[list[str]]) -> None:
    there = known.data.get("files", [])
    files = [*there, *(file for file in files if file not in there)]
    if files != there:
        await store.store(
            {**known.data, "files": files[:50]},
            namespace=RAW,
            context_id=known.context_id,
            type=known.type,
            text=known.text,
            tags=known.tags,
            metadata=known.metadata,
            ttl=None if known.expires_at is None else 0.0,  # the rest of an old mail stays out of sight
        )
