"""All built-in tools, each made by its own domain."""

from __future__ import annotations

from dataclasses import dataclass, field

from pepper_tui.clock import Looks, SystemClock
from pepper_tui.domains.calendar.event_tools import calendar_tools
from pepper_tui.domains.calendar.parts import CalendarParts
from pepper_tui.domains.files.tools import FileParts, file_tools
from pepper_tui.domains.invitations.answering import InvitationParts
from pepper_tui.domains.invitations.tool import invitation_tools
from pepper_tui.domains.mail.parts import MailParts
from pepper_tui.domains.mail.tools import mail_tools
from pepper_tui.domains.memory.context_tools import CONTEXT_TOOLS
from pepper_tui.domains.memory.note_tools import NOTE_TOOLS
from pepper_tui.domains.memory.profile_tools import PROFILE_TOOLS
from pepper_tui.domains.notices.tools import NoticeParts, notice_tools
from pepper_tui.domains.reminders.tools import ReminderParts, reminder_tools
from pepper_tui.domains.web.tools import WebParts, web_tools
from pepper_tui.domains.why.activity_tools import ACTIVITY_TOOLS
from pepper_tui.domains.why.status_tools import STATUS_TOOLS
from pepper_tui.rules.tools import RuleParts, rule_tools
from pepper_tui.scheduler.topic_tools import TOPIC_TOOLS
from pepper_tui.tools.approvals.revise_tools import ReviseParts, revise_tools
from pepper_tui.tools.ask_tools import AskParts, ask_tools
from pepper_tui.tools.tool import Tool
from pepper_tui.workers.tools import WorkerParts, worker_tools


def _looks() -> Looks:
    return Looks(SystemClock())


@dataclass(slots=True)
class ToolParts:
    """The dependencies of the tools, by domain. A missing one makes its tools fail with words on what to configure."""

    mail: MailParts = field(default_factory=lambda: MailParts(_looks()))
    calendar: CalendarParts = field(default_factory=CalendarParts)
    invitations: InvitationParts = field(default_factory=InvitationParts)
    files: FileParts = field(default_factory=lambda: FileParts(_looks()))
    web: WebParts = field(default_factory=WebParts)
    reminders: ReminderParts = field(default_factory=ReminderParts)
    notices: NoticeParts = field(default_factory=NoticeParts)
    asking: AskParts = field(default_factory=AskParts)
    revising: ReviseParts = field(default_factory=ReviseParts)
    workers: WorkerParts = field(default_factory=WorkerParts)
    rules: RuleParts | None = None


def builtin_tools(parts: ToolParts | None = None) -> list[Tool]:
    """Return all built-in tools."""
    parts = parts or ToolParts()
    return [
        *mail_tools(parts.mail),
        *revise_tools(parts.revising),
        *calendar_tools(parts.calendar),
        *invitation_tools(parts.mail, parts.calendar, parts.invitations),
        *reminder_tools(parts.reminders),
        *rule_tools(parts.rules),
        *NOTE_TOOLS,
        *PROFILE_TOOLS,
        *file_tools(parts.files),
        *CONTEXT_TOOLS,
        *notice_tools(parts.notices),
        *ask_tools(parts.asking),
        *worker_tools(parts.workers),
        *STATUS_TOOLS,
        *ACTIVITY_TOOLS,
        *web_tools(parts.web),
        *TOPIC_TOOLS,
    ]
