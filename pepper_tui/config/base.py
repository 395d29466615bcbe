"""What every section of the config is made of: its base, its errors, and the types that several use."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from pepper_tui.config.secret_names import holds_secret

CONFIG_FILE = "config.toml"


SECRETS_FILE = "secrets.toml"


DATABASE = "pepper.db"


def default_home() -> Path:
    """``$PEPPER_HOME``, else ``$XDG_DATA_HOME/pepper``, else ``~/.local/share/pepper``."""
    own = os.environ.get("PEPPER_HOME")
    if own:
        return Path(own).expanduser()
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "pepper"


class ConfigError(Exception):
    """The config can't be used. ``problems`` are lines that name file, line and key, each with the way out."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Section(BaseModel):
    """Base of all sections: unknown keys are errors, so that a misspelt key never passes in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _readable_time(words: str) -> str:
    if words:
        from pepper_tui.clock.words import one_time  # with a parser: only where such words stand

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
"""A list, or one alone as a plain string."""


Words = Annotated[list[str], BeforeValidator(_one_or_many)]
"""The same of text."""


KeyIds = Annotated[dict[str, str], BeforeValidator(_dotted)]
"""Ids with dots in them, whether the TOML has quotes around them or not."""


ZoneName = Annotated[str, AfterValidator(_known_zone)]


TimeWords = Annotated[str, AfterValidator(_readable_time)]
"""A time in words that is one time whenever it is said."""


Seconds = Annotated[float, Field(gt=0)]
REFERENCE_AT_END: Final = re.compile(r"(?:env|secret):\S+$")
SHORTEST_SECRET: Final = 6


def names_its_secrets(key: str, values: Mapping[str, str]) -> None:
    """Raise ``ValueError`` for one of the ``values`` of ``key`` that is a secret by its name, not a reference."""
    for name, value in values.items():
        if holds_secret(name) and value and not refers_to_secret(value):
            raise ValueError(f"{key}.{name} looks like a secret; write env:NAME or secret:NAME instead")


def refers_to_secret(value: str) -> bool:
    """Whether ``value`` ends in ``env:NAME`` or ``secret:NAME``."""
    return REFERENCE_AT_END.search(value) is not None
