"""Message-IDs, and who owns one: the sender of the first mail with it. Anyone can write any id into a mail."""

from __future__ import annotations

from typing import Final

from pepper_tui.model import Context, ContextFilter, Json, Namespace
from pepper_tui.store import Store
from pepper_tui.text import one_line

_RAW: Final = f"{Namespace.RAW}.mail"


def bare_id(message_id: str) -> str:
    """Return ``message_id`` without its angle brackets."""
    return message_id.strip().strip("<>")


async def first_with(store: Store, message_id: str) -> Context | None:
    """Return the first mail that came with ``message_id``."""
    if not message_id:
        return None
    page = await store.query(
        ContextFilter(
            namespaces=[_RAW], tags=[f"message:{message_id}"], newest_first=False, limit=1, include_expired=True
        )
    )
    return page[0] if page else None


async def all_with(store: Store, message_id: str) -> list[Context]:
    """Return all mails of the first sender with ``message_id``: another's claim to it counts for nothing."""
    wanted = ContextFilter(namespaces=[_RAW], tags=[f"message:{message_id}"], newest_first=False, include_expired=True)
    found = await store.query(wanted) if message_id else []
    return [each for each in found if each.data.get("sender") == found[0].data.get("sender")]


async def owner_of_id(store: Store, mail: Json) -> str:
    """Return the sender who owns the Message-ID of ``mail``, if that is somebody else; otherwise an empty string."""
    first = await first_with(store, str(mail.get("message_id") or ""))
    if first is None or first.context_id == mail["id"]:
        return ""
    owner = str((first.data.get("sender") or {}).get("address") or "")
    return owner if owner != mail["sender"]["address"] else ""


def without_id(mail: Json, owner: str) -> Json:
    """Return ``mail`` without its Message-ID, which is ``owner``'s: it goes by its own id alone, and begins no thread.

    ``claimed_id`` is the id that an answer names: the author of the mail knows it by that.
    """
    doubt = f"it has the Message-ID of a mail from {one_line(owner, 80)}"
    thread = mail["id"] if mail["thread"] == mail["message_id"] else mail["thread"]
    return {
        **mail,
        "message_id": "",
        "claimed_id": mail["message_id"],
        "thread": thread,
        "doubts": [*mail.get("doubts", []), doubt],
    }
