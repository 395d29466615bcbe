"""Acts that are still open: a second mail of a thread starts no second draft, reminder or follow-up of the same rule.

That holds only for the same sender: a stranger who writes into a thread replaces nobody in it.
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

REMEMBERED: Final = 20_000  # acts about a matter that may still be open
_ALL: Final = 100_000


class Ongoing:
    """The newest act of each kind about a matter. ``load`` it at the start; ``begin_batch`` before each batch."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._acts: dict[tuple[str, str, str, str], tuple[RuleAct, frozenset[str]]] = {}
        self._fresh: set[str] = set()  # ids of the current batch's acts, which nobody can read yet

    def begin_batch(self) -> None:
        """Start a new batch: from now on, the last batch's acts can be read."""
        self._fresh.clear()

    async def goes_on(
        self, whose: str, act: RuleAct, *, sender: str, ended_by: str = "", ends_by: frozenset[str] = frozenset()
    ) -> bool:
        """Check whether an earlier act of the kind, about the same matter, is still open.

        If not, ``act`` becomes the newest.  ``whose`` is the rule, or the recipient of a draft; ``sender`` wrote what
        ``act`` is about. ``ends_by`` names the people whose mail ends the act; ``ended_by`` is who has written now,
        which may end the earlier act.
        """
        key = (act.act, whose, act.matter, sender)
        earlier, ends = self._acts.get(key, (None, frozenset[str]()))
        another = earlier is not None and earlier.id != act.id and bool(act.matter) and ended_by not in ends
        # the store may fail here: nothing changes until it has answered
        goes_on = earlier is not None and another and (earlier.id in self._fresh or await self._is_open(earlier))
        self._acts.pop(key, None)  # the most recently used are last
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
        """Check whether a card of ``act`` that could not be carried out waits again, under a new call."""
        page = await self._store.query(
            ContextFilter(namespaces=[Namespace.TOOL_CALL], tags=[OPEN_TAG], limit=_ALL, include_expired=True)
        )
        return any(context.data.get("origin") == f"act:{act.id}" for context in page)

    # ------------------------------------------------------------------------------------------------ at the start

    async def load(self) -> None:
        """Find what is still open, from the open records themselves."""
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
            if known is None or known[0].created_at <= act.created_at:  # an older one may still be open, as an offer
                self._acts[key] = act, ends_by


def recipient(signal: Signal) -> str:
    """Return whom an answer to the mail of ``signal`` goes to."""
    return str(signal.metadata.get("reply_to") or signal.metadata.get("sender") or "").lower()


def writer(signal: Signal) -> str:
    """Return who wrote the mail of ``signal``."""
    return str(signal.metadata.get("sender") or "").lower()


def _act_of(context: Context) -> str:
    """Return the id of the act behind an open record, or an empty string."""
    data = context.data
    if context.namespace == Namespace.TOOL_CALL:
        origin = str(data.get("origin") or "")
        return origin.removeprefix("act:") if origin.startswith("act:") else ""
    if context.namespace == Namespace.REMINDER:
        space, _, ident = str(data.get("source") or "").partition(":")
        return ident if space == Namespace.RULE_ACT else ""
    return str(data.get("act") or "")
