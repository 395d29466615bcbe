"""A running double for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.google.server import Google


@pytest.fixture
def google() -> Iterator[Google]:
    """A running double; what it could not allow fails the test at its end."""
    with Google("alex@example.com") as running:
        yield running
