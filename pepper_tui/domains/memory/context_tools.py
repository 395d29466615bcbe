"""Looking back: search over everything that Pepper knows, and the rest of an entry that was capped."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from pepper_tui.clock import iso
from pepper_tui.model import Context, ContextFilter, Effect, Namespace
from pepper_tui.store import how, left_out
from pepper_tui.text import one_line
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.looking_back import looked_back
from pepper_tui.tools.tool import ToolContext, tool

LOOKED: Final = 500
"""Hits that a search within a time span examines."""
PAGE: Final = 3500
"""Characters of one page of ``read_result``: below the cap of one history entry."""
_SEARCHED: Final = (
    f"{Namespace.RAW}.*",
    f"{Namespace.SIGNALS}.*",
    Namespace.USER_MESSAGE,
    Namespace.ASSISTANT_MESSAGE,
    Namespace.TOOL_RESULT,
    Namespace.NOTIFICATION,
    Namespace.REMINDER,
    Namespace.NOTE,
    Namespace.SUMMARY,
    Namespace.RUN,
)


@tool(effect=Effect.READ)
async def search_context(
    ctx: ToolContext, query: str, source: str = "", limit: Annotated[int, Field(ge=1, le=50)] = 10,
    since: str = "", until: str = "",
) -> str:  # fmt: skip
    """Search everything that was seen, said and done: by words, and by meaning where a line says so. Best first. For
    mail alone use search_mail; for all that was done in a time, whatever its words, activity.

    Args:
        query: words to look for, or what it was about
        source: only this kind, e.g. signals.mail, user.message, tool.result, note; empty for all
        limit: how many hits at most
        since: where the time begins: 'today', 'last week', '3 days ago', a date, or a date with an hour
        until: where it ends, in the same forms; a day or a week counts in whole; empty for now
    """
    if not query.strip():
        raise ToolError("'query' is empty")
    kind = source.partition(".")[0]
    known = not source or any(each in (source, f"{kind}.*") for each in _SEARCHED)
    if not known:
        raise ToolError(f"there is no source {one_line(source, 60)!r}; there are: {', '.join(_SEARCHED)}")
    wanted = [source, f"{source}.*"] if source else list(_SEARCHED)
    begins, ends = await looked_back(ctx, since, until)
    timed = begins is not None or ends is not None
    where = ContextFilter(namespaces=wanted, since=begins)  # what belongs to that time may have changed since
    asked = await _asked_in(ctx)
    looked = LOOKED if timed else limit + 1 + len(asked)
    found = await ctx.store.search(query, where, looked)
    hits = [
        hit
        for hit in found
        if f"{hit.context.namespace}:{hit.context.context_id}" not in asked
        and (begins is None or _when(hit.context) >= begins)
        and (ends is None or _when(hit.context) < ends)
    ]
    lines = [
        f"{hit.context.namespace}:{hit.context.context_id} | {iso(_when(hit.context), ctx.zone)}"
        f" | {one_line(hit.snippet, 300)}{how(hit.found)}"
        for hit in hits[:limit]
    ]
    if len(hits) > limit and hits[limit].found != "meaning":  # hits by meaning never end
        lines.append(f"[more match than these {limit}: say more words, a shorter time, or a larger limit]")
    elif timed and len(found) == looked:
        lines.append(f"[only the best {looked} hits were looked at: say more words]")
    return "\n".join(filter(None, ["\n".join(lines) or "Nothing matches.", left_out(query)]))


def _when(context: Context) -> float:
    """Return when it was: a mail counts by its date, whenever it was taken in."""
    date = context.data.get("date") if context.namespace == f"{Namespace.RAW}.mail" else None
    return float(date) if isinstance(date, int | float) else context.updated_at


async def _asked_in(ctx: ToolContext) -> set[str]:
    """Return the inputs of the step that makes this search: the question itself does not answer it."""
    kind, _, ident = ctx.call.origin.partition(":")
    step = await ctx.store.get(ident, namespace=Namespace.STEP) if kind == "step" else None
    return set(step.data["inputs"]) if step is not None else set()


@tool(effect=Effect.READ)
async def read_result(ctx: ToolContext, call_id: str, offset: Annotated[int, Field(ge=0)] = 0) -> str:
    """Read on in an entry that was cut short.

    Args:
        call_id: the id of the tool call, signal, message or mail (also as namespace:id)
        offset: the character to go on from
    """
    found = await find_context(ctx, call_id)
    if found is None:
        raise ToolError(f"there is nothing with the id {one_line(call_id, 80)!r}")
    content = str(found.data.get("content") or found.data.get("text") or found.text)
    page = content[offset : offset + PAGE]
    rest = len(content) - offset - len(page)
    if not page:
        return f"[the end: {len(content)} characters in all]"
    return page + (f"\n[{rest} characters follow; go on with offset={offset + len(page)}]" if rest > 0 else "")


async def find_context(ctx: ToolContext, ref: str) -> Context | None:
    """Return the context that ``ref``, an id or ``namespace:id``, names, if a model may look back at it."""
    if ":" in ref:
        namespace, _, context_id = ref.partition(":")
        if any(namespace == s or (s.endswith(".*") and namespace.startswith(s[:-1])) for s in _SEARCHED):
            found = await ctx.store.get(context_id, namespace=namespace)
            if found is not None:
                return found
    found = await ctx.store.get(ref, namespace=Namespace.TOOL_RESULT)
    if found is not None:
        return found
    ids = list(dict.fromkeys([ref, ref.strip("<>")]))  # a Message-ID is in brackets
    others = await ctx.store.query(ContextFilter(namespaces=list(_SEARCHED), context_ids=ids, limit=1))
    return others[0] if others else None


CONTEXT_TOOLS: Final = (search_context, read_result)
