"""What a feed of the user's says of one thing: a dict, stored raw, and as a signal by the user's rules.

It has ``content`` (or ``title``, or ``text``), and may have ``id``, ``sender``, ``text``, ``priority``, ``reason``,
``matter`` and ``metadata``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pepper_tui.feeds.triage import Triage
from pepper_tui.model import Facts, Json, Priority, Signal
from pepper_tui.text import one_line


def raw_of(name: str, said: Mapping[str, Any]) -> tuple[Json, str]:
    """What is stored in ``raw.<name>``, and the text that search finds.

    Its ``id`` names the thing: by default a hash of all that was said.
    """
    raw = dict(said)
    digest = hashlib.sha256(json.dumps(raw, sort_keys=True, default=str).encode()).hexdigest()
    raw["id"] = f"{name}_{raw.get('id', digest[:24])}"
    return raw, " ".join(str(value) for value in raw.values() if isinstance(value, str))


def content_of(said: Json) -> str:
    """The one line that it comes to. Raises ``ValueError`` where it says nothing, or a priority that there is not."""
    content = one_line(str(said.get("content") or said.get("title") or said.get("text") or ""), 320)
    if not content:
        raise ValueError("there is no content")
    Priority(said.get("priority", "normal"))
    return content


def signal_of(name: str, said: Json, raw_id: str, at: float, triage: Triage) -> Signal:
    """The signal of what the feed ``name`` said at ``at``. Raises ``ValueError`` as ``content_of`` does."""
    content = content_of(said)
    facts = Facts(
        name,
        sender=str(said.get("sender", "")).lower(),
        subject=content,
        text=str(said.get("text", "")),
        priority=Priority(said.get("priority", "normal")),
        reason=str(said.get("reason") or f"from your feed {name!r}"),
    )
    priority, reason, rules = triage.judge(facts)
    given = said.get("metadata")
    metadata: Json = {**(given if isinstance(given, dict) else {}), "raw": raw_id}
    metadata.pop("rules", None)  # what came from outside orders nothing
    if rules:
        metadata["rules"] = list(rules)
    matter = str(said.get("matter") or f"{name}:{raw_id}")
    return Signal(f"signal_{raw_id}", content, at, priority, name, one_line(reason, 200), matter, metadata)
