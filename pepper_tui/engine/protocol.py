"""The one narrow protocol through which the screen speaks to the engine.

The screen knows records and these methods, nothing else; a process boundary can be put here. Each act returns
words for the status line, or raises ``EngineError`` with words that say what went wrong and the way out.
A ``ref`` names one thing of the inbox: ``approval:<id>``, ``notification:<id>`` or ``call:<id>``. An act on several
takes them all or none, and one ``undo`` takes all of it back. An approval among notifications is their card's draft: to
dismiss them, or to file them as done, rejects it, if it waits for a yes still.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import tzinfo
from typing import Final, Protocol

from pepper_tui.model import (
    SHOWN,
    ChoiceError,
    Context,
    ContextFilter,
    ContextUpdate,
    EngineError,
    ReplyDelta,
    RuleAct,
    RuleReport,
    Span,
    UnknownAnswer,
    Written,
)

CLOSED: Final = "Pepper has closed; start it again"
"""What is said of all that is asked of an engine that has closed."""

__all__ = ["CLOSED", "SHOWN", "ChoiceError", "Engine", "EngineError", "ReplyDelta", "UnknownAnswer"]


class View(Protocol):
    """What is shown."""

    @property
    def zone(self) -> tzinfo: ...
    @property
    def model_name(self) -> str: ...
    @property
    def offline(self) -> bool: ...

    async def recall(self, filter: ContextFilter) -> list[Context]:  # noqa: A002
        """Contexts as they stand: the state at the start, and details."""
        ...

    async def health(self) -> list[Context]:
        """How each part is (``Health``), the store itself among them: also where nothing can be read."""
        ...

    async def held_back(self, since: float) -> tuple[int, int]:
        """How much was noticed or thought since then and not told, and the place in the log up to which."""
        ...

    def updates(self) -> AbstractAsyncContextManager[AsyncIterator[list[ContextUpdate]]]:
        """Live updates of ``SHOWN`` and of steps, subscribed once the context is entered.

        An empty batch means that some were overwritten unread: the screen recalls the state again.
        """
        ...

    def replies(self) -> AsyncIterator[ReplyDelta]:
        """Pieces of replies as they are written, from the first ``anext`` on."""
        ...

    async def why(self, ref: str) -> list[str]:
        """The chain signal → step → calls → cost behind ``ref``: an inbox ref, ``message:<id>``, ``signal:<id>``,
        ``run:<id>``, ``rule:<id>``, or ``silence`` for what was held back."""
        ...

    async def dead_letters(self) -> list[str]:
        """One line for each delivery that was given up."""
        ...


class Conversation(Protocol):
    """What the user says."""

    async def say(
        self,
        text: str,
        *,
        spans: Sequence[Span] | None = None,
        after_calls: bool = False,
        alone: bool = False,
        key: str = "",
    ) -> str:
        """Accept a message of the user; returns its id once it is durable. ``spans``: what of it was not typed in
        Pepper's own fields; unsaid, all of it. ``alone``: no other message is answered in one reply with it. ``key``:
        what is said again with it was said already."""
        ...

    async def take_back(self) -> Written | None:
        """Withdraw the newest message that no step has taken yet; returns what was written, or None."""
        ...

    async def stop_reply(self) -> None: ...


class InboxActs(Protocol):
    """What the user does to the items of the inbox."""

    async def approve(self, approval_id: str) -> str: ...
    async def reject(self, approval_id: str, note: str = "") -> str: ...
    async def edit(self, approval_id: str, fields: dict[str, str]) -> str:
        """Replace the approval by a new pending one; ``fields`` are label → new value of the changed lines."""
        ...

    async def dismiss(self, ref: str, *more: str) -> str: ...
    async def done(self, ref: str, *more: str) -> str: ...
    async def seen(self, ref: str) -> None:
        """A notification was looked at, or an approval's card was drawn."""
        ...

    async def attend(self, at_inbox: bool) -> None:
        """Whether the user is at a card: edits one, or the inbox has the keys. Until they leave none is revised."""
        ...

    async def snooze(self, ref: str, when: str, *more: str) -> str:
        """``when`` in the user's words: "1h", "tomorrow 9am". The refs may be of approvals and notifications. Raises
        ``ChoiceError`` where the words can mean several times."""
        ...

    async def choose(self, ref: str, number: int) -> str:
        """Answer a question of the inbox by one of its choices, counted from 1."""
        ...

    async def answer(self, ref: str, text: str, *, spans: Sequence[Span] | None = None) -> str:
        """Answer a question of the inbox in the user's own words. ``spans`` as in ``say``."""
        ...


class CallActs(Protocol):
    """What the user does to calls and deliveries, and takes back."""

    async def answer_unknown(self, call_id: str, answer: UnknownAnswer) -> str: ...
    async def cancel_call(self, call_id: str) -> str: ...
    async def undo(self) -> str:
        """Take back the newest act that can still be taken back; those passed over are named."""
        ...

    async def redo(self) -> str:
        """Do again what was undone last, unless the user has acted since. A yes is never said again."""
        ...

    async def redrive(self) -> str:
        """Hand out again what was given up."""
        ...


class RuleActs(Protocol):
    """The user's rules, and what the user does to them."""

    async def rules(self) -> list[RuleReport]:
        """Each rule with what came of it so far; removed ones too, while they can be brought back."""
        ...

    async def rule_acts(self, rule_id: str, limit: int = 50) -> list[RuleAct]:
        """The rule's last acts, the newest first."""
        ...

    async def rule_versions(self, rule_id: str) -> list[tuple[str, str]]:
        """Each version of the rule and its sentence, the newest first; none for a rule that has only one."""
        ...

    async def pause_rule(self, rule_id: str) -> str: ...
    async def resume_rule(self, rule_id: str) -> str: ...
    async def remove_rule(self, rule_id: str) -> str: ...
    async def propose_rule(self, ref: str) -> str:
        """Propose a rule that does from now on what was done about ``ref``; it waits for a yes as a card."""
        ...


class Engine(View, Conversation, InboxActs, CallActs, RuleActs, Protocol):
    """All that the screen may ask for. Once it is closed, what is asked raises ``EngineError``, and streams end."""

    async def start(self) -> None: ...
    async def close(self) -> None: ...
