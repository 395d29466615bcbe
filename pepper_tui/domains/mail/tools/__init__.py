"""The tools of mail: find, read, wait, write, file. All that goes out does so by a resolved effect and its approval."""

from __future__ import annotations

from pepper_tui.domains.mail.parts import MailParts
from pepper_tui.domains.mail.tools.attached import read_attachment
from pepper_tui.domains.mail.tools.drafting import save_draft
from pepper_tui.domains.mail.tools.filing import file_mail
from pepper_tui.domains.mail.tools.reading import read_mail, read_thread, search_mail
from pepper_tui.domains.mail.tools.sending import draft_reply, forward_mail, reply_mail, send_mail
from pepper_tui.domains.mail.tools.unsubscribing import unsubscribe
from pepper_tui.domains.mail.tools.waiting import wait_for_mail
from pepper_tui.tools.tool import Tool


def mail_tools(parts: MailParts) -> list[Tool]:
    existing = (search_mail, read_mail, read_thread, read_attachment, wait_for_mail, file_mail)
    written = (send_mail, reply_mail, draft_reply, forward_mail, unsubscribe, save_draft)
    return [each.with_given(parts) for each in (*existing, *written)]
