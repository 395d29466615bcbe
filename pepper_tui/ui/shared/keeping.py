"""How much of the records stays: what is older, or over, is in the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pepper_tui.model import Approval, ApprovalState, Namespace, NotificationState, RunState, ToolCall
from pepper_tui.ui.shared.matters import is_receipt, sending
from pepper_tui.ui.shared.records import Records

MESSAGES_KEPT: Final = 1000
"""Messages of the conversation; what is older is in the store."""
SIGNALS_KEPT: Final = 2000
ENDED_KEPT: Final = 50
"""Ended calls and runs that stay listed."""
VERSIONS_KEPT: Final = 10_000
"""Contexts whose version is remembered, so that an older one can't come back."""
RUN_ENDED: Final = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED})
_NOTICE_ENDED: Final = frozenset({NotificationState.DONE, NotificationState.DISMISSED})


def trim(records: Records, kept: int) -> bool:
    """Let go of what is over, the oldest first; true where messages went, of which ``kept`` stay."""
    gone = len(records.messages) > kept
    while len(records.versions) > VERSIONS_KEPT:
        records.versions.popitem(last=False)
    if len(records.progress) > VERSIONS_KEPT:
        records.progress = {key: said for key, said in records.progress.items() if key in records.calls}
    if gone:
        oldest = sorted(records.messages.values(), key=lambda m: (m.at, m.id))[: len(records.messages) - kept]
        for message in oldest:
            del records.messages[message.id]
    for key in records.after.keys() - records.messages.keys():
        del records.after[key]
    while len(records.signals) > SIGNALS_KEPT:
        key, signal = records.signals.popitem(last=False)
        records.versions.pop((f"{Namespace.SIGNALS}.{signal.source}", key), None)
    ended = [c for c in records.calls.values() if not c.open]
    for call in sorted(ended, key=lambda c: c.ended_at or c.created_at)[: max(0, len(ended) - ENDED_KEPT)]:
        del records.calls[call.id]
        records.progress.pop(call.id, None)
    over = [r for r in records.runs.values() if r.state in RUN_ENDED]
    for run in sorted(over, key=lambda r: r.created_at)[: max(0, len(over) - ENDED_KEPT)]:
        del records.runs[run.id]
    for key in [k for k, a in records.approvals.items() if not _is_shown(a, records.calls)]:
        del records.approvals[key]
    for key in [k for k, n in records.notifications.items() if n.state in _NOTICE_ENDED]:
        del records.notifications[key]
    return gone


def _is_shown(approval: Approval, calls: Mapping[str, ToolCall]) -> bool:
    """Whether a card still waits, or is on its way."""
    if approval.state is ApprovalState.PENDING:
        return True
    call = calls.get(approval.call)
    return sending(approval, calls) or (call is not None and call.approval == approval.id and is_receipt(call))
