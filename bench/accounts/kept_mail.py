"""A store with much mail, made without a server: the records are those that a first sync leaves."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from bench.intake import letter
from pepper_tui.clock import SystemClock
from pepper_tui.domains.mail.at_source.state import STATES, Copy, MailState
from pepper_tui.domains.mail.content.mime import Mail, parse_mail
from pepper_tui.domains.mail.intake.raw_mail import RAW, mail_key
from pepper_tui.domains.mail.intake.signals import SIGNAL_ID
from pepper_tui.model import BACKLOG, Priority, Signal
from pepper_tui.store import ContextStore

DIFFERENT = 1_000
"""Mails that are parsed; the others repeat their texts under names of their own."""
TOGETHER = 500
DAY = 86_400.0


async def keep_mail(home: Path, count: int) -> None:
    """Store so many mails, the newest of today, in a folder that no account watches."""
    chance, clock = random.Random(1), SystemClock()
    parsed = [parse_mail(letter(number, chance)) for number in range(min(count, DIFFERENT))]
    store, now = await ContextStore.open(home / "pepper.db", clock), clock.now()
    for begin in range(0, count, TOGETHER):
        async with store.unit():
            for number in range(begin, min(count, begin + TOGETHER)):
                date = now - (count - number) * 300.0
                own = f"<{number}@example.org>"
                mail = replace(parsed[number % DIFFERENT], message_id=own, date=date, digest=f"{number:064x}")
                await _keep(store, replace(mail, references=[], in_reply_to=""), number, date)
    await store.close()


async def _keep(store: ContextStore, mail: Mail, number: int, date: float) -> None:
    key, place = mail_key(mail), f"imap:work0/Old/1.{number}"
    sender = f"{mail.sender['name']} {mail.sender['address']}"
    raw = {
        **mail.data(), "id": key, "path": place, "account": "work0", "label": "Old",
        "files": [["imap:work0/Old", place]], "thread": mail.thread, "arrived": date, "backlog": True,
        "use": "", "marks": ["seen"],
    }  # fmt: skip
    tags = {f"sender:{mail.sender['address']}", f"thread:{mail.thread}", f"message:{mail.message_id}"}
    metadata = {"sender": sender, "subject": mail.subject, "backlog": True}
    text = f"{mail.subject}\n{sender}\n{mail.text}"
    await store.store(raw, namespace=RAW, context_id=key, type="mail", text=text, tags=tags, metadata=metadata)
    state = MailState(key, [Copy(place, "work0", "Old", "", ["seen"])])
    await store.put(state, namespace=STATES, text=" ", tags=state.tags)
    signal = Signal(
        id=f"{SIGNAL_ID}{key}",
        content=f"{mail.sender['name']}: {mail.subject}",
        created_at=date,
        priority=Priority.LOG,
        source="mail",
        reason=BACKLOG,
        matter=f"mail:{mail.thread}",
        metadata={"raw": key, "sender": mail.sender["address"], "subject": mail.subject, "text": mail.reply[:300]},
    )
    await store.put(signal, namespace="signals.mail", type="signal", text=signal.content, tags=[str(Priority.LOG)])
