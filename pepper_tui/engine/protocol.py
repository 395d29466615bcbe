"""The one narrow protocol through which the screen talks to the engine.

The screen knows records and these methods, nothing else, so the engine can run in another process. Each act returns
words for the status line, or raises ``EngineError`` with words that say what went wrong and what to do. A ``ref`` names
one inbox item: ``approval:<id>``, ``notification:<id>`` or ``call:<id>``. An act on several takes all or none, and one
``undo`` reverts all of it. An approval among notifications is their card's draft: dismissing them, or filing them as
done, rejects it if it is still pending.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import tzinfo
from typing import Final, Protocol

from pepper_tui.domains.calendar.days.records import DaysPage
from pepper_tui.domains.documents.file_text import FileText
from pepper_tui.domains.mail.listing.records import MailHead, MailPage, ThreadMail
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
"""The error for everything asked of a closed engine."""

__all__ = ["CLOSED", "SHOWN", "ChoiceError", "Engine", "EngineError", "ReplyDelta", "UnknownAnswer"]


class View(Protocol):
    """Queries for what is shown."""

    @property
    def zone(self) -> tzinfo: ...
    @property
    def model_name(self) -> str: ...
    @property
    def offline(self) -> bool: ...

    async def recall(self, filter: ContextFilter) -> list[Context]:  # noqa: A002
        """Return contexts in their current state: for the first screen, and for details."""
        ...

    async def health(self) -> list[Context]:
        """Return the ``Health`` of each part, including the store; works even if the store can't be read."""
        ...

    async def held_back(self, since: float) -> tuple[int, int]:
        """Return how much was noticed or thought since then but not told, and the log position of that count."""
        ...

    def updates(self) -> AbstractAsyncContextManager[AsyncIterator[list[ContextUpdate]]]:
        """Subscribe to live updates of ``SHOWN`` and of steps; the subscription is open once the context is entered.

        An empty batch means that some were lost unread: the screen recalls the state again.
        """
        ...

    def replies(self) -> AsyncIterator[ReplyDelta]:
        """Yield pieces of replies as they are written, from the first ``anext`` on."""
        ...

    async def why(self, ref: str) -> list[str]:
        """Return the chain signal → step → calls → cost behind ``ref``.

        ``ref``: an inbox ref, ``message:<id>``, ``signal:<id>``, ``run:<id>``, ``rule:<id>``, ``event:<uid>``, or
        ``silence`` for what was held back.
        """
        ...

    async def dead_letters(self) -> list[str]:
        """Return one line per delivery that was given up."""
        ...


class MailView(Protocol):
    """All mail of all accounts, as threads."""

    async def mails(
        self, query: str = "", *, first: int = 0, limit: int = 100, newest: bool = False, around: str = ""
    ) -> MailPage:
        """Return a window of the threads, the unread ones first, then by date; ``newest``: by date alone.

        ``query``: words and filters; raises ``EngineError`` for one that is not understood. ``around``: a thread that
        the window is to hold, if it is in the list; else the window begins at ``first``.
        """
        ...

    async def mail_thread(self, mail: str) -> list[ThreadMail]:
        """Return the thread of a mail, by the id of either, oldest first. It marks nothing."""
        ...

    async def mail_head(self, kind: str, mail: str = "") -> MailHead:
        """Return who would write a mail of that ``kind`` (see ``write_mail``) about ``mail``, and its subject."""
        ...

    async def attachment(self, mail: str, number: int) -> tuple[str, bytes]:
        """Return name and bytes of an attachment of a mail, counted from 0, from where the mail lives."""
        ...

    async def attachment_text(self, mail: str, number: int, first: int = 1) -> FileText:
        """Return the text of an attachment, from its page, sheet or slide ``first`` on, and what of it was not read.

        Raises ``EngineError`` with the reason if it can't be read as text.
        """
        ...

    def mail_changes(self) -> AsyncIterator[int]:
        """Yield once at the beginning, then whenever the list may have changed."""
        ...


class AgendaView(Protocol):
    """What is on the user's days."""

    async def days(self, first: str = "today", count: int = 1) -> DaysPage:
        """Return ``count`` days from ``first`` on: an ISO date, or words ("friday", "next week").

        Raises ``EngineError`` for words that name no day, and if nothing can be read.
        """
        ...


class Conversation(Protocol):
    """What the user says, and takes back."""

    async def say(
        self,
        text: str,
        *,
        spans: Sequence[Span] | None = None,
        after_calls: bool = False,
        alone: bool = False,
        key: str = "",
    ) -> str:
        """Accept a message of the user; return its id once it is durable.

        ``spans``: which parts were not typed in Pepper's own fields; None: all of it. ``alone``: no other message is
        answered in the same reply. ``key``: a message with the same key is not accepted twice.
        """
        ...

    async def take_back(self) -> Written | None:
        """Withdraw the newest message that no step has taken yet; return what was written, or None."""
        ...

    async def stop_reply(self) -> None: ...


