"""Whether a change of a mail was Pepper's own filing, where its feed noted it before the call came to its end.

A feed may look between the change at the server and the record of the call. So a change that an act of Pepper's would
make, noted while a call with that act was under way (or while its outcome is unknown), is that call's.
"""

from __future__ import annotations

from typing import Final, Literal

from pepper_tui.domains.mail.at_source.state import MailState
from pepper_tui.model import OPEN_TAG, Approval, CallState, ContextFilter, Json, Namespace, ToolCall
from pepper_tui.store import Store

TOOL: Final = "file_mail"
BY_KEY: Final = "user:file"
"""Origin of a call that the user's own key made; its result starts no step of the scheduler."""
Deed = Literal["deleted", "filed", "read"]
_MAY_HAVE: Final = frozenset({CallState.ATTEMPTED, CallState.SUCCEEDED, CallState.UNKNOWN})


async def filed_by(store: Store, now: MailState, deed: Deed, at: float) -> str:
    """Return the id of the call that did ``deed``, after which a mail is as ``now``; empty if none did.

    ``at``: when that was noted.
    """
    under_way = ContextFilter(namespaces=[Namespace.TOOL_CALL], types=[TOOL], tags=[OPEN_TAG], limit=None)
    ended_since = ContextFilter(namespaces=[Namespace.TOOL_CALL], types=[TOOL], since=at, limit=None)
    # in this order, so that none is missed that ends in between
    found = [*await store.query(under_way), *await store.query(ended_since)]
    for call in ToolCall.readable(found):
        if call.state not in _MAY_HAVE or call.started_at is None or not call.started_at <= at <= (call.ended_at or at):
            continue
        if await _comes_to(store, call, now, deed):
            return call.id
    return ""


async def was_own(store: Store, now: MailState, deed: Deed) -> bool:
    """Check whether the call that noted ``now`` can have done ``deed``: it notes what others did, too."""
    call = ToolCall.one(await store.get(now.by, namespace=Namespace.TOOL_CALL))
    return call is None or await _comes_to(store, call, now, deed)


async def _comes_to(store: Store, call: ToolCall, now: MailState, deed: Deed) -> bool:
    card = Approval.one(await store.get(call.approval, namespace=Namespace.APPROVAL))
    payload = card.resolved.payload if card is not None else {"mails": []}
    return now.id in [each["id"] for each in payload["mails"]] and _fits(payload, now, deed)


async def key_pressed(store: Store, call: str) -> float | None:
    """Return when the user's own key made the call with that id; ``None`` if it was made otherwise."""
    found = ToolCall.one(await store.get(call, namespace=Namespace.TOOL_CALL)) if call else None
    return found.created_at if found is not None and found.origin == BY_KEY else None


def _fits(payload: Json, now: MailState, deed: Deed) -> bool:
    """Check whether an act comes to what was seen: the folder that it files to may not be read at all."""
    match payload["act"]:
        case "read":
            return deed == "read"
        case "archive":
            return deed == "filed"
        case "move":
            there = [copy.folder for copy in now.copies]
            return deed == "filed" and (not there or payload["folder"] in there)
        case "trash" | "junk":
            return deed != "read" and (not now.copies or any(copy.use == payload["act"] for copy in now.copies))
        case _:
            return False
