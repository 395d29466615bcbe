"""What all tests of invitations need."""

from __future__ import annotations

from tests.domains.calendar.conftest import patient

__all__ = ["patient"]
