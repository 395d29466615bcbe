"""A shopping list in a text file: Pepper may read it, and asks before it adds to it."""

from pathlib import Path

from pepper_tui.api import CardLine, Effect, NotDoneError, ResolvedEffect, ToolContext, ToolError, tool

LIST = Path.home() / "shopping.txt"


@tool(effect=Effect.READ)
async def read_shopping_list(ctx: ToolContext) -> str:
    """What is on the user's shopping list."""
    return LIST.read_text(encoding="utf-8") if LIST.exists() else "The list is empty."


async def resolve(ctx: ToolContext, item: str) -> ResolvedEffect:
    """What would be done, with nothing left open. Nothing is touched yet."""
    item = " ".join(item.split())
    if not item:
        raise ToolError("'item' is empty")
    return ctx.effect(
        account=str(LIST),
        summary=f"Add {item} to the shopping list",
        lines=[CardLine("Item", item, editable=True), CardLine("File", str(LIST))],
        payload={"item": item},
    )


async def revise(ctx: ToolContext, effect: ResolvedEffect, fields: dict[str, str]) -> ResolvedEffect:
    """The user changed a line of the card before saying yes."""
    return await resolve(ctx, fields["item"])


async def probe(ctx: ToolContext, effect: ResolvedEffect) -> bool | None:
    """After a crash in the midst: did it happen?"""
    return effect.payload["item"] in LIST.read_text(encoding="utf-8").splitlines() if LIST.exists() else False


@tool(effect=Effect.WRITE, resolve=resolve, revise=revise, probe=probe, account=lambda _: str(LIST))
async def add_to_shopping_list(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Add an item to the user's shopping list.

    Args:
        item: what to buy, in a few words
    """
    try:
        with LIST.open("a", encoding="utf-8") as file:
            file.write(effect.payload["item"] + "\n")
    except OSError as error:
        raise NotDoneError(f"{LIST} can't be written: {error}.") from error
    return f"Added {effect.payload['item']}."
