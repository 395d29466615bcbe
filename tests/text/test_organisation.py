"""Domains of one organisation, told by the list of public suffixes that is shipped."""

from __future__ import annotations

import pytest

from pepper_tui.text.addresses import KnownAddresses
from pepper_tui.text.organisation import organisation, own_label, same_organisation


@pytest.mark.parametrize(
    ("domain", "registered", "label"),
    [
        ("mail.example.co.uk", "example.co.uk", "example"),
        ("Example.COM.", "example.com", "example"),
        ("alice.github.io", "alice.github.io", "alice"),
        ("xn--85x722f.com.cn", "xn--85x722f.com.cn", "xn--85x722f"),
        ("firm.example", "firm.example", "firm"),  # a top level that is not listed
        *((suffix, "", "") for suffix in ("co.uk", "com", "github.io", "", ".", "a" * 300 + ".org")),
    ],
)
def test_what_somebody_registered(domain: str, registered: str, label: str) -> None:
    assert (organisation(domain), own_label(domain)) == (registered, label)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("example.co.uk", "other.co.uk", False),
        ("news.example.co.uk", "desk.example.co.uk", True),
        ("co.uk", "co.uk", False),
        ("alice.github.io", "bob.github.io", False),
    ],
)
def test_who_belongs_together(one: str, other: str, same: bool) -> None:
    assert same_organisation(one, other) is same


@pytest.mark.parametrize(
    ("known", "address", "alike"),
    [
        ("info@ab.co.uk", "info@ac.co.uk", False),  # two letters that somebody chose are no look-alike
        ("info@bank.co.uk", "info@bamk.co.uk", True),
        ("info@bank.co.uk", "info@shop.co.uk", False),
    ],
)
def test_a_look_alike_is_measured_by_what_was_chosen(known: str, address: str, alike: bool) -> None:
    assert bool(KnownAddresses([known]).alike(address)) is alike
