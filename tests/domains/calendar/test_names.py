"""What a calendar is called beside others."""

from __future__ import annotations

from pathlib import Path

import pytest

from pepper_tui.domains.calendar.telling.names import Place, place_of_copy, place_of_file, short_names

UID = "0c2f0a52-93b1-4d5e-8d0e-6f6f4f1f0b5a"
HOME, WORK = place_of_copy("cal/home"), place_of_copy("cal/work")


def file(path: str, *uids: str) -> Place:
    return place_of_file(Path(path), uids or ("a", "b"))


@pytest.mark.parametrize(
    ("places", "names"),
    [
        ({"cal/home": {HOME}}, {}),
        ({"cal/home": {HOME}, "cal/work": {WORK}}, {"cal/home": "home", "cal/work": "work"}),
        (
            {"cal/home": {HOME}, "two/home": {place_of_copy("two/home")}},
            {"cal/home": "cal/home", "two/home": "two/home"},
        ),
        ({"club": {place_of_copy("club")}, "cal/home": {HOME}}, {"club": "club", "cal/home": "home"}),
        ({"a": {file("/c/a.ics")}, "b": {file("/c/b.ics")}}, {"a": "a", "b": "b"}),
        ({"x": {file("/v/home/x.ics", "x")}, "y": {file("/v/home/y.ics", "y")}}, {}),
        ({UID: {file(f"/v/home/{UID}.ics", "other")}, "w": {file("/v/w.ics")}}, {UID: "home", "w": "w"}),
        ({"x": {file("/v/home/x.ics")}, "cal/home": {HOME}}, {"x": "x", "cal/home": "home"}),
        ({"home": {file("/v/home.ics")}, "cal/home": {HOME}}, {"home": "v/home", "cal/home": "cal/home"}),
    ],
)
def test_names_are_as_short_as_tells_them_apart(places: dict[str, set[Place]], names: dict[str, str]) -> None:
    assert short_names(places) == names
