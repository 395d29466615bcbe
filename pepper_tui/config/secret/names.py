"""What looks like a secret by its name alone, for each use: what is refused must be surer than what is asked about.

What a header or a variable of that name holds must be a reference: else the config is refused. ``CREDENTIALS`` and
``PASSWD`` are none of these, since such a variable often names a file. A parameter of an address names no file, so
there they are. The third is a guess, by the words of a name, which ``config check`` tells: no start is refused for it.
"""

from __future__ import annotations

import re
from typing import Final

_SURE: Final = r"authorization|cookie|token|secret|password|api.?key"
_OF_A_VALUE: Final = re.compile(_SURE, re.I)
_OF_A_PARAMETER: Final = re.compile(f"{_SURE}|passw|credential", re.I)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET: Final = frozenset(
    {
        *("token", "secret", "password", "passwd", "pass", "pwd", "apikey", "key", "auth", "authorization", "bearer"),
        *("credential", "credentials", "cookie", "pat"),
    }
)
_NO_SECRET: Final = frozenset(
    {
        *("file", "path", "dir", "env", "name", "url", "uri", "host", "id", "type", "mode", "method", "scheme"),
        *("header", "prefix", "limit", "length", "count", "size", "ttl", "timeout", "store", "command", "var"),
        "public",
    }
)
"""What a name may end in that only speaks of a secret: ``TOKEN_FILE``, ``AUTH_TYPE``."""


def holds_secret(name: str) -> bool:
    """Whether what a header or a variable called ``name`` holds is a secret."""
    return _OF_A_VALUE.search(name) is not None


def parameter_holds_secret(name: str) -> bool:
    """Whether what a parameter of an address called ``name`` holds is a secret."""
    return _OF_A_PARAMETER.search(name) is not None


def may_hold_secret(name: str) -> bool:
    """Whether something called ``name`` may hold a secret: a guess."""
    words = [word.lower() for word in _WORD.findall(name)]
    return bool(_SECRET & {*words}) and words[-1] not in _NO_SECRET
