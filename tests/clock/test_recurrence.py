"""Recurrence as a law: whatever the rule, the zone and the moment, walking on visits each occurrence once, in order."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from pepper_tui.clock.recurrence import check_rule, first_after, instant, newest_and_next, wall_time
from tests.growth import spent

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu", "UTC")
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
INTERVALS = st.integers(1, 5).map(lambda n: f";INTERVAL={n}")
RULES = st.one_of(
    st.builds("FREQ=DAILY{}".format, INTERVALS),
    st.builds("FREQ=HOURLY{}".format, INTERVALS),
    st.builds("FREQ=WEEKLY{};BYDAY={}".format, INTERVALS, st.sets(st.sampled_from(DAYS), min_size=1).map(",".join)),
    st.builds("FREQ=MONTHLY{};BYMONTHDAY={}".format, INTERVALS, st.integers(1, 31)),
    st.builds("FREQ=DAILY{};COUNT={}".format, INTERVALS, st.integers(1, 30)),
)
STARTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda at: at.replace(microsecond=0))
LATER = st.integers(0, 400 * 86_400)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=WEEKLY;INTERVAL=0",
        "FREQ=WEEKLY;INTERVAL=-1",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;FREQ=WEEKLY",
        "FREQ=DAILY;BYDAY=XX",
        "FREQ=DAILY;BYDAY=",
        "FREQ=DAILY;RSCALE=CHINESE",
        "FREQ=HOURLY;BYMINUTE=1,2",
        "FREQ=MINUTELY",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;UNTIL=99999999",
    ],
)
def test_a_rule_that_can_not_be_counted_is_refused(rule: str) -> None:
    with pytest.raises(ValueError, match=r"rule|once an hour"):
        check_rule(rule)


NEVER = [
    *(f"FREQ={frequency};BYMONTH=2;BYMONTHDAY=30" for frequency in ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY")),
    "FREQ=DAILY;COUNT=5;BYMONTH=2;BYMONTHDAY=31",
    "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=7",
    "FREQ=HOURLY;INTERVAL=5;BYHOUR=3;BYMONTH=4;BYMONTHDAY=31",
    "FREQ=YEARLY;BYYEARDAY=366;BYMONTH=3",
]


@pytest.fixture(scope="module")
def until_9999() -> float:
    """Processor seconds that the library takes to find that a weekly rule never comes due."""
    start = datetime(2026, 1, 1)
    return spent(lambda rule: rrulestr(rule, dtstart=start).after(start), "FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=30")


@pytest.mark.parametrize("rule", NEVER)
def test_a_rule_that_never_comes_due_is_refused_soon(rule: str, until_9999: float) -> None:
    def check(_: None) -> None:
        with pytest.raises(ValueError, match="never comes due"):
            check_rule(rule)

    assert spent(check, None) < until_9999


@pytest.mark.parametrize("rule", [*NEVER, "FREQ=HOURLY", "FREQ=HOURLY;COUNT=9999;BYMONTH=1;BYMONTHDAY=1", "FREQ=DAILY"])
@pytest.mark.parametrize("starts", [-6e10, 0.0, 1.79e9])
def test_one_that_was_stored_unchecked_holds_no_other_up(rule: str, starts: float, until_9999: float) -> None:
    def look(_: None) -> None:
        with contextlib.suppress(ValueError):  # it takes too long to follow
            _, following = newest_and_next(rule, starts, 1.79e9, 1.795e9, ZoneInfo("Europe/Berlin"))
            assert following is None or rule not in NEVER

    assert spent(look, None) < until_9999


@settings(max_examples=200, deadline=None)
@given(rule=RULES, start=STARTS, later=st.integers(0, 4000 * 86_400))
def test_long_after_its_start_it_comes_when_dateutil_says(rule: str, start: datetime, later: int) -> None:
    after = start + timedelta(seconds=later)
    wanted = rrulestr(rule, dtstart=start).after(after)
    found = first_after(rule, instant(start, UTC), instant(after, UTC), UTC)
    assert found == (None if wanted is None else instant(wanted, UTC))


@settings(max_examples=300, deadline=None)
@given(st.text("FREQ=;INTVALBYDWKHOSUMC0123456789-,+", max_size=60))
def test_any_rule_is_counted_in_bounded_work_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        newest_and_next(check_rule(f"FREQ={text}"), 1e9, 1e9, 1.1e9, ZoneInfo("Europe/Berlin"))


@settings(max_examples=150, deadline=None)
@given(rule=RULES, zone=st.sampled_from(ZONES).map(ZoneInfo), start=STARTS, later=LATER)
def test_walking_on_visits_each_occurrence_once(rule: str, zone: ZoneInfo, start: datetime, later: int) -> None:
    rule = check_rule(rule)
    due = start.replace(tzinfo=zone).timestamp()
    now = due + later
    newest, following = newest_and_next(rule, due, due, now, zone)
    assert due <= newest <= now
    walked = [newest]
    for _ in range(12):
        if following is None:
            assert "COUNT" in rule
            break
        assert following > walked[-1]
        # Nothing lies between: a moment before it all is as it was, at its own moment it is the newest.
        assert newest_and_next(rule, due, due, max(now, following - 1), zone) == (walked[-1], following)
        at_its_time = newest_and_next(rule, due, due, following, zone)
        assert at_its_time[0] == following
        walked.append(following)
        now, following = following, at_its_time[1]


@settings(max_examples=150, deadline=None)
@given(zone=st.sampled_from(ZONES).map(ZoneInfo), start=STARTS, later=LATER)
def test_a_day_keeps_its_hour_across_every_change_of_clocks(zone: ZoneInfo, start: datetime, later: int) -> None:
    due = start.replace(tzinfo=zone).timestamp()
    newest, following = newest_and_next("FREQ=DAILY", due, due, due + later, zone)
    assert following is not None
    for at in (newest, following):
        wall = wall_time(at, zone)
        moved = wall - datetime.combine(wall.date(), start.time())
        # Where a change skips that hour, it is read with the offset before: later by what was skipped, that day only.
        assert moved == timedelta(0) or (timedelta(0) < moved <= timedelta(hours=1) and at != due) or at == due
    if newest != due:
        assert timedelta(hours=22) < timedelta(seconds=following - newest) < timedelta(hours=26)
