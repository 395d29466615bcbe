"""Mail in the store, as the feed keeps it, and its facts."""

from __future__ import annotations

from typing import Any

from pepper_tui.clock import ManualClock
from pepper_tui.domains.mail.intake.signals import mail_facts
from pepper_tui.model import Context, Facts, Json, Namespace
from pepper_tui.store import ContextStore

OWN = "me@example.com"


def mail_data(ident: str, name: str, address: str, subject: str, text: str, date: float, **more: Any) -> Json:
    return {
        "id": ident, "message_id": f"<{ident}@x>", "sender": {"name": name, "address": address},
        "to": [{"name": "", "address": OWN}], "cc": [], "reply_to": [], "subject": subject, "text": text,
        "reply": text, "date": date, "label": "INBOX", "list_headers": {}, "auto_submitted": "", "attachments": [],
        "thread": ident, "arrived": date, "in_reply_to": "", "references": [], **more,
    }  # fmt: skip


async def put_mail(
    store: ContextStore, clock: ManualClock, name: str, address: str, subject: str = "s", text: str = "", ago: float = 0
) -> None:
    ident = clock.new_id("mail")
    data = mail_data(ident, name, address, subject, text, clock.now() - ago)
    await store.store(
        data, namespace="raw.mail", context_id=ident, text=f"{subject}\n{name} {address}\n{text}",
        metadata={"sender": f"{name} {address}"},
    )  # fmt: skip


async def put_person(store: ContextStore, address: str) -> None:
    await store.store({"id": address, "address": address}, namespace=Namespace.PEOPLE, context_id=address)


def facts_of(context: Context) -> Facts | None:
    return None if context.data["sender"]["address"] == OWN else mail_facts(context.data)
