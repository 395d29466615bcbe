"""Proposes a rule from an inbox item: always do what was done about it. The rule waits for the user's approval."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.domains.mail.mailbox import Mailbox
from pepper_tui.model import OPEN_TAG, Approval, Effect, Json, Namespace, Notification, ToolCall
from pepper_tui.rules import RuleError
from pepper_tui.store import ContextStore
from pepper_tui.text import one_line

_LONGEST_REPLY: Final = 4000
ALWAYS: Final = "user:always"
"""Origin of a call that the user's key made from an inbox item; its result starts no step of the scheduler."""


class Always:
    """Proposes rules from inbox items. Methods raise ``RuleError`` with words.

    ``own``: the user's addresses; no rule is made for them.
    """

    def __init__(self, store: ContextStore, clock: Clock, own: Collection[str]) -> None:
        self._store, self._clock, self._own = store, clock, own

    async def propose(self, ref: str) -> str:
        """Open a card for a rule that always does what was done about the item ``ref``."""
        arguments = await self._always(ref)
        call = ToolCall(
            self._clock.new_id("call"),
            "propose_rule",
            {**arguments, "reason": "You asked for this on an item of the inbox."},
            Effect.LOCAL,
            self._clock.now(),
            ALWAYS,
            root="user",
            tainted=True,  # the address comes from the mail
        )
        await self._store.put(call, namespace=Namespace.TOOL_CALL, tags=[OPEN_TAG])
        return "the rule is a card of its own; it holds after your yes"

    async def _always(self, ref: str) -> Json:
        """Return the arguments of ``propose_rule`` for an item: the sender and the act."""
        kind, _, ident = ref.partition(":")
        if kind == "notification":
            found = await self._store.get(ident, namespace=Namespace.NOTIFICATION)
            if (notice := Notification.one(found)) is not None:
                signal = await self._signal(notice.source)
                address = notice.sender or signal.get("sender", "")
                who = notice.who or signal.get("sender_name", "")
                return self._of(address, who, {"notify": True})
        if kind == "approval":
            found = await self._store.get(ident, namespace=Namespace.APPROVAL)
            if (approval := Approval.one(found)) is not None:
                return await self._as_drafted(approval)
        if kind.startswith(f"{Namespace.SIGNALS}."):
            signal = await self._signal(ref)
            return self._of(signal.get("sender", ""), signal.get("sender_name", ""), {"notify": True})
        raise RuleError("of this item no rule can be made: say it in the chat, as in “always tell me when Ann writes”")

    async def _as_drafted(self, approval: Approval) -> Json:
        found = await self._store.get(approval.call, namespace=Namespace.TOOL_CALL)
        if (call := ToolCall.one(found)) is not None:
            if call.origin.startswith("act:"):
                raise RuleError("a rule of yours does this already: `rules` lists them")
            mail = await self._mail(str(call.arguments.get("message_id") or ""))
            body = str(approval.resolved.payload.get("body") or call.arguments.get("body") or "")
            if mail and body:
                sender = mail["sender"]
                if len(body) > _LONGEST_REPLY:
                    raise RuleError(f"a reply of more than {_LONGEST_REPLY} characters can't be a rule's; shorten it")
                return self._of(sender["address"], sender["name"], {"reply": body})
        raise RuleError("only a reply to a mail can be drafted always")

    def _of(self, address: str, who: str, act: Json) -> Json:
        if not address:
            raise RuleError("this item has no sender, so a rule would have nothing to look for")
        if address in self._own:
            raise RuleError("you have sent this yourself")
        name = one_line(who or address, 50)
        return {"name": name if "notify" in act else f"reply to {name}", "source": "mail", "sender": [address], **act}

    async def _signal(self, ref: str) -> dict[str, str]:
        space, _, ident = ref.partition(":")
        found = await self._store.get(ident, namespace=space) if ident else None
        metadata = found.data.get("metadata") if found else None
        return {key: str(value) for key, value in metadata.items()} if isinstance(metadata, dict) else {}

    async def _mail(self, message_id: str) -> Json | None:
        return await Mailbox(self._store).read(message_id) if message_id else None
