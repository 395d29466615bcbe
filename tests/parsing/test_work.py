"""What parses text from outside takes time in proportion: at 16 times the size at most 40 times as much."""

from __future__ import annotations

import pytest

from tests.growth import check_growth
from tests.parsing.parsers import PARSERS, Parser
from tests.parsing.shapes import Shape

CASES = [
    pytest.param(parser, shape, id=f"{parser.name}: {name}")
    for parser in PARSERS
    for name, shape in parser.shapes.items()
]


@pytest.mark.parametrize(("parser", "shape"), CASES)
def test_work_grows_with_the_size(parser: Parser, shape: Shape) -> None:
    size, make = shape
    for parse in parser.functions:
        check_growth(parse, make, size)
