"""A small MCP server over stdio: what is on the shelf, and orders, a line each in a file. Standard library alone."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

ORDERS = Path(os.environ["SHELF_ORDERS"])
STOCK = {"a4 paper": 37, "a3 paper": 4, "toner": 12}
ITEM = {"type": "string", "description": "The item's name: A4 paper, A3 paper or toner."}
COUNT = {"type": "integer", "minimum": 1, "description": "How many boxes."}
TOOLS = [
    {
        "name": "stock_level",
        "description": "Say how many boxes of an item are on the shelf of the store room.",
        "inputSchema": {"type": "object", "properties": {"item": ITEM}, "required": ["item"]},
    },
    {
        "name": "order",
        "description": "Order boxes of an item for the store room.",
        "inputSchema": {
            "type": "object",
            "properties": {"item": ITEM, "count": COUNT},
            "required": ["item", "count"],
        },
    },
]


def call(name: str, given: dict[str, Any]) -> tuple[str, bool]:
    """The result's text, and whether it failed."""
    item = str(given.get("item", "")).strip().lower()
    if item not in STOCK:
        return f"There is no item {item!r}; there are: {', '.join(STOCK)}.", True
    if name == "order":
        with ORDERS.open("a") as orders:
            orders.write(f"{given['count']} {item}\n")
        return f"Ordered {given['count']} boxes of {item}.", False
    return f"{STOCK[item]} boxes of {item} are on the shelf.", False


def answer(method: str, params: dict[str, Any]) -> dict[str, Any]:
    match method:
        case "initialize":
            about = {"name": "shelf", "version": "1"}
            return {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": about}
        case "tools/list":
            return {"tools": TOOLS}
        case "tools/call":
            text, failed = call(params["name"], params.get("arguments") or {})
            return {"content": [{"type": "text", "text": text}], "isError": failed}
    return {}


def main() -> None:
    for line in sys.stdin:
        message = json.loads(line)
        if "id" in message and "method" in message:
            result = answer(message["method"], message.get("params") or {})
            sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
