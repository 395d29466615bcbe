"""The fact ``unanswered``: the user asked somebody something by mail, and no answer has come for some days.

Each such mail becomes a quiet follow-up: an answer ends it without a word, its end is one card. It begins with a copy
in the user's own folders, or with what Pepper sent, whichever is seen first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import Final

from pepper_tui.config import MailFacts
from pepper_tui.domains.mail.content.gist import about
from pepper_tui.domains.mail.content.reply_text import latest_reply
from pepper_tui.domains.mail.facts.question import asked
from pepper_tui.model import (
    FOLLOW_UP,
    OPEN_TAG,
    Approval,
    CallState,
    ContextFilter,
    ContextUpdate,
    Effect,
    FollowUp,
    FollowUpState,
    Json,
    Namespace,
    ToolCall,
)
from pepper_tui.store import Store, Subscriber
from pepper_tui.text import one_line
from pepper_tui.text.addresses import nobody_reads

RULE: Final = "unanswered"
_MOST: Final = 5  # people; what goes to more is an announcement
_LISTS: Final = ("lists.", "list.", "groups.", "googlegroups.")
_OF_A_LIST: Final = frozenset({"list-id", "list-post"})
_DAY: Final = 86_400.0


class Awaited:
    """Begins the follow-ups. ``own`` are the user's addresses in lower case."""

    def __init__(self, settings: MailFacts, own: Collection[str]) -> None:
        self._settings, self._own = settings, own

    def listen(self, store: Store, subscriber: Subscriber) -> None:
        """Register the handler of what Pepper has sent. Call it before the subscriber starts."""

        async def sent(update: ContextUpdate) -> None:
            data = update.context.data
            if update.deleted or data.get("effect") != Effect.SEND or data.get("state") != CallState.SUCCEEDED:
                return
            call = ToolCall.of(update.context)
            saved = await store.get(call.approval, namespace=Namespace.APPROVAL) if call.approval else None
            if (approval := Approval.one(saved)) is not None:
                await self._sent(store, call, approval.resolved.payload)

        subscriber.on_context_update(namespaces=[Namespace.TOOL_CALL], name="mail.awaited", start="now")(sent)

    async def own_mail(self, store: Store, raw: Json, now: float) -> None:
        """Begin to wait for an answer to the user's own mail in ``raw.mail``, if it asks something."""
        if raw["list_headers"].keys() & _OF_A_LIST:
            return
        date = raw["date"]
        when = min(float(date), now) if isinstance(date, int | float) else now
        people = [one for one in [*raw["to"], *raw["cc"]] if one["address"]]
        source = f"{Namespace.SIGNALS}.mail:signal_{raw['id']}"
        noted = await store.get(raw["message_id"], namespace=Namespace.SENT)
        # its server gave Pepper's mail another id: it is the same mail
        message_id = str(noted.data.get("original") or "") if noted is not None else ""
        message_id = message_id or raw["message_id"]
        thread = message_id if raw["thread"] == raw["message_id"] else raw["thread"]
        await self._wait(store, raw["reply"], raw["subject"], message_id, thread, people, when, source)

    async def bounced(self, store: Store, message_id: str, addresses: Collection[str]) -> None:
        """Stop waiting for an answer to a mail that reached nobody, in the caller's unit."""
        saved = await store.get(_ident(message_id), namespace=Namespace.FOLLOW_UP)
        waits = FollowUp.one(saved)
        if saved is None or waits is None or waits.state is not FollowUpState.OPEN:
            return
        if set(waits.parties) <= set(addresses):
            waits.state = FOLLOW_UP.move(waits.state, FollowUpState.DROPPED)
            tags = [each for each in saved.tags if each != OPEN_TAG]
            await store.put(waits, namespace=Namespace.FOLLOW_UP, tags=tags, expect_version=saved.version)

    async def _sent(self, store: Store, call: ToolCall, payload: Json) -> None:
        fields, message_id = payload.get("fields"), str(payload.get("message_id") or "")
        if not isinstance(fields, dict) or not message_id:
            return
        references = fields.get("references") or [fields.get("in_reply_to")]
        thread = str(references[0] or message_id) if references else message_id
        people = [{"name": "", "address": str(one).lower()} for one in payload.get("recipients") or ()]
        text, when = latest_reply(str(fields.get("body") or "")), call.ended_at or call.created_at
        source = f"{Namespace.TOOL_CALL}:{call.id}"
        await self._wait(store, text, str(fields.get("subject") or ""), message_id, thread, people, when, source)

    async def _wait(
        self,
        store: Store,
        text: str,
        subject: str,
        message_id: str,
        thread: str,
        people: Sequence[Json],
        when: float,
        source: str,
    ) -> None:
        parties = whose_answer(people, self._own)
        if not self._settings.unanswered or not message_id or not parties or not (said := asked(text)):
            return
        ident = _ident(message_id)
        if await store.get(ident, namespace=Namespace.FOLLOW_UP, include_expired=True) is not None:
            return
        tags = [OPEN_TAG, f"thread:{thread}"]
        if await store.query(ContextFilter(namespaces=[Namespace.FOLLOW_UP], tags=tags, limit=1)):
            return  # the new mail has restarted its time
        waits = FollowUp(
            id=ident,
            matter=f"mail:{thread}",
            thread=thread,
            subject=about(subject),
            parties=[one["address"] for one in parties],
            message_ids=[message_id],
            created_at=when,
            due=when + self._settings.unanswered_days * _DAY,
            rule=RULE,
            rule_name="no answer",
            source=source,
            wrote=when,
            who=one_line(str(parties[0]["name"] or parties[0]["address"]), 80),
            quiet=True,
            said=said,
        )
        await store.put(waits, namespace=Namespace.FOLLOW_UP, tags=tags)


def question_in(raw: Json, own: Collection[str]) -> str:
    """Return what the user's own mail in ``raw.mail`` asks of somebody who may answer; empty if nothing."""
    if raw["list_headers"].keys() & _OF_A_LIST or not whose_answer([*raw["to"], *raw["cc"]], own):
        return ""
    return asked(raw["reply"])


def whose_answer(people: Sequence[Json], own: Collection[str]) -> list[Json]:
    """Return those of ``people`` whose answer could be waited for: nobody of many, of a list, or at a machine."""
    parties = [one for one in people if one["address"] and one["address"] not in own]
    return [] if len(parties) > _MOST or any(_nobody(one["address"]) for one in parties) else parties


def _ident(message_id: str) -> str:
    return f"follow_{hashlib.sha256(message_id.encode()).hexdigest()[:24]}"


def _nobody(address: str) -> bool:
    return nobody_reads(address) or address.rpartition("@")[2].startswith(_LISTS)
