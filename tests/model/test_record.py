"""Records as earlier versions wrote them."""

from __future__ import annotations

from pepper_tui.model import Health


def test_a_field_is_read_under_its_earlier_name() -> None:
    written = {"part": "feed.mail", "state": "trouble", "detail": "it is gone", "mend": "make the folder", "at": 1.0}
    assert Health.of(written).remedy == "make the folder"
    assert "mend" not in Health.of(written).data()
