"""A turn: the bytes of all requests to the model for "reply to Dana, correct the price, send", as a good player asks.

``python -m bench.turn [COMMIT …]`` runs the script with this Pepper and with those commits, in the real program
against a real server, and prints calls, bytes, and the ratio to the first commit. No clock is involved: the figures
are those of the wire. A commit's code runs from a work tree of its own, with the libraries of this one.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.living.world import WAIT, World
from tests.llm.server import Reply
from tests.terminal import Terminal

ROOT = Path(__file__).parents[1]
MAIL = """\
Hi Sam,

thank you for the call on Tuesday. Could you send me the price for the Phoenix workshop, and when you could deliver
the material? We want to decide by Friday.

Best, Dana
"""
FIRST, SECOND = "Reply to Dana: the price is 9,000 EUR and we deliver in May.", "The price is 8,500, correct that."
BODY = "Hi Dana,\n\nthe price is {} EUR, and we deliver in May.\n\nBest, Sam"


@dataclass
class Player:
    """What a good model does, by what it has been shown; each act once."""

    acted: set[str] = field(default_factory=set)

    def reply(self, body: dict[str, Any]) -> Reply:
        seen = "\n".join(str(message.get("content") or "") for message in body["messages"])
        offered = {tool["function"]["name"] for tool in body.get("tools", [])}
        results = set(re.findall(r'<tool_result id="[^"]*" function="(\w+)"', seen))
        for message in body["messages"]:  # in the native form, the calls whose results follow
            results |= {call["function"]["name"] for call in message.get("tool_calls") or []}
        mail = re.search(r"message_id: (?:<|&lt;)(.*?)(?:>|&gt;)", seen)
        mail_id = f"<{mail[1]}>" if mail else ""
        if FIRST in seen and self._first("read"):
            return _calls(("read_thread", {"message_id": mail_id}), text="One moment, I read the thread.")
        if "read_thread" in results and self._first("draft"):
            body_of_it = {"message_id": mail_id, "body": BODY.format("9,000")}
            return _calls(("draft_reply", body_of_it), text="The reply to Dana is in the inbox.")
        if SECOND in seen and self._first("correct"):
            [call] = re.findall(r"(\w+) draft_reply \(waits", seen)
            new = BODY.format("8,500")
            if "revise_draft" in offered:
                return _calls(("revise_draft", {"call_id": call, "body": new}), text="It says 8,500 EUR now.")
            again = ("draft_reply", {"message_id": mail_id, "body": new})
            return _calls(("cancel_call", {"call_id": call}), again, text="It says 8,500 EUR now.")
        return WAIT

    def _first(self, act: str) -> bool:
        new = act not in self.acted
        self.acted.add(act)
        return new


def _calls(*calls: tuple[str, dict[str, Any]], text: str) -> Reply:
    return {"text": text, "calls": [{"name": name, "arguments": given} for name, given in calls]}


def played(source: Path) -> list[int]:
    """Bytes of each request that the script takes with the code in ``source``, those of the judge included."""
    with tempfile.TemporaryDirectory(prefix="pepper-bench-") as folder, World(Path(folder)) as world:
        player = Player()
        sent: list[int] = []

        def take(body: dict[str, Any], headers: dict[str, str]) -> Reply:
            sent.append(len(json.dumps(body, ensure_ascii=False).encode()))
            if world.mind.judges(body):
                return {"calls": [{"name": "judge", "arguments": {"verdicts": []}}]}
            return player.reply(body)

        world.mind.take = take  # type: ignore[method-assign]
        ours = {"PYTHONPATH": str(source), "PYTHONSAFEPATH": "1"}
        with Terminal([*world.screen_command(), "--plain"], ours, size=(200, 60)) as lines:
            lines.wait_for("Pepper works")
            lines.wait_for(world.watching)
            world.deliver(MAIL, sender="Dana Cole <dana@lumen.example>", subject="Price for the Phoenix workshop")
            lines.wait_for(lambda: len(world.facts("step")) == 1, 30)
            lines.type(f"{FIRST}\n")
            lines.wait_for("is in the inbox", 30)
            lines.type(f"{SECOND}\n")
            lines.wait_for("It says 8,500", 30)
            lines.wait_for(lambda: _pending(world, "8,500") is not None, 30)
            lines.pump(1.0)  # for what the model is told of its acts
            number = max(map(int, re.findall(r"/read (\d+)", lines.text)))
            lines.type(f"/read {number}\n")
            lines.wait_for("To approve exactly this")
            word = re.findall(r"/yes \d+ (\w+)\. To reject", lines.text)[-1]
            lines.type(f"/yes {number} {word}\n")
            lines.wait_for(lambda: bool(world.smtp.taken), 30)
            lines.pump(2.0)
        assert b"8,500" in world.smtp.taken[0]
        return sent


def _pending(world: World, words: str) -> dict[str, Any] | None:
    cards = [card for card in world.facts("approval") if card["state"] == "pending" and words in json.dumps(card)]
    return cards[0] if cards else None


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """A work tree of ``commit``, for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="pepper-bench-") as folder:
        at = Path(folder) / "source"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", at, commit], cwd=ROOT, check=True)
        try:
            yield at
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", at], cwd=ROOT, check=True)


def main() -> None:
    now = played(ROOT)
    print(f"{'here':12} {len(now):3} requests {sum(now):9,} bytes: {now}")
    for commit in sys.argv[1:]:
        with checked_out(commit) as source:
            then = played(source)
        print(f"{commit:12} {len(then):3} requests {sum(then):9,} bytes: {then}")
        print(f"ratio {sum(now) / sum(then):.2f}")


if __name__ == "__main__":
    main()
