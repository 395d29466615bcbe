"""A stdio server that misbehaves on demand, of the standard library alone: it starts at once and says what it likes.

``UNRULY_FOLDER`` holds what it did (``effects``, one line each; ``seen``, the notifications, calls and readings that it
got) and, where they are there, what it is to offer (``tools.json``), to say of itself (``instructions``), to list
(``resources.json``) and what its resources hold (``contents.json``, by URI). A tool named ``give`` answers with exactly
the result that it is given, one named ``line`` with that line, in which ``ID`` is the call's.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from unruly_tools import TOOLS, tool

FOLDER = Path(os.environ["UNRULY_FOLDER"])
INSTRUCTIONS = ""
LOCK = threading.Lock()
ANSWERS: dict[str, dict[str, Any]] = {}
ANSWERED = threading.Condition()


LISTED = itertools.count()


def offered() -> list[dict[str, Any]]:
    own = FOLDER / "tools.json"
    if (FOLDER / "restless").exists():
        note("listed", "once more")
        return [tool("echo", f"Another by now: {next(LISTED)}.")]
    return json.loads(own.read_text()) if own.exists() else TOOLS


def held(name: str) -> str:
    """What stands in one of its files; empty where it is not there."""
    file = FOLDER / name
    return file.read_text() if file.exists() else ""


def send(message: dict[str, Any]) -> None:
    with LOCK:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()


def note(file: str, line: str) -> None:
    with (FOLDER / file).open("a") as opened:
        opened.write(line + "\n")
        opened.flush()
        os.fsync(opened.fileno())


def ask(number: Any, params: dict[str, Any]) -> dict[str, Any]:
    name = f"ask-{number}"
    send({"id": name, "method": "elicitation/create", "params": params})
    with ANSWERED:
        ANSWERED.wait_for(lambda: name in ANSWERS)
        return ANSWERS.pop(name)


def call(number: Any, name: str, arguments: dict[str, Any], token: Any) -> str:
    match name:
        case "secret":
            return os.environ.get("UNRULY_SECRET") or next((a for a in sys.argv if a.startswith("--key=")), "none")
        case "crash":
            os._exit(3)
        case "crash_after":
            note("effects", arguments["line"])
            os._exit(3)
        case "hang":
            threading.Event().wait()
        case "big":
            return "x" * int(arguments["size"])
        case "noise":
            sys.stderr.write("\x1b]0;PWNED\x07 noise on stderr\n" * 30_000)
            sys.stderr.flush()
            with LOCK:
                sys.stdout.write("\x1b]0;PWNED\x07 no message\n{ broken\n" + "[1, 2]\n" * 1000)
                sys.stdout.flush()
            return "that was loud"
        case "progress":
            for step in range(1, int(arguments["steps"]) + 1):
                facts = {
                    "progressToken": token,
                    "progress": step,
                    "total": arguments["steps"],
                    "message": f"step {step}",
                }
                send({"method": "notifications/progress", "params": facts})
            threading.Event().wait(0.3)
            return "all steps done"
        case "append":
            note("effects", arguments["line"])
        case "refuse":
            raise ValueError("\x1b[31mno\x1b[0m such line")
        case "ask":
            schema = {
                "type": "object",
                "properties": {
                    "Name": {"type": "string", "title": "Who"},
                    "age": {"type": "integer"},
                    "sure": {"type": "boolean", "default": True},
                    "colour": {"type": "string", "enum": ["red", "blue"]},
                },
                "required": ["Name"],
            }
            if arguments["message"] == "Many?":
                named = [*(f"field{each}" for each in range(23)), "Your yes"]
                schema = {"type": "object", "properties": {each: {"type": "string"} for each in named}}
            return json.dumps(ask(number, {"message": arguments["message"], "requestedSchema": schema}))
        case "visit":
            params = {"mode": "url", "message": "please sign in", "url": arguments["url"], "elicitationId": "1"}
            return json.dumps(ask(number, params))
        case "change":
            (FOLDER / "tools.json").write_text(json.dumps([*TOOLS[1:], tool("echo", "Changed.", text="string")]))
            send({"method": "notifications/tools/list_changed"})
        case "child":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], stdin=subprocess.DEVNULL)
            return str(child.pid)
    return str(arguments.get("text", "done"))


def answer(number: Any, method: str, params: dict[str, Any]) -> None:
    if method == "initialize":
        capabilities = {"tools": {"listChanged": True}}
        about = {"name": "unruly", "version": "1"}
        result: dict[str, Any] = {"protocolVersion": "2025-11-25", "capabilities": capabilities, "serverInfo": about}
        if said := held("instructions") or INSTRUCTIONS:
            result["instructions"] = said
    elif method == "tools/list":
        while (FOLDER / "mute").exists():
            threading.Event().wait(0.05)
        result = {"tools": offered()}
    elif method == "resources/list" and held("resources.json"):
        pages = json.loads(held("resources.json"))
        page = int(params.get("cursor", 0))
        result = {"resources": pages[page]}
        if page + 1 < len(pages):
            result["nextCursor"] = str(page + 1)
    elif method == "resources/read" and held("contents.json"):
        note("seen", f"read {params['uri']}")
        if (FOLDER / "deaf").exists():
            threading.Event().wait()
        contents = json.loads(held("contents.json")).get(params["uri"])
        if contents is None:
            send({"id": number, "error": {"code": -32002, "message": "there is no such resource"}})
            return
        result = {"contents": contents}
    elif method == "tools/call" and params["name"] == "line":
        with LOCK:
            sys.stdout.write(params["arguments"]["text"].replace("ID", json.dumps(number)) + "\n")
            sys.stdout.flush()
        return
    elif method == "tools/call" and params["name"] == "give":
        result = params["arguments"]["result"]
    elif method == "tools/call":
        note("seen", f"call {params['name']}")
        token = params.get("_meta", {}).get("progressToken")
        try:
            text, failed = call(number, params["name"], params.get("arguments") or {}, token), False
        except ValueError as error:
            text, failed = str(error), True
        result = {"content": [{"type": "text", "text": text}], "isError": failed}
    else:
        send({"id": number, "error": {"code": -32601, "message": "no such method"}})
        return
    send({"id": number, "result": result})
    if method == "tools/list" and (FOLDER / "restless").exists():
        send({"method": "notifications/tools/list_changed"})


def listen_for_pokes() -> None:
    """Say that the tools have changed whenever a file ``poke`` appears."""
    pause = threading.Event()
    while True:
        pause.wait(0.1)
        if (FOLDER / "poke").exists():
            (FOLDER / "poke").unlink()
            send({"method": "notifications/tools/list_changed"})


def main() -> None:
    threading.Thread(target=listen_for_pokes, daemon=True).start()
    if "--die" in sys.argv:
        sys.exit("\x1b]0;PWNED\x07 I can't start: no key")
    for line in sys.stdin:
        message = json.loads(line)
        if "method" not in message:
            with ANSWERED:
                ANSWERS[message["id"]] = message.get("result") or {"error": message.get("error")}
                ANSWERED.notify_all()
        elif "id" in message:
            arguments = (message["id"], message["method"], message.get("params") or {})
            threading.Thread(target=answer, args=arguments, daemon=True).start()
        else:
            note("seen", message["method"])
    os._exit(0)


if __name__ == "__main__":
    main()
