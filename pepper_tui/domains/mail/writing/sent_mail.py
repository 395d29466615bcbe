"""What Pepper itself has sent, read as a mail: an answer to it needs no copy in a folder that is watched."""

from __future__ import annotations

from pepper_tui.model import Approval, ContextFilter, Json, Namespace, ToolCall
from pepper_tui.store import Store
from pepper_tui.tools.tool_store import ToolStore


def original_tag(message_id: str) -> str:
    """Return the tag of the note of a mail whose server has put another Message-ID in place of this one."""
    return f"original:{message_id}"


async def sent_mail(store: Store | ToolStore, message_id: str) -> Json | None:
    """Return the mail that Pepper sent with ``message_id``, as approved; its id is the one that it went out with."""
    noted = await store.get(message_id, namespace=Namespace.SENT)
    call = ToolCall.one(await store.get(str(noted.data["call"]), namespace=Namespace.TOOL_CALL)) if noted else None
    card = Approval.one(await store.get(call.approval, namespace=Namespace.APPROVAL)) if call else None
    fields = card.resolved.payload.get("fields") if card else None
    if noted is None or not isinstance(fields, dict):
        return None
    renamed = await store.query(ContextFilter(namespaces=[Namespace.SENT], tags=[original_tag(message_id)], limit=1))
    references = list(fields.get("references") or ())
    return {
        "id": message_id,
        "message_id": renamed[0].context_id if renamed else message_id,
        "sender": {"name": str(fields.get("name") or ""), "address": str(fields["from"])},
        "to": [{"name": "", "address": address} for address in fields["to"]],
        "cc": [{"name": "", "address": address} for address in fields["cc"]],
        "subject": str(fields["subject"]),
        "text": str(fields["body"]),
        "date": float(noted.data["at"]),
        "account": str(card.resolved.payload.get("through") or "") if card else "",
        "references": references,
        "thread": str(references[0]) if references else message_id,
    }
