"""A card's mail put among the drafts of its account, by the user's own key.

No model is offered this: what it drafts is a card. The effect holds the mail to the byte, as its card does, so the
draft is what the card showed. After a kill the folder is searched for the Message-ID: nothing is put there twice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NoReturn

from pepper_tui.domains.mail.draft_box import DraftBox
from pepper_tui.domains.mail.parts import MailParts
from pepper_tui.domains.mail.tools.composing import approved_message
from pepper_tui.model import Effect, Json, ResolvedEffect
from pepper_tui.text import one_line
from pepper_tui.tools.errors import OutdatedError, ToolError
from pepper_tui.tools.tool import Tool, ToolContext

BY_KEY: Final = "user:draft"
"""Origin of such a call; its result starts no step of the scheduler."""


class _OwnKeyAlone(Tool):
    """A tool that only the user's key calls."""

    @property
    def offered(self) -> bool:
        return False


async def _refused(ctx: ToolContext, message_id: str) -> NoReturn:
    """Args:
    message_id: of the mail
    """  # noqa: D415
    raise ToolError("only the user's own key saves a draft; propose the mail with send_mail or draft_reply")


async def _saved(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Save a mail among the drafts of its account."""
    box = box_of(ctx.of(MailParts), effect.payload)
    if box is None or box.account != effect.account:
        raise OutdatedError(f"there is no account {one_line(effect.account, 60)} any more that keeps drafts")
    where = await box.save(str(effect.payload["message_id"]), await approved_message(ctx, effect))
    ctx.checkpoint("draft_saved")
    return f"Saved as a draft: {where}."


async def _is_there(ctx: ToolContext, effect: ResolvedEffect) -> bool | None:
    """Look among the drafts whether it is there."""
    box = box_of(ctx.of(MailParts), effect.payload)
    return await box.holds(str(effect.payload["message_id"])) if box is not None else None


def box_of(parts: MailParts, payload: Json) -> DraftBox | None:
    """Return the drafts of the account that the mail of ``payload`` would be sent from, if it keeps any."""
    return parts.drafts.get(str(payload.get("through") or "") or parts.unnamed)


def draft_effect(parts: MailParts, mail: ResolvedEffect) -> ResolvedEffect:
    """Return the effect of saving the mail that ``mail`` would send. Raises ``ToolError`` if that can't be."""
    if "message_id" not in mail.payload or "fields" not in mail.payload:
        raise ToolError("this card is no mail")
    box = box_of(parts, mail.payload)
    if box is None:
        through = str(mail.payload.get("through") or "")
        which = f"account {one_line(through, 60)}" if through else "[mail]"
        raise ToolError(f"{which} keeps no drafts; the card stays here until you answer it")
    lines = [replace(line, editable=False) for line in mail.lines]
    summary = f"Save as a draft: {one_line(str(mail.payload['fields']['subject']), 80)}"
    return ResolvedEffect(save_draft.name, save_draft.definition, box.account, summary, lines, mail.payload)


save_draft: Final = _OwnKeyAlone(
    name="save_draft",
    effect=Effect.WRITE,
    body=_saved,
    resolve=_refused,
    probe=_is_there,
    fate=_is_there,
    same=lambda payload: {"message_id": payload["message_id"]},
    taints=False,
    timeout=120.0,
)
