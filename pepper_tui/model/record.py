"""The base of the typed payloads."""

from __future__ import annotations

import copy
import dataclasses
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import NoneType
from typing import Any, ClassVar, Final, Self

from pepper_tui.model.contexts import Context, Json

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Record:
    """Base of the typed payloads. ``data()`` and ``of()`` are inverse; unknown keys of newer versions are ignored.

    ``EARLIER_NAMES``: fields by the names that earlier versions wrote.
    """

    EARLIER_NAMES: ClassVar[Mapping[str, str]] = {}

    def data(self) -> Json:
        return {name: _plain(getattr(self, name)) for name in _names(type(self))}

    @classmethod
    def of(cls, source: Context | Mapping[str, Any]) -> Self:
        """Return the record in a context (or in its data). Raises ``TypeError`` if a required key is missing."""
        values = source.data if isinstance(source, Context) else source
        if cls.EARLIER_NAMES:
            values = {cls.EARLIER_NAMES.get(name, name): value for name, value in values.items()}
        known = {name: values[name] for name in _names(cls) if name in values}
        return cls(**known)

    @classmethod
    def readable(cls, contexts: Iterable[Context]) -> list[Self]:
        """Return the records of those contexts that hold one; log and skip any other, so that none blocks the rest."""
        found = []
        for context in contexts:
            try:
                found.append(cls.of(context))
            except (TypeError, ValueError) as error:
                log.error("%s:%s is no %s: %s", context.namespace, context.context_id, cls.__name__, error)
        return found

    @classmethod
    def one(cls, context: Context | None) -> Self | None:
        """Return the record in ``context``, or ``None`` if it is missing or unreadable; see ``readable``."""
        return next(iter(cls.readable([context] if context is not None else [])), None)


_NAMES: Final[dict[Any, tuple[str, ...]]] = {}
"""The fields of each class of records, as they are needed for each record that is read or written."""


def _names(kind: Any) -> tuple[str, ...]:
    if kind not in _NAMES:
        _NAMES[kind] = tuple(each.name for each in dataclasses.fields(kind))
    return _NAMES[kind]


_ATOMS: Final = frozenset({str, int, float, bool, NoneType})


def _plain(value: Any) -> Any:
    """Return ``value`` as ``dataclasses.asdict`` would, but several times faster.

    Speed counts because each mail is written as one or two records.
    """
    kind = type(value)
    if kind in _ATOMS:
        return value
    if kind is list:
        return [_plain(each) for each in value]
    if kind is dict:
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, Record):
        return value.data()
    if isinstance(value, Enum):
        return value
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(_plain(each) for each in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return copy.deepcopy(value)
