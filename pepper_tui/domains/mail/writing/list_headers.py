"""The addresses in a header about a mailing list (RFC 2369): each in brackets, where white space means nothing."""

from __future__ import annotations

import re
from typing import Final

_BRACKETED: Final = re.compile(r"<([^<>]*)>")


def ways(header: str) -> list[str]:
    """Return the addresses in ``header``, in its order of preference."""
    return ["".join(each.split()) for each in _BRACKETED.findall(header)]
