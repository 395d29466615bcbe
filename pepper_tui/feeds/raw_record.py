"""One record of a user's feed: a dict, stored raw, and as a signal by the user's rules.

It has ``content`` (or ``title``, or ``text``), and may have ``id``, ``sender``, ``text``, ``priority``, ``reason``,
``matter`` and ``metadata``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pepper_tui.config import FEED_NAMES
from pepper_tui.feeds.triage import Triage
from pepper_tui.model import Context, Facts, Json, MatterKind, Namespace, Priority, Signal
from pepper_tui.text import one_line

AUTHORITY: Final = ("rules",)
"""The metadata keys of a signal that carry the user's own orders: nobody else may set them."""


def raw_of(name: str, said: Mapping[str, Any]) -> tuple[str, Json, str]:
    """Return the id of ``said`` in ``raw.<name>``, the stored dict, and the text that search finds.

    Its own ``id`` identifies the record; by default it is a hash of the whole dict. The context's id is prefixed with
    the feed's name, so that two feeds' signals never share one.
    """
    raw = dict(said)
    if raw.get("id") in (None, ""):
        raw["id"] = hashlib.sha256(json.dumps(raw, sort_keys=True, default=str).encode()).hexdigest()[:24]
    return f"{name}_{raw['id']}", raw, text_of(raw)


def said_in(name: str, context: Context) -> Json:
    """Return the record in a context of ``raw.<name>``, with its original ``id``.

    An older Pepper stored the context's id there.
    """
    raw = context.data
    if raw.get("id") == context.context_id and context.context_id.startswith(f"{name}_"):
        return {**raw, "id": context.context_id.removeprefix(f"{name}_")}
    return raw


def text_of(data: Mapping[str, Any]) -> str:
    """Return the words in ``data``, for search."""
    return " ".join(value for value in data.values() if isinstance(value, str))


def content_of(said: Json) -> str:
    """Return the record in one line. Raises ``ValueError`` if it is empty or has an unknown priority."""
    content = one_line(str(said.get("content") or said.get("title") or said.get("text") or ""), 320)
    if not content:
        raise ValueError("there is no content")
    try:
        Priority(said.get("priority", "normal"))
    except ValueError as error:
        raise ValueError(f"priority {said['priority']!r} is not one of {', '.join(Priority)}") from error
    return content


def signal_of(
    name: str, said: Json, raw_id: str, at: float, triage: Triage, matter_kind: MatterKind = "event"
) -> Signal:
    """Return the signal for what the feed ``name`` said at ``at``. Raises ``ValueError`` as ``content_of`` does."""
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
    for key in AUTHORITY:
        metadata.pop(key, None)  # only the user's rules order acts, never anything from outside
    if rules:
        metadata["rules"] = list(rules)
    matter = str(said.get("matter") or f"{name}:{raw_id}")
    reason = one_line(reason, 200)
    return Signal(f"signal_{raw_id}", content, at, priority, name, reason, matter, metadata, matter_kind)


def signal_in(
    namespace: str,
    said: Json,
    ident: str,
    at: float,
    feed: str,
    raw: str,
    triage: Triage,
    matter_kind: MatterKind = "event",
) -> Signal:
    """Return the signal that ``feed`` wrote into ``namespace`` as ``ident``, caused by the context ``raw``, if any.

    Its ``source`` is the namespace's. A source given in the record is kept for rules and readers, except that rules
    never see the name of a built-in feed. Raises ``ValueError`` for a record that can't be a signal.
    """
    source = namespace.removeprefix(f"{Namespace.SIGNALS}.")
    named = one_line(str(said.get("source") or source), 40)
    known = {"reason": f"from your feed {feed!r}", "matter": f"{source}:{ident}"}
    told = {**said, **{key: said.get(key) or value for key, value in known.items()}}
    try:
        told_by = source if named in FEED_NAMES else named
        signal = signal_of(told_by, told, ident, _moment(said, at), triage, matter_kind)
    except ValueError as error:
        raise ValueError(f"what is written into {namespace} must be a signal: {error}") from error
    signal.id, signal.source = ident, source
    signal.metadata.pop("raw")
    if raw:
        signal.metadata["raw"] = raw
    if named != source:
        signal.metadata["source"] = named
    return signal


def _moment(said: Json, otherwise: float) -> float:
    given = said.get("created_at")
    if given is None:
        return otherwise
    if isinstance(given, int | float) and not isinstance(given, bool):
        return float(given)
    try:
        return datetime.fromisoformat(str(given)).timestamp()
    except ValueError as error:
        raise ValueError(f"created_at {given!r} is not a time") from error
