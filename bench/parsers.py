"""How soon a key is on the screen while each parser is fed the worst that it takes (see ``bench.fed_screen``).

``python -m bench.parsers [NAME …]`` prints two rows a parser; ``rows()`` returns the worst of all.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

from bench.fed_screen import FEEDERS
from bench.measured import Measured, percentile
from bench.screen import COMPOSER, running, typed

KEYS = 120
WARM = 8.0  # seconds until the first key: the screen is whole, and what is fed is made


def each(names: list[str]) -> Iterator[tuple[str, float, float]]:
    """Of each parser the p99 and the longest, in milliseconds."""
    for name in names:
        with running("-m", "bench.fed_screen", name) as program:
            program.until(COMPOSER)
            warm = time.perf_counter() + WARM
            while time.perf_counter() < warm:
                program.read(0.1)
            found = typed(program, KEYS)
        yield name, percentile(found, 0.99), max(found)


def rows() -> list[Measured]:
    found = list(each([*FEEDERS]))
    return [
        Measured("parsers.key.p99", max(p99 for _, p99, _ in found), "ms", "<= 80: the worst of all parsers"),
        Measured("parsers.key.longest", max(longest for _, _, longest in found), "ms", "<= 250: the worst of all"),
    ]


def main() -> None:
    worst = [0.0, 0.0]
    for name, p99, longest in each(sys.argv[1:] or [*FEEDERS]):
        print(f"parsers.{name:16} p99 {p99:6.0f} ms   longest {longest:6.0f} ms", flush=True)
        worst = [max(worst[0], p99), max(worst[1], longest)]
    print(f"parsers.all{'':13} p99 {worst[0]:6.0f} ms   longest {worst[1]:6.0f} ms   <= 80, <= 250")


if __name__ == "__main__":
    main()
