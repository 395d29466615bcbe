"""What a calendar is called beside others: as short as tells them apart, and nothing where there is only one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pepper_tui.text import one_line

_LONG: Final = 20  # letters of a file's name that no person gave it


@dataclass(frozen=True, slots=True)
class Place:
    """Where a calendar is. ``whole`` is its name with the folder or account that it is in."""

    whole: str
    short: str


def place_of_file(path: Path, uids: Iterable[str]) -> Place:
    """Return the place of a calendar file. Where each event has a file of its own, the folder is the calendar."""
    there = set(uids)
    if len(there) == 1 and (path.stem in there or len(path.stem) >= _LONG):
        path = path.parent
    return Place(str(path), path.stem)


def place_of_copy(calendar: str) -> Place:
    """Return the place of a calendar of an account, by its id."""
    return Place(calendar, calendar.rpartition("/")[2])


def short_names(places: Mapping[str, set[Place]]) -> dict[str, str]:
    """Return what to call each calendar, by its id; nothing if there is only one. ``places``: where each is."""
    found = {place for each in places.values() for place in each}
    if len(found) < 2:
        return {}
    times = Counter(place.short for place in found)
    names: dict[str, list[str]] = defaultdict(list)
    for calendar, each in places.items():
        for place in sorted(each, key=lambda one: one.whole):
            last = "/".join(Path(place.whole).with_suffix("").parts[-2:])
            names[calendar].append(place.short if times[place.short] == 1 else last)
    return {calendar: one_line(" or ".join(each[:2]), 40) for calendar, each in names.items()}
