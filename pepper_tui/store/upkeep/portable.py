"""A store as JSON Lines: one object per line, the first a header, the last the counts.

``{"pepper": "store", "format": 1, …}``, then ``subscription``, ``update`` (in log order), ``delivery`` and ``dedupe``
lines, then ``{"end": {…}}``. Nothing else is needed: contexts, tags and the search index follow from the log.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any, Final

from pepper_tui.model import Json
from pepper_tui.store.errors import StoreError
from pepper_tui.store.log.content import body, decode

FORMAT: Final = 1
UPDATE: Final = (
    "seq",
    "namespace",
    "id",
    "version",
    "type",
    "data",
    "text",
    "tags",
    "metadata",
    "created_at",
    "updated_at",
    "expires_at",
    "deleted",
    "previous",
)
DELIVERY: Final = ("subscription", "seq", "rank", "state", "attempts", "due", "error", "order_key")
SUBSCRIPTION: Final = ("name", "namespaces", "tags", "coded", "created_at")
DEDUPE: Final = ("namespace", "key", "seq", "until")


@dataclass(slots=True)
class Counts:
    """How many of each a file holds."""

    updates: int = 0
    subscriptions: int = 0
    deliveries: int = 0
    dedupe: int = 0

    def data(self) -> Json:
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @property
    def words(self) -> str:
        return f"{self.updates} updates, {self.subscriptions} subscriptions, {self.deliveries} open deliveries"


class ImportFaultError(StoreError):
    """A line of an export can't be imported; the message names it. Nothing was imported."""

    def __init__(self, line: int, words: str) -> None:
        super().__init__(f"line {line}: {words}. Nothing was imported")
        self.line = line


def header(schema: int, last_seq: int, at: float) -> str:
    return _line({"pepper": "store", "format": FORMAT, "schema": schema, "last_seq": last_seq, "exported_at": at})


def update(row: tuple[Any, ...]) -> str:
    """Return the line of one update. ``row``: the values of ``UPDATE``, then its body."""
    values = dict(zip(UPDATE, row, strict=False))
    derived = body(values["text"], values["data"])
    values["data"], values["metadata"] = decode(values["data"]), decode(values["metadata"])
    values["tags"], values["deleted"] = json.loads(values["tags"]), bool(values["deleted"])
    if row[-1] != derived:
        values["body"] = row[-1]
    return _line({"update": values})


def subscription(row: tuple[Any, ...]) -> str:
    values = dict(zip(SUBSCRIPTION, row, strict=True))
    values.update(
        namespaces=json.loads(values["namespaces"]), tags=json.loads(values["tags"]), coded=bool(values["coded"])
    )
    return _line({"subscription": values})


def delivery(row: tuple[Any, ...]) -> str:
    return _line({"delivery": dict(zip(DELIVERY, row, strict=True))})


def dedupe(row: tuple[Any, ...]) -> str:
    return _line({"dedupe": dict(zip(DEDUPE, row, strict=True))})


def end(counts: Counts) -> str:
    return _line({"end": counts.data()})


def _line(value: Json) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n"
