"""One grammar of addresses, and what looks like another one."""

from __future__ import annotations

import pytest

from pepper_tui.text.addresses import alike, canonical, meant


@pytest.mark.parametrize("sign", "_'*!?}{|/=~^$%&`#+")
def test_a_sign_before_an_address_makes_another_address(sign: str) -> None:
    assert canonical(f"{sign}ann@example.org") == f"{sign}ann@example.org"
    assert alike(f"{sign}ann@example.org", ["ann@example.org"]) == "ann@example.org"


@pytest.mark.parametrize(
    "text",
    ["'ann@example.org'", "*ann@example.org*", "_ann@example.org_", "write to (ann@example.org).", "<ann@example.org>",
     "!ann@example.org", "ANN@Example.org;", "Ann <ann@example.org>, bob", "`ann@example.org`"],
)  # fmt: skip
def test_what_the_user_means(text: str) -> None:
    assert meant(text) == {"ann@example.org"}


def test_a_real_sign_stays() -> None:
    assert meant("_ann@example.org, o'brien@x.org") == {"_ann@example.org", "o'brien@x.org"}


@pytest.mark.parametrize(
    "address",
    [
        *("", "bob", "@x.org", "a..b@x.org", ".a@x.org", "a.@x.org", "a@x..org", "a@-x.org", "a@x.org.", "a@x.org_"),
        *("a b@x.org", "a\u3164@x.org", "a\u200d@x.org", "a\u0301\u0301\u0301\u0301\u0301@x.org", "a@x.org\nb"),
        *(f"{'a' * 65}@x.org", "a@b@x.org"),
    ],
)
def test_what_is_no_address(address: str) -> None:
    assert canonical(address) is None


def test_a_domain_is_kept_in_ascii() -> None:
    assert canonical("ann@b\xfccher.example") == canonical("ann@xn--bcher-kva.example") == "ann@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "address",
    ["ann@examp1e.org", "аnn@example.org", "ann@exаmple.org", "ann@example.or", "ann@exmaple.org", "a.nn@example.org",
     "anrn@example.org", "ann@exarnple.org", "ánn@example.org", "ann@example.org.evil.example"],
)  # fmt: skip
def test_look_alikes(address: str) -> None:
    assert alike(address, ["bob@x.org", "ann@example.org", "anm@example.org"])


@pytest.mark.parametrize(
    "address", ["bob@example.org", "ann@other.net", "ann@example.org", "bob@example.org.evil.example"]
)
def test_others_are_others(address: str) -> None:
    assert not alike(address, ["ann@example.org"])
