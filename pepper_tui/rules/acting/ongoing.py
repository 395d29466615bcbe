"""What goes on already: a second mail of a thread starts no second draft, reminder or follow-up of the same rule.

Only one of the same sender: a stranger who writes into a thread takes nobody's place in it.
"""

from __future__ import annotations

from typing import Final

from pepper_tui.model import (
    OPEN_TAG,
    Context,
    ContextFilter,
    FollowUp,
    FollowUpState,
    Namespace,
    Reminder,
    ReminderState,
    RuleAct,
    Signal,
    ToolCall,
)
from pepper_tui.store import Store

REMEMBERED: Final = 20_000  # acts about a matter that may still go on
_ALL: Final = 100_000


class Ongoing:
    """The newest act of a kind about a matter. ``load`` it at the start; ``begin_batch`` before each batch."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._acts: dict[tuple[str, str, str, str], tuple[RuleAct, frozenset[str]]] = {}
        self._fresh: set[str] = set()  # ids of the acts of the batch at hand, which nobody can read yet

    def begin_batch(self) -> None:
        """What the last batch made can be read from now on."""
        self._fresh.clear()

    async def goes_on(
        self, whose: str, act: RuleAct, *, sender: str, ended_by: str = "", ends_by: frozenset[str] = frozenset()
    ) -> bool:
        """Whether an earlier act of the kind, about the same matter, is not over; else ``act`` is the newest.

        ``whose`` is the rule, or whom a draft goes to; ``sender`` wrote what ``act`` is about. What is over once
        somebody has written names them in ``ends_by``; ``ended_by`` is who has written now, and so ends the earlier.
        """
        key = (act.act, whose, act.matter, sender)
        earlier, ends = self._acts.get(key, (None, frozenset[str]()))
        another = earlier is not None and earlier.id != act.id and bool(act.matter) and ended_by not in ends
        # the store may fail here: what is known stays as it is until the answer is there
        goes_on = earlier is not None and another and (earlier.id in self._fresh or await self._is_open(earlier))
        self._acts.pop(key, None)  # the newest looked at stand last
        if earlier is not None and goes_on:
            self._acts[key] = earlier, ends
            return True
        self._acts[key] = act, ends_by
        while len(self._acts) > REMEMBERED:
            del self._acts[next(iter(self._acts))]
        self._fresh.add(act.id)
        return False

    async def _is_open(self, act: RuleAct) -> bool:
        saved = await self._store.get(act.id, namespace=Namespace.RULE_ACT)
        namespace, _, ident = str(saved.data.get("made") or "").partition(":") if saved is not None else ("", "", "")
        made = await self._store.get(ident, namespace=namespace) if ident else None
        if made is None:
            return False
        match namespace:
            case Namespace.TOOL_CALL:
                return ToolCall.of(made).open or await self._came_back(act)
            case Namespace.REMINDER:
                return Reminder.of(made).state is ReminderState.WAITING
            case Namespace.FOLLOW_UP:
                return FollowUp.of(made).state is FollowUpState.OPEN
        return False

    async def _came_back(self, act: RuleAct) -> bool:
        """Whether a card of ``act`` that could not be carried out waits anew, under a call of its own."""
        page = await self._store.query(
            ContextFilter(namespaces=[Namespace.TOOL_CALL], tags=[OPEN_TAG], limit=_ALL, include_expired=True)
        )
        return any(context.data.get("origin") == f"act:{act.id}" for context in page)

    # ------------------------------------------------------------------------------------------------ at the start

    async def load(self) -> None:
        """Find what goes on, from the records that are open themselves."""
        for namespace in (Namespace.TOOL_CALL, Namespace.REMINDER, Namespace.FOLLOW_UP):
            page = await self._store.query(
                ContextFilter(namespaces=[namespace], tags=[OPEN_TAG], newest_first=False, limit=_ALL)
            )
            for context in page:
                await self._note(context)

    async def _note(self, context: Context) -> None:
        ident = _act_of(context)
        saved = await self._store.get(ident, namespace=Namespace.RULE_ACT) if ident else None
        if (act := RuleAct.one(saved)) is not None:
            namespace, _, signal_id = act.match.partition(":")
            signal = Signal.one(await self._store.get(signal_id, namespace=namespace))
            to, sender = (recipient(signal), writer(signal)) if signal is not None else ("", "")
            whose = to if act.act == "draft" else act.rule
            parties = context.data.get("parties")
            ends_by = frozenset(map(str, parties)) if isinstance(parties, list) else frozenset[str]()
            key = act.act, whose, act.matter, sender
            known = self._acts.get(key)
            if known is None or known[0].created_at <= act.created_at:  # an older one may be open still, as an offer
                self._acts[key] = act, ends_by


def recipient(signal: Signal) -> str:
    """Whom an answer to the mail of ``signal`` goes to."""
    return str(signal.metadata.get("reply_to") or signal.metadata.get("sender") or "").lower()


def writer(signal: Signal) -> str:
    """Who wrote the mail of ``signal``."""
    return str(signal.metadata.get("sender") or "").lower()


def _act_of(context: Context) -> str:
    """The id of the act that led to an open record, or empty."""
    data = context.data
    if context.namespace == Namespace.TOOL_CALL:
        origin = str(data.get("origin") or "")
        return origin.removeprefix("act:") if origin.startswith("act:") else ""
    if context.namespace == Namespace.REMINDER:
        space, _, ident = str(data.get("source") or "").partition(":")
        return ident if space == Namespace.RULE_ACT else ""
    return str(data.get("act") or "")
