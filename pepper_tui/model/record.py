"""The base of the typed payloads."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from pepper_tui.model.contexts import Context, Json

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Record:
    """Base of the typed payloads. ``data()`` and ``of()`` are inverse; unknown keys of newer versions are ignored."""

    def data(self) -> Json:
        return dataclasses.asdict(self)

    @classmethod
    def of(cls, source: Context | Mapping[str, Any]) -> Self:
        """The record held by a context (or by its data). Raises ``TypeError`` where a required key is missing."""
        values = source.data if isinstance(source, Context) else source
        known = {f.name: values[f.name] for f in dataclasses.fields(cls) if f.name in values}
        return cls(**known)

    @classmethod
    def readable(cls, contexts: Iterable[Context]) -> list[Self]:
        """The records of those contexts that hold one; any other is logged and passed over, so that it stops nobody."""
        found = []
        for context in contexts:
            try:
                found.append(cls.of(context))
            except (TypeError, ValueError) as error:
                log.error("%s:%s is no %s: %s", context.namespace, context.context_id, cls.__name__, error)
        return found

    @classmethod
    def one(cls, context: Context | None) -> Self | None:
        """The record that ``context`` holds, where it is there and holds one; see ``readable``."""
        return next(iter(cls.readable([context] if context is not None else [])), None)
