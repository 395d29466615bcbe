"""``python -m tests.attack [--only WORDS …] [--broken GUARD] [--table]``: all attacks, and what came of them.

The last line counts them. The exit code is 1 where anything came of one, or one proved nothing.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from tests.attack.broken import GUARDS
from tests.attack.rows import TABLE
from tests.attack.run import run_beside


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="those whose name holds one of these words")
    parser.add_argument("--broken", choices=sorted(GUARDS), default="", help="let a guard down: the numbers must rise")
    parser.add_argument("--jobs", type=int, default=2, help="processes side by side")
    parser.add_argument("--table", action="store_true", help="list the attacks, and try none")
    parser.add_argument("--loud", action="store_true", help="tell each attack as it is tried")
    asked = parser.parse_args()
    chosen = [row for row in TABLE if not asked.only or any(word in str(row) for word in asked.only)]
    if asked.table:
        for row in chosen:
            print(f"{row}. It {row.tries.rstrip('.')}. Never: {row.never}.")
        print(", ".join(f"{source} {count}" for source, count in Counter(row.source for row in chosen).items()))
        return 0
    began = time.monotonic()
    report = run_beside(chosen, asked.jobs, guard=asked.broken, loud=asked.loud)
    print(f"in {time.monotonic() - began:.0f} s", file=sys.stderr)
    print("\n".join(report.lines()))
    return 0 if report.held else 1


if __name__ == "__main__":
    sys.exit(main())
