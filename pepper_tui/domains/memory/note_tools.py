"""Notes: what the user wants to keep."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from pepper_tui.clock import iso
from pepper_tui.model import Context, ContextFilter, Effect, Namespace
from pepper_tui.store import how, left_out
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.tool import ToolContext, tool


@tool(effect=Effect.LOCAL)
async def take_note(ctx: ToolContext, text: str, title: str = "") -> str:
    """Keep a note for the user.

    Args:
        text: the note
        title: a few words to find it by
    """
    if not text.strip():
        raise ToolError("'text' is empty")
    note_id = f"note_{ctx.call.id}"
    data = {"id": note_id, "title": title, "text": text, "created_at": ctx.clock.now(), "tainted": ctx.call.tainted}
    await ctx.store.store(data, namespace=Namespace.NOTE, context_id=note_id, text=f"{title}\n{text}".strip())
    return f"Noted as {note_id}."


@tool(effect=Effect.READ)
async def search_notes(ctx: ToolContext, query: str = "", limit: Annotated[int, Field(ge=1, le=50)] = 10) -> str:
    """Search the user's notes.

    Args:
        query: words to look for; empty lists the newest
        limit: how many notes at most
    """
    where = ContextFilter(namespaces=[Namespace.NOTE], limit=limit + 1)
    if query.strip():
        hits = await ctx.store.search(query, where, limit + 1)
        notes = [_note(hit.context, ctx, how(hit.found)) for hit in hits]
    else:
        notes = [_note(note, ctx) for note in await ctx.store.query(where)]
    if len(notes) > limit:
        notes[limit:] = [f"[more than these {limit}: say more words, or a larger limit]"]
    return "\n\n".join(filter(None, [*(notes or ["No notes match."]), left_out(query)]))


def _note(note: Context, ctx: ToolContext, found: str = "") -> str:
    title = f" | {note.data['title']}" if note.data.get("title") else ""
    return f"{note.context_id} | {iso(note.created_at, ctx.zone)}{title}{found}\n{note.data.get('text', '')}"


NOTE_TOOLS: Final = (take_note, search_notes)
