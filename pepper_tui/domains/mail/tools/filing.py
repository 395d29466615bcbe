"""Filing: archive, trash, junk, move, label and mark mails at their account, all by one effect and one approval.

A model proposes; the user's own key on named mails is proposal and yes in one (``engine/acts/filing_acts.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from pepper_tui.domains.mail.at_source.filing import Filed, Filer, Filing
from pepper_tui.domains.mail.at_source.own_filing import BY_KEY
from pepper_tui.domains.mail.parts import MailParts
from pepper_tui.domains.mail.tools.filing_plan import (
    MOST,
    FolderError,
    Item,
    counted,
    effect_of,
    named_folder,
    planned,
)
from pepper_tui.domains.mail.tools.reading import known_mail
from pepper_tui.model import Effect, Json, Notification, Priority, ResolvedEffect
from pepper_tui.text import one_line
from pepper_tui.tools.errors import OutdatedError, ToolError
from pepper_tui.tools.tool import ToolContext, tool

_FOLDERS_NAMED: Final = 30
Proposed = Literal["archive", "trash", "junk", "move", "label", "unlabel", "read", "unread", "flag", "unflag"]


async def resolve_filing(
    ctx: ToolContext, mails: tuple[str, ...], act: Proposed, folder: str = "", reason: str = ""
) -> ResolvedEffect:
    """Args:
    mails: the message ids of the mails, as search_mail gives them; all of one account, at most 100
    act: what to do with them
    folder: for move, the folder; for label and unlabel, the label
    reason: why this is proposed, shown to the user
    """  # noqa: D415
    filers = ctx.of(MailParts).filers
    if not mails or len(mails) > MOST:
        raise ToolError(f"name 1 to {MOST} mails")
    known = [await known_mail(ctx, each) for each in mails]
    filing = Filing(act, folder)
    ids = [str(mail["id"]) for mail in known]
    plan = await planned(ctx.store, filers, ids, filing)
    if len(plan) > 1:
        raise ToolError(f"these mails are of several accounts ({', '.join(plan)}): propose it for each alone")
    [account] = plan
    try:
        filing = await named_folder([filers[account]], filing)
    except FolderError as error:
        few = ", ".join(one_line(each, 60) for each in error.folders[:_FOLDERS_NAMED])
        raise ToolError(f"{error}; there are: {few}" if few else str(error)) from error
    plan = await planned(ctx.store, filers, ids, filing)
    return effect_of(ctx.tool, account, filing, plan[account])


def same_filing(payload: Json) -> Json:
    """Return what makes two effects the same request: the act and the mails, wherever they lie now."""
    return {
        "act": payload["act"],
        "folder": payload["folder"],
        "leaving": payload.get("leaving", ""),
        "mails": sorted(str(each["id"]) for each in payload["mails"]),
    }


async def probe_filing(ctx: ToolContext, effect: ResolvedEffect) -> bool | None:
    """Look at the account whether it was done to all of the mails."""
    filer = ctx.of(MailParts).filers.get(effect.account)
    filing, _, places = _asked(effect)
    return await filer.is_done(filing, places) if filer is not None else None


@tool(effect=Effect.WRITE, resolve=resolve_filing, probe=probe_filing, same=same_filing, taints=False, timeout=180.0)
async def file_mail(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Propose to archive mails, or to put them in the trash or the spam folder, move, label, flag or mark them. The
    user approves exactly these mails first.
    """
    parts = ctx.of(MailParts)
    filer = _filer(parts, effect.account)
    filing, items, places = _asked(effect)
    said = await filer.file(filing, places)
    ctx.checkpoint("mails_filed")
    filed = {
        place: said.get(place) or Filed(place, trouble="the account does not say what became of it") for place in places
    }
    if parts.note_filed is not None:
        await parts.note_filed(ctx.call.id, effect.account, filing, items, filed)
    stayed = [item for item in items if all(filed[place].trouble for place in item.places)]
    troubles = "; ".join(dict.fromkeys(each.trouble for each in filed.values() if each.trouble))
    if troubles:
        await _tell(ctx, effect, stayed, troubles)
    if len(stayed) == len(items):
        raise OutdatedError(troubles)
    left = f" {counted(len(stayed))} stayed: {troubles}." if stayed else f" {troubles}." if troubles else ""
    return f"Done: {effect.summary}.{left}"


def _filer(parts: MailParts, account: str) -> Filer:
    if (filer := parts.filers.get(account)) is None:
        raise OutdatedError(f"there is no account {one_line(account, 60)} any more whose mail can be filed")
    return filer


def _asked(effect: ResolvedEffect) -> tuple[Filing, list[Item], list[str]]:
    payload = effect.payload
    items = [Item.of(each) for each in payload["mails"]]
    ids = {place: item.message_id for item in items for place in item.places if item.message_id}
    places = list(dict.fromkeys(place for item in items for place in item.places))
    filing = Filing(payload["act"], str(payload["folder"]), ids, str(payload.get("leaving", "")))
    return filing, items, places


async def _tell(ctx: ToolContext, effect: ResolvedEffect, stayed: Sequence[Item], troubles: str) -> None:
    """Tell the user what a key of theirs did not do; to a model its result says it."""
    announce = ctx.of(MailParts).announce
    if announce is None or ctx.call.origin != BY_KEY:
        return
    named = "\n".join(f"{item.subject} — {item.sender}" for item in stayed[:10])
    item = Notification(
        ctx.clock.new_id("notice"),
        f"Not filed: {one_line(effect.summary, 120)}",
        f"{troubles}\n{named}".strip(),
        "You asked for it by a key.",
        f"tool.call:{ctx.call.id}",
        ctx.clock.now(),
        Priority.HIGH,
        "trouble",
    )
    await announce(item)
