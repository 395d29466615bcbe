"""The foundation of every config section: base class, errors, and shared types."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from pepper_tui.config.secret.names import holds_secret
from pepper_tui.text.errors import PepperError


class ConfigError(PepperError):
    """The config can't be used. Each line of ``problems`` names file, line and key, and how to fix it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Section(BaseModel):
    """Base of all sections. Unknown keys are errors, so that a misspelt key is always reported."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _readable_time(words: str) -> str:
    if words:
        from pepper_tui.clock.words import one_time  # it loads a parser: only if the config has a time

        one_time(words)
    return words


def _known_zone(name: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if name:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"unknown time zone {name!r}; use an IANA name such as 'Europe/Berlin'") from error
    return name


def _dotted(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    flat: dict[str, Any] = {}
    for key, found in value.items():
        inner = _dotted(found)
        flat |= {f"{key}.{name}": each for name, each in inner.items()} if isinstance(inner, dict) else {key: inner}
    return flat


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Paths = Annotated[list[Path], BeforeValidator(_one_or_many)]
"""A list of paths; a single one may be a plain string."""


Words = Annotated[list[str], BeforeValidator(_one_or_many)]
"""A list of strings; a single one may be a plain string."""


KeyIds = Annotated[dict[str, str], BeforeValidator(_dotted)]
"""A mapping by dotted ids, which TOML may hold with or without quotes."""


ZoneName = Annotated[str, AfterValidator(_known_zone)]


TimeWords = Annotated[str, AfterValidator(_readable_time)]
"""A time in words that means one time, whenever it is said."""


def _only_named(value: str) -> str:
    if value and value.partition(":")[0] not in ("env", "secret"):
        raise ValueError("the config itself contains a secret; write env:NAME, or secret:NAME with it in secrets.toml")
    return value


NamedSecret = Annotated[str, AfterValidator(_only_named)]
"""A secret by its name: ``env:NAME`` or ``secret:NAME``."""


Seconds = Annotated[float, Field(gt=0)]
REFERENCE_AT_END: Final = re.compile(r"(?:env|secret):\S+$")
SHORTEST_SECRET: Final = 6


def names_its_secrets(key: str, values: Mapping[str, str]) -> None:
    """Raise ``ValueError`` if any of the ``values`` of ``key`` has a secret's name but is not a reference."""
    for name, value in values.items():
        if holds_secret(name) and value and not refers_to_secret(value):
            raise ValueError(f"{key}.{name} looks like a secret; write env:NAME or secret:NAME instead")


def refers_to_secret(value: str) -> bool:
    """Check whether ``value`` ends in ``env:NAME`` or ``secret:NAME``."""
    return REFERENCE_AT_END.search(value) is not None
