"""``python -m tests.mutations [--jobs 2] [--only WORDS …]``: each mutation of the table against its tests."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.mutations.mutation import survivors, table
from tests.mutations.run import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("--jobs", type=int, default=2, help="trials side by side")
    parser.add_argument("--only", nargs="*", default=[], help="those whose name or file holds one of these words")
    asked = parser.parse_args()
    chosen = [row for row in table() if not asked.only or any(word in f"{row.file} {row.name}" for word in asked.only)]
    names = {row.name for row in chosen}
    listed = {name: why for name, why in survivors().items() if not asked.only or name in names}
    return run(Path.cwd(), chosen, listed, jobs=asked.jobs)


if __name__ == "__main__":
    sys.exit(main())
