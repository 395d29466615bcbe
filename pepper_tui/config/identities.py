"""Identities in the config: an address and name that the user writes as, with a signature."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from pepper_tui.config.base import Section

_NAMED: Final = re.compile(r'\s*"?(?P<name>[^<>"]*?)"?\s*<(?P<address>[^<>\s]+)>\s*')


class Identity(Section):
    """In the config also a string: ``alex@work.org`` or ``Alex Doe <alex@work.org>``."""

    address: Annotated[str, Field(pattern=r"^[^@\s<>]+@[^@\s<>]+$")]
    name: Annotated[str, Field(max_length=200, pattern=r"^[^\r\n]*$")] = ""  # empty: user.name
    signature: Annotated[str, Field(max_length=4000)] = ""  # empty: that of the account


def _read(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    found = _NAMED.fullmatch(value)
    return found.groupdict() if found else {"address": value.strip()}


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str | dict) else value


Identities = Annotated[list[Annotated[Identity, BeforeValidator(_read)]], BeforeValidator(_listed)]
"""A list of identities; a single one may stand alone."""


def identities_said(value: Any) -> list[Identity]:
    """Return the identities in the value of a key that its own connector checks; what is none is left out."""
    found = []
    for each in _listed(value) if isinstance(value, str | dict | list) else []:
        read = each if isinstance(each, Identity) else _read(each)
        try:
            found.append(Identity.model_validate(read))
        except ValueError:
            continue
    return found
