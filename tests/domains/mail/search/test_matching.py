"""Who is meant by a name or an address: a name never passes for an address."""

from __future__ import annotations

import pytest

from pepper_tui.domains.mail.search.matching import is_person


@pytest.mark.parametrize(
    ("wanted", "name", "address", "is_one"),
    [
        ("bob@x.org", "", "bob@x.org", True),
        ("BOB@x.org", "", "bob@x.org", True),
        ("bob@x.org", "bob@x.org", "eve@evil.example", False),
        ("bob@x.org", "", "bob@x.org.evil.example", False),
        ("@x.org", "", "bob@x.org", True),
        ("@x.org", "@x.org", "eve@evil.example", False),
        ("@x.org", "", "x.org@evil.example", False),
        ("x.org", "", "bob@x.org", True),
        ("dan", "Dana Fox", "d@x.org", True),
        ("dan", "Jordan", "j@x.org", False),
        ("Fox", "Dana Fox", "d@x.org", True),
        ("dana fo", "Dana Fox", "d@x.org", True),
        ("muller", "Jürgen Müller", "jm@x.org", True),
        ("", "Dana", "d@x.org", False),
    ],
)
def test_who_is_meant(wanted: str, name: str, address: str, is_one: bool) -> None:
    assert is_person(wanted, name, address) is is_one
