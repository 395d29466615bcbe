"""A file that came with a mail, read as text: documents in a process of their own, and all of it text from outside."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pepper_tui.domains.documents.for_tools import FirstPage, lines_of
from pepper_tui.domains.mail.content.mime import MAX_ATTACHMENTS
from pepper_tui.domains.mail.parts import MailParts
from pepper_tui.domains.mail.tools.reading import known_mail
from pepper_tui.domains.mail.writing.originals import one_text
from pepper_tui.model import Effect
from pepper_tui.text import one_line
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.tool import ToolContext, tool


@tool(effect=Effect.READ)
async def read_attachment(
    ctx: ToolContext, message_id: str, number: Annotated[int, Field(ge=1, le=MAX_ATTACHMENTS)] = 1, first: FirstPage = 1
) -> str:
    """Read an attachment of a mail as text: PDF, Word, Excel, PowerPoint, OpenDocument, HTML, a mail, or plain text.

    Args:
        message_id: as search_mail gives it, or the id of the mail's signal
        number: which of the attachments that read_mail names, counted from 1
        first: the page, sheet or slide to begin with
    """
    mail = await known_mail(ctx, message_id)
    attachments = mail.get("attachments") or []
    if number > len(attachments):
        raise ToolError(f"that mail has {len(attachments) or 'no'} attachments")
    name, reading = await one_text(mail, number - 1, ctx.of(MailParts).originals, first)
    return "\n".join([f"attachment {number} of {len(attachments)}: {one_line(name, 200)}", *lines_of(reading)])
