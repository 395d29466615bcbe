"""A server of the SDK's own making, which speaks the newest protocol: ``modern.py stdio`` or ``modern.py PORT``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

from mcp.server.mcpserver import Context, Elicit, ElicitationResult, MCPServer, Resolve
from pydantic import BaseModel

server = MCPServer("modern")


class Colour(BaseModel):
    colour: str
    shade: int = 3


async def asks_for_colour() -> Elicit[Colour]:
    return Elicit("Which colour?", Colour)


@server.tool()
async def paint(what: str, choice: Annotated[ElicitationResult[Colour], Resolve(asks_for_colour)]) -> str:
    """Paint something."""
    if choice.action != "accept":
        return f"{what} stays as it is: {choice.action}"
    return f"{what} is {choice.data.colour} {choice.data.shade}"


@server.tool()
async def count(to: int, ctx: Context) -> str:
    """Count."""
    for number in range(1, to + 1):
        await ctx.report_progress(number, to, f"at {number}")
    return f"counted to {to}"


@server.tool()
def append(line: str) -> str:
    """Append a line to a file."""
    with Path(os.environ["MODERN_FILE"]).open("a") as file:
        file.write(line + "\n")
    if line == "die":
        os._exit(3)
    return "appended"


if __name__ == "__main__":
    if sys.argv[1] == "stdio":
        server.run("stdio")
    else:
        server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
