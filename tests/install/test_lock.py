"""``constraints.txt`` pins all that is declared, within its bounds, and says nothing of where it comes from."""

from __future__ import annotations

import re
import sys
from importlib.metadata import distribution

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.lock import LOCK, OLDEST, ROOT, declared, needed

LINES = [line for line in LOCK.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
PINS = {line.partition("==")[0]: line.partition("==")[2] for line in LINES}


@pytest.mark.parametrize("requirement", declared(), ids=lambda each: each.name)
def test_each_dependency_is_bounded_pinned_and_told_of(requirement: Requirement) -> None:
    above = [each for each in requirement.specifier if each.operator == "<"]
    assert len(above) == 1, f"{requirement}: without an upper bound `make test` of tomorrow tests another package"
    name = canonicalize_name(requirement.name)
    assert requirement.specifier.contains(PINS[name])
    reasons = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").partition("## What each dependency is for")[2]
    assert re.search(rf"^\| [^|]*(?<![\w-]){re.escape(requirement.name)}(?![\w-])[^|]*\| [^|]+\|$", reasons, re.M)


def test_the_lock_fits_together() -> None:
    """No pin is refused by what another pinned package asks for."""
    for name, version in PINS.items():
        try:
            found = distribution(name)
        except ModuleNotFoundError:  # of another platform
            continue
        for line in found.requires or [] if found.version == version else []:
            asked = Requirement(line)
            pin = PINS.get(canonicalize_name(asked.name))
            if pin and (asked.marker is None or asked.marker.evaluate({"extra": ""})):
                assert asked.specifier.contains(pin, prereleases=True), f"{name} wants {asked}"


def test_a_line_is_a_name_and_a_version_and_no_address_or_path() -> None:
    whole = LOCK.read_text(encoding="utf-8")
    assert "://" not in whole
    assert len(PINS) == len(LINES) > 50
    for line in LINES:
        assert re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*==[0-9][0-9a-z.!]*", line), line
        assert not Version(PINS[line.partition("==")[0]]).local
    assert sorted(PINS) == [*PINS]


@pytest.mark.skipif(sys.version_info[:2] != OLDEST or sys.platform != "linux", reason="others need a few others")
def test_it_pins_just_what_is_needed() -> None:
    assert {*needed()} == {*PINS}


def test_the_makefile_installs_by_the_lock() -> None:
    installs = [
        line for line in (ROOT / "Makefile").read_text().splitlines() if "pip install" in line and "-e '." in line
    ]
    assert len(installs) == 3
    for line in installs:
        assert ("-c constraints.txt" in line) != ("--upgrade" in line), line


def test_each_pin_is_for_every_python_that_pepper_is_for() -> None:
    oldest = ".".join(map(str, OLDEST))
    for name, version in PINS.items():
        try:
            asked = distribution(name).metadata.get("Requires-Python") or ""
        except ModuleNotFoundError:
            continue
        assert SpecifierSet(asked).contains(f"{oldest}.99"), f"{name} {version} wants Python {asked}"
