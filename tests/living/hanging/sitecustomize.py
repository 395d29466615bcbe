"""Makes a pipe in a file's place what a folder of a server that is gone is: whoever opens it waits in the kernel.

Python takes this in before all else where this folder is in ``PYTHONPATH``.
"""

from __future__ import annotations

import os
from typing import Any

_open = os.open


def _waiting(path: Any, flags: int, *more: Any, **named: Any) -> int:
    return _open(path, flags & ~os.O_NONBLOCK if str(path).endswith("hung.ics") else flags, *more, **named)


os.open = _waiting
