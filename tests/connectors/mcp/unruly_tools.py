"""What the unruly server offers."""

from __future__ import annotations

from typing import Any


def tool(name: str, description: str = "", **arguments: str) -> dict[str, Any]:
    properties = {key: {"type": kind} for key, kind in arguments.items()}
    schema = {"type": "object", "properties": properties, "required": sorted(arguments)}
    return {"name": name, "description": description or f"Does {name}.", "inputSchema": schema}


TOOLS = [
    tool("echo", text="string"),
    tool("secret"),
    tool("crash"),
    tool("crash_after", line="string"),
    tool("hang"),
    tool("big", size="integer"),
    tool("noise"),
    tool("progress", steps="integer"),
    tool("append", line="string"),
    tool("refuse", line="string"),
    tool("ask", message="string"),
    tool("visit", url="string"),
    tool("change"),
    tool("child"),
]

GIVE = tool("give", result="object")
"""Answers with exactly the result that it is given."""
