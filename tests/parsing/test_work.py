"""What parses text from outside takes time in proportion: at 16 times the size at most 40 times as much."""

from __future__ import annotations

import gc
import time
from typing import Any

import pytest

from tests.parsing.parsers import PARSERS, Parse, Parser
from tests.parsing.shapes import Shape

TIMES = 16
MOST = 40.0
LEAST = 0.004  # seconds below which a figure is noise


def spent(parse: Parse, given: Any) -> float:
    """Processor seconds, the least of three, without garbage collection: a test process has much to look through."""
    found: list[float] = []
    gc.disable()
    try:
        while len(found) < 3 and sum(found) < 2.0:
            began = time.process_time()
            parse(given)
            found.append(time.process_time() - began)
    finally:
        gc.enable()
    return min(found)


CASES = [
    pytest.param(parser, shape, id=f"{parser.name}: {name}")
    for parser in PARSERS
    for name, shape in parser.shapes.items()
]


@pytest.mark.parametrize(("parser", "shape"), CASES)
def test_work_grows_with_the_size(parser: Parser, shape: Shape) -> None:
    size, make = shape
    for parse in parser.functions:
        parse(make(size))
        many = spent(parse, make(size * TIMES))
        if many > MOST * LEAST:
            once = spent(parse, make(size))
            assert many <= MOST * max(once, LEAST), f"{once * 1000:.1f} ms, at 16 times the size {many * 1000:.1f} ms"
