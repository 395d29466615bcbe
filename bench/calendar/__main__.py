"""``python -m bench.calendar [COUNT]`` prints the rows."""

from __future__ import annotations

import sys

from bench.calendar import rows

for row in rows(*map(int, sys.argv[1:2])):
    print(f"{row.name:32} {row.value:12,.2f} {row.unit:9} {row.goal}".rstrip(), flush=True)
