"""What an ``[[account]]`` of kind ``linelog`` may say. A key that is not here is refused, with file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from pepper_tui.config import Section


class LineLog(Section):
    """``words``: a line is told that holds one of them, in any case."""

    path: Path  # relative ones begin at the home
    words: Annotated[list[str], Field(min_length=1)]
    scan_interval: Annotated[float, Field(gt=0)] = 5.0  # seconds
