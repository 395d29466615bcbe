"""What triggers a step, and in which order.

Only user messages, signals above ``log`` and the results of the scheduler's own calls are queued. The result of a local
act without a user message behind it rides along with the next step: Pepper never thinks only about its own doings. So
does a result that the user was told of as it was done, and that says nothing new.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pepper_tui.model import CallState, Context, ContextUpdate, Effect, Namespace, Priority, QueueRank
from pepper_tui.scheduler.deferred import LATE_NAMESPACE

RIDES_ALONG: Final = 9
"""A rank behind all of ``QueueRank``: taken with whatever comes next, but never triggers a step."""

QUEUED_NAMESPACES: Final = (Namespace.USER_MESSAGE, f"{Namespace.SIGNALS}.*", Namespace.TOOL_RESULT)

_SAYS_NOTHING_NEW: Final = frozenset({"notify", "revise_proposal", "take_note", "update_profile"})
"""Tools whose success needs no further comment. Other outcomes do: a call is often cancelled to be redone."""

_SIGNAL_RANKS: Final = {
    Priority.URGENT: QueueRank.URGENT,
    Priority.HIGH: QueueRank.HIGH,
    Priority.NORMAL: QueueRank.NORMAL,
    Priority.LOW: QueueRank.LOW,
}


def rank_of(
    update: ContextUpdate,
    effect_of: Callable[[str], Effect | None],
    own: Callable[[Context, Priority], Priority] | None = None,
) -> int | None:
    """Return the rank of ``update`` in the queue, or ``None`` if it is not for the scheduler.

    ``effect_of`` returns a tool's effect by its name; ``own`` returns the user's own priority for a signal.
    """
    context = update.context
    if update.deleted:
        return None
    if context.namespace == Namespace.USER_MESSAGE:
        # Later versions of a message only annotate it (withdrawn); they are no new messages.
        return QueueRank.USER if context.version == 1 else None
    if context.namespace == Namespace.TOOL_RESULT:
        if not str(context.data.get("origin", "")).startswith("step:"):
            return None
        name, succeeded = str(context.data.get("name")), context.data.get("state") == CallState.SUCCEEDED
        if context.data.get("root") == "user":
            told = context.data.get("announced") and name in _SAYS_NOTHING_NEW and not context.data.get("question")
            return RIDES_ALONG if told and succeeded else QueueRank.ANSWER
        return RIDES_ALONG if succeeded and effect_of(name) is Effect.LOCAL else QueueRank.RESULT
    try:
        priority = Priority(context.data.get("priority", Priority.NORMAL))
    except ValueError:
        priority = Priority.NORMAL  # an unknown priority from a foreign feed must not lose the signal
    if own is not None and context.namespace != LATE_NAMESPACE:
        priority = own(context, priority)
    return _SIGNAL_RANKS.get(priority)
