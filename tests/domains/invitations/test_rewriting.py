"""Events are written anew in a process of their own, which a hostile one ends for itself alone."""

from __future__ import annotations

import pytest

from pepper_tui.boundary.process import ParserProcess
from pepper_tui.domains.calendar.pieces import pieces
from pepper_tui.domains.calendar.writing.rewriter import Rewriter
from tests.domains.calendar.test_calendar_parser import crowded, zone
from tests.domains.invitations.invited import event
from tests.feeds.test_rules import ics

ZONED = "UID:z\r\nSUMMARY:Zoned\r\nDTSTART;TZID={0}:20270116T100000\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY"


@pytest.fixture
def rewriter() -> Rewriter:
    return Rewriter(ParserProcess("pepper_tui.domains.calendar.writing.rewriting", seconds=0.4))


def test_one_that_takes_too_long_is_refused_and_the_next_is_written(rewriter: Rewriter) -> None:
    [crowd] = pieces(ics(crowded("Crowd")).encode())
    with pytest.raises(ValueError, match=r"more than 0\.4 s"):
        rewriter.cancelled([crowd])
    [plain] = pieces(f"BEGIN:VCALENDAR\r\n{event(0.0)}\r\nEND:VCALENDAR\r\n".encode())
    assert "STATUS:CANCELLED" in rewriter.cancelled([plain])


def test_its_time_zone_goes_with_it_and_one_that_can_not_be_used_is_left_out(rewriter: Rewriter) -> None:
    for name, rule in (("Mine", "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"), ("Europe/Berlin", "FREQ=NEVER")):
        text = zone(name, rule) + "BEGIN:VEVENT\r\n" + ZONED.format(name) + "\r\nEND:VEVENT"
        [piece] = pieces(f"BEGIN:VCALENDAR\r\n{text}\r\nEND:VCALENDAR\r\n".encode())
        written = rewriter.answered([piece], ["a@x.example"], "a@x.example", "A", "accepted")
        assert f"DTSTART;TZID={name}:20270116T100000" in written
        assert written.count("BEGIN:VTIMEZONE") == 1
        assert "ATTENDEE;CN=A;PARTSTAT=ACCEPTED:mailto:a@x.example" in written
        reply = rewriter.reply([piece], "a@x.example", "A", "accepted", "yes", 1_800_000_000.0)
        assert "BEGIN:VTIMEZONE" not in reply
        assert "COMMENT:yes" in reply
