"""A server of the SDK's own making, which speaks the newest protocol: ``modern.py stdio`` or ``modern.py PORT``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

from mcp.server.mcpserver import Context, Elicit, ElicitationResult, MCPServer, Resolve
from mcp_types import CallToolResult, ResourceLink, TextContent
from pydantic import BaseModel

server = MCPServer("modern", instructions="Count before you paint.")


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


class Weather(BaseModel):
    degrees: float
    days: list[str]


@server.tool()
def weather(place: str, days: int = 1, note: str | None = None, shade: Colour | None = None) -> CallToolResult:
    """The weather, in a sentence and as data."""
    data = Weather(degrees=21.5, days=[f"day {number + 1}" for number in range(days)])
    words = TextContent(type="text", text=f"Mild in {place}: {note}, {shade}.")
    return CallToolResult(content=[words], structured_content=data.model_dump())


@server.tool()
def words() -> list[str]:
    """Words, which the SDK sends as texts and as data."""
    return ["one", "two"]


@server.tool()
def plans() -> ResourceLink:
    """A link to a plan that no list holds."""
    return ResourceLink(type="resource_link", name="The plan", uri="plan://tuesday")


@server.resource("plan://monday")
def monday() -> str:
    """What is planned for Monday."""
    return "Lunch."


@server.resource("plan://{day}")
def any_day(day: str) -> str:
    """What is planned for a day."""
    return f"Nothing on {day}."


if __name__ == "__main__":
    if sys.argv[1] == "stdio":
        server.run("stdio")
    else:
        server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