class InboxActs(Protocol):
    """Acts on inbox items."""

    async def approve(self, approval_id: str) -> str: ...
    async def reject(self, approval_id: str, note: str = "") -> str: ...
    async def edit(self, approval_id: str, fields: dict[str, str], typed: Collection[str] = ()) -> str:
        """Replace the approval by a new pending one; ``fields`` maps label → new value of the changed lines.

        ``typed``: the labels of those that were typed in Pepper's own fields; only they have the user's authority.
        """
        ...

    async def dismiss(self, ref: str, *more: str) -> str: ...
    async def done(self, ref: str, *more: str) -> str: ...
    async def file(self, refs: Sequence[str], act: str, folder: str = "") -> str:
        """File the mails behind ``refs`` at their accounts: proposal and yes in one, and one act to undo.

        A ref may also be ``mail:<id>``. ``act`` is one of ``domains/mail/at_source/filing.py``; ``folder`` is where
        to, for ``move``, or the label. Archive, trash, junk, move and read end the items, too. Raises ``ChoiceError``
        with the folders if none was named, or none or several fit.
        """
        ...

    async def seen(self, ref: str) -> None:
        """Record that a notification was looked at, or that an approval's card was drawn."""
        ...

    async def attend(self, at_inbox: bool) -> None:
        """Record whether the user is at a card: editing one, or with the focus in the inbox.

        Until they leave, no card is revised.
        """
        ...

    async def snooze(self, ref: str, when: str, *more: str) -> str:
        """Snooze items until ``when``, in the user's words: "1h", "tomorrow 9am".

        The refs may be of approvals and notifications. Raises ``ChoiceError`` if the words can mean several times.
        """
        ...

    async def choose(self, ref: str, number: int) -> str:
        """Answer an inbox question with one of its choices, counted from 1."""
        ...

    async def answer(self, ref: str, text: str, *, spans: Sequence[Span] | None = None) -> str:
        """Answer an inbox question in the user's own words. ``spans`` as in ``say``."""
        ...


class CallActs(Protocol):
    """Acts on calls and deliveries; undo and redo."""

    async def answer_unknown(self, call_id: str, answer: UnknownAnswer) -> str: ...
    async def cancel_call(self, call_id: str) -> str: ...
    async def undo(self) -> str:
        """Undo the newest act that can still be undone; name the skipped ones."""
        ...

    async def redo(self) -> str:
        """Redo what was undone last, unless the user has acted since. Redo never repeats an approval."""
        ...

    async def redrive(self) -> str:
        """Deliver again what was given up."""
        ...


class RuleActs(Protocol):
    """The user's rules, and acts on them."""

    async def rules(self) -> list[RuleReport]:
        """Return each rule with its results so far; also removed ones while they can be restored."""
        ...

    async def rule_acts(self, rule_id: str, limit: int = 50) -> list[RuleAct]:
        """Return the rule's latest acts, newest first."""
        ...

    async def rule_versions(self, rule_id: str) -> list[tuple[str, str]]:
        """Return each version of the rule with its sentence, newest first; empty for a rule with only one."""
        ...

    async def pause_rule(self, rule_id: str) -> str: ...
    async def resume_rule(self, rule_id: str) -> str: ...
    async def remove_rule(self, rule_id: str) -> str: ...
    async def propose_rule(self, ref: str) -> str:
        """Propose a rule that repeats what was done about ``ref``; it is a card that waits for approval."""
        ...


class MailActs(Protocol):
    """Acts on mail."""

    async def write_mail(self, kind: str, mail: str, fields: Mapping[str, Written]) -> str:
        """Make a card of a mail that the user has written; return the id of its call. Nothing is sent before the yes.

        ``kind``: ``new``, ``reply``, ``reply_all``, ``reply_list`` or ``forward``; ``mail``: what it answers, if any;
        ``fields``: to, cc, subject, body, as far as the kind takes them; what was typed of them is the user's own.
        ``nudge`` reminds those who have not answered, in words of Pepper's: ``mail`` is the card's ref.
        """
        ...

    async def save_draft(self, approval_id: str) -> str:
        """Put a card's mail among the drafts of its account, and end the card; return words. Undo opens it again."""
        ...


class AgendaActs(Protocol):
    """Acts on what is on the user's days."""

    async def order_event(self, act: str, ref: str, day: str, said: Written) -> str:
        """Order a change of one ``DayEntry``, by its ``ref`` and ``day``; return the id of the call.

        Without a ``day`` an answer is about all times of a series.

        ``act``: one of ``engine/days/event_orders.py`` (``done``: a to-do), ``new`` (what and when are ``said``) or
        ``forget`` (a reminder, at once). All others end in a card: nothing changes before its yes.
        """
        ...


class Engine(View, MailView, AgendaView, Conversation, InboxActs, CallActs, RuleActs, MailActs, AgendaActs, Protocol):
    """Everything the screen may ask for. Once closed, calls raise ``EngineError`` and streams end."""

    async def start(self) -> None: ...
    async def close(self) -> None: ...
